// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The dispatcher: loaded once per bundle and hook with the hook as its attach target, and the only thing that is attached.
 * It reads the gate once and hands over to the generation that the gate names; so every invocation is decided by one whole
 * generation, in flip, rollback and expiry alike.
 *
 * When it is not sure (the slot it was sent to is empty), it reads the gate once more and then denies and counts: an empty
 * slot is an error of the agent, and an error must not open a hole.
 */
#include "lsm_types.h"

#include <bpf/bpf_helpers.h>

#include "lsm_abi.h"

#include "earlier_verdict.h"

const volatile __u32 args;    /* number of the hook's arguments: its context goes on with an earlier program's verdict */
const volatile bool has_task; /* the hook runs in the context of the task it is about (not in softirq) */

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(map_flags, BPF_F_MMAPABLE);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct lsm_gate);
} gate SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(map_flags, BPF_F_MMAPABLE);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct lsm_agent);
} agent SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
        __uint(max_entries, LSM_ARRAY_SIZE);
        __type(key, __u32);
        __type(value, __u32);
} slots SEC(".maps");

/* The supervisor must be able to repair, and PID 1 to run, while a generation is on trial. */
static __always_inline bool exempt(void) {
        __u32 zero = 0, tgid = bpf_get_current_pid_tgid() >> 32;
        struct lsm_agent *a = bpf_map_lookup_elem(&agent, &zero);

        return tgid == 1 || (a && tgid == a->supervisor_tgid);
}

/* The slot that decides, while the gate is not simply at rest. */
static __always_inline __u32 slot_in_transition(struct lsm_gate *g, __u64 word) {
        if (word & LSM_GATE_PENDING) {
                __u32 now = bpf_ktime_get_ns() >> LSM_CLOCK_SHIFT;

                if ((__s32)(now - LSM_GATE_DEADLINE(word)) >= 0) {
#ifndef LSM_BAD_NO_DEADLINE
                        __u64 expired = LSM_GATE_EXPIRED(word);
                        __u64 seen = __sync_val_compare_and_swap(&g->word, word, expired);

                        if (seen == word) {
                                __sync_fetch_and_add(&g->expiries, 1);
                                word = expired;
                        } else {
                                word = seen; /* somebody else moved it on: that word decides, as it stands */
                        }
#endif
                }
        }
        if (has_task && LSM_GATE_PROBE(word) && bpf_get_current_cgroup_id() == g->probe_cgroup)
                return LSM_GATE_PROBE(word);
        if (has_task && word & LSM_GATE_PENDING && exempt())
                return LSM_GATE_FALLBACK(word);
        return LSM_GATE_ACTIVE(word);
}

static __always_inline __u32 slot_select(struct lsm_gate *g) {
        __u64 word = *(volatile __u64 *)&g->word;

        if (word & (LSM_GATE_PENDING | LSM_GATE_PROBE_MASK))
                return slot_in_transition(g, word);
        return LSM_GATE_ACTIVE(word);
}

SEC("lsm")
int dispatch(unsigned long long *ctx) {
        struct lsm_gate *g;
        __u32 zero = 0;
        int r;

        r = earlier_verdict(ctx, args);
        if (r)
                return r;
        g = bpf_map_lookup_elem(&gate, &zero);
        if (!g)
                return -EPERM; /* cannot be: the map has one element */
        bpf_tail_call(ctx, &slots, slot_select(g) * LSM_SLOT_SIZE);
        bpf_tail_call(ctx, &slots, slot_select(g) * LSM_SLOT_SIZE);
        __sync_fetch_and_add(&g->misses, 1);
        return -EPERM;
}

char LICENSE[] SEC("license") = "GPL";
