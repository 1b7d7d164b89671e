/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The engine's tables, parameters, and what it remembers. */
#pragma once

/* Seeds. */
SEED_ARRAY(lsm_rules_cells, struct lsm_rules_cell, RULES_CELLS);
SEED_ARRAY(lsm_rules_states, struct lsm_rules_state, RULES_STATES);
SEED_ARRAY(lsm_rules_classes, struct lsm_rules_class, RULES_CLASSES);
SEED_ARRAY(lsm_rules_refs, __u32, RULES_REFS);
SEED_ARRAY(lsm_rules_rules, struct lsm_rules_rule, RULES_RULES);
SEED_ARRAY(lsm_rules_sets, struct lsm_rules_set, RULES_SETS);
SEED_SET(lsm_rules_members, struct lsm_rules_member, RULES_MEMBERS);
#if RULES_FS
SEED_MAP(lsm_rules_fs, struct lsm_rules_fs, __u32, RULES_FS);
#endif

/* Filled by the agent. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, LSM_ROOTS_MAX + LSM_ROOTS_SPECIAL);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u32);
        __type(value, struct lsm_rules_root);
} lsm_rules_roots SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, RULES_RULES);
        __type(key, __u32);
        __type(value, struct lsm_rules_count);
} lsm_rules_counts SEC(".maps");

/* Addresses that only the supervisor can know; 0: unknown, then nothing is remembered. */
const volatile struct lsm_rules_kernel lsm_rules_kernel = {};

/* For the agent, which fills lsm_rules_roots: the automaton's state at "". */
const volatile __u32 lsm_rules_start = RULES_START;

/* What lies at an index; NULL when there is nothing. The tables are signed, but a wrong index must not be more than that. */
#define TABLE_AT(map, i)                          \
        ({                                        \
                __u32 _i = (i);                   \
                bpf_map_lookup_elem(&(map), &_i); \
        })
