/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate of one bundle: the word that says which generation decides (bpf/include/lsm_abi.h), mapped, and changed only by
 * compare-and-swap. The kernel's dispatchers change it too (expiry), so every transition here can lose, and says so.
 *
 * None of these functions allocates or makes a system call but the reading of the clock (vDSO): they work when every hook of
 * the node denies.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <linux/types.h>

#include "lsm_abi.h"

struct gate {
        struct lsm_gate *map;
};

static inline uint64_t gate_word(const struct gate *g) {
        return __atomic_load_n(&g->map->word, __ATOMIC_ACQUIRE);
}
static inline bool gate_pending(uint64_t word) {
        return word & LSM_GATE_PENDING;
}
/* The kernel's clock of deadlines, from CLOCK_MONOTONIC ns. */
static inline uint32_t gate_clock(int64_t ns) {
        return (uint32_t)((uint64_t)ns >> LSM_CLOCK_SHIFT);
}
bool gate_past_deadline(uint64_t word, int64_t now_ns);

/* At rest on `active`: to (new, fallback = active, PENDING, deadline). Returns the new word, or 0 when the gate was not at rest
 * on `active` (nothing has changed then). */
uint64_t gate_flip(struct gate *g, uint32_t active, uint32_t slot, int64_t deadline_ns);
/* From exactly `pending` (what gate_flip returned) to (active). Reads the clock first: past the deadline it performs the expiry
 * instead. true: confirmed; false: the gate has fallen back, or moved otherwise. */
bool gate_confirm(struct gate *g, uint64_t pending);
/* To (slot), whatever the gate says: rollback, during PENDING and after. */
void gate_set(struct gate *g, uint32_t slot);
/* Performs the expiry when the deadline has passed and no hook has been called since. true: it was this call. */
bool gate_expire(struct gate *g);
/* Names a slot for the probe's cgroup; only at rest. 0 ends the probe. false: the gate was PENDING. */
bool gate_probe(struct gate *g, uint32_t slot, uint64_t cgroup_id);
