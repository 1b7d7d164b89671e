/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include "wait.h"

static bool cas(struct gate *g, uint64_t *seen, uint64_t word) {
        return __atomic_compare_exchange_n(&g->map->word, seen, word, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}

static uint64_t at_rest(uint64_t word, uint32_t slot) {
        return (uint64_t)slot | LSM_GATE_SEQ_NEXT(word);
}

bool gate_past_deadline(uint64_t word, int64_t now_ns) {
#ifdef LSM_BAD_NO_DEADLINE
        return false;
#endif
        return gate_pending(word) && (int32_t)(gate_clock(now_ns) - LSM_GATE_DEADLINE(word)) >= 0;
}

uint64_t gate_flip(struct gate *g, uint32_t active, uint32_t slot, int64_t deadline_ns) {
        uint64_t seen = gate_word(g), word;

        if (gate_pending(seen) || LSM_GATE_ACTIVE(seen) != active)
                return 0;
        word = at_rest(seen, slot) | (uint64_t)active << 4 | LSM_GATE_PENDING | (uint64_t)gate_clock(deadline_ns) << 32;
        return cas(g, &seen, word) ? word : 0;
}

bool gate_confirm(struct gate *g, uint64_t pending) {
        uint64_t seen = pending;

        /* The clock first: a supervisor that was stopped past the deadline must not confirm merely because no hook has been
         * called, and so nobody has noticed, since. */
        if (gate_past_deadline(pending, monotonic_ns())) {
                gate_expire(g);
                return false;
        }
#ifdef LSM_BAD_CONFIRM_STORE
        __atomic_store_n(&g->map->word, at_rest(pending, LSM_GATE_ACTIVE(pending)), __ATOMIC_SEQ_CST);
        return true;
#endif
        return cas(g, &seen, at_rest(pending, LSM_GATE_ACTIVE(pending)));
}

void gate_set(struct gate *g, uint32_t slot) {
        uint64_t seen = gate_word(g);

        while (!cas(g, &seen, at_rest(seen, slot)))
                ;
}

bool gate_expire(struct gate *g) {
        uint64_t seen = gate_word(g);

        if (!gate_past_deadline(seen, monotonic_ns()) || !cas(g, &seen, LSM_GATE_EXPIRED(seen)))
                return false;
        __atomic_add_fetch(&g->map->expiries, 1, __ATOMIC_RELAXED);
        return true;
}

bool gate_probe(struct gate *g, uint32_t slot, uint64_t cgroup_id) {
        uint64_t seen = gate_word(g);

        /* The cgroup before the slot: whoever sees the slot named finds the right cgroup. */
        if (slot)
                __atomic_store_n(&g->map->probe_cgroup, cgroup_id, __ATOMIC_RELEASE);
        while (!gate_pending(seen))
                if (cas(g, &seen, at_rest(seen, LSM_GATE_ACTIVE(seen)) | (uint64_t)slot << 8))
                        return true;
        return false;
}
