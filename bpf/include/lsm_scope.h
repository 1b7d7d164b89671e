/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * In which scopes is the current task? Its cgroup's path goes through an automaton that `lsmbundle build` makes of the scopes'
 * patterns, when something is first asked of a cgroup: so a new container is in its scope before its first instruction, and nobody
 * has to see it come. A cgroup's path never changes; what was found is remembered at the cgroup, where the kernel has storage for
 * that (6.2), and goes with it; before, in a hash by the cgroup's id, which is given once.
 *
 * Included by lsm_policy.h where `lsmbundle build` defines LSM_SCOPE_CELLS, _STATES, _START, _NAMESPACED and _INVERTED.
 */
#pragma once

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct kernfs_node {
        const char *name;
        struct kernfs_node *parent;
        __u64 id;
};

struct kernfs_node___renamed { /* from 6.15 on */
        struct kernfs_node *__parent;
};

struct cgroup {
        struct kernfs_node *kn;
};

struct css_set {
        struct cgroup *dfl_cgrp;
};

struct pid {
        unsigned int level;
};

struct task_struct___scope {
        struct css_set *cgroups;
        struct pid *thread_pid;
};

#pragma clang attribute pop

/* As of 6.2; what the kernel calls it is asked of its own BTF. */
enum bpf_map_type___scope { BPF_MAP_TYPE_CGRP_STORAGE___scope = 32 };
static void *(*const lsm_cgrp_storage_get)(void *map, struct cgroup *cgroup, void *value, __u64 flags) = (void *)210;

/* Bit i: the scope number i holds. */
struct lsm_scope_found {
        __u64 mask;
        __u64 done;
};

/* Seeds. State s of the automaton is cell s, as in lsm_rules_abi.h; its own cell has the index of its mask. */
SEED_ARRAY(lsm_scope_cells, struct lsm_scope_cell, LSM_SCOPE_CELLS);
SEED_ARRAY(lsm_scope_masks, __u64, LSM_SCOPE_STATES);

/* One of the two is there. */
struct {
        __uint(type, LSM_CGRP_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, int);
        __type(value, struct lsm_scope_found);
} lsm_scope_storage SEC(".maps");
struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, LSM_SCOPE_HASH_MAX);
        __type(key, __u64);
        __type(value, struct lsm_scope_found);
} lsm_scope_hash SEC(".maps");

/* Filled by the agent: cgroups of probes, by id, and the scopes that are to hold there besides. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, LSM_SCOPE_PROBES_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, __u64);
        __type(value, __u64);
} lsm_scope_probes SEC(".maps");

/* Compiled in, and so signed. */
const volatile struct lsm_scope_config lsm_scope_config = {
        .namespaced = LSM_SCOPE_NAMESPACED,
        .inverted = LSM_SCOPE_INVERTED,
        .start = LSM_SCOPE_START,
};

#define SCOPE_DEEP 32  /* cgroups above each other */
#define SCOPE_PIECE 64 /* bytes of a name at a time */
#define SCOPE_PIECES 5 /* of a name of at most 255 bytes */
#define SCOPE_UNSURE (~0U)

static __always_inline __u32 scope_byte(__u32 state, __u8 byte) {
        __u32 i = state + byte;
        const struct lsm_scope_cell *cell = bpf_map_lookup_elem(&lsm_scope_cells, &i);

        if (cell && cell->check == state)
                return cell->next;
        cell = bpf_map_lookup_elem(&lsm_scope_cells, &state);
        return cell ? cell->next : 0;
}

#define SCOPE_OVER(state) (!(state) || (state)&LSM_SCOPE_SINK)

struct scope_name {
        __u64 at;
        __u32 state;
        bool whole;
};

static long scope_piece(__u32 i, void *ctx) {
        struct scope_name *name = ctx;
        __u32 state = name->state;
        char piece[SCOPE_PIECE];
        long n = bpf_probe_read_kernel_str(piece, sizeof(piece), (const void *)name->at);

        if (n <= 0)
                return 1;
        for (__u32 k = 0; k < SCOPE_PIECE - 1; k++) {
                if (k >= n - 1 || SCOPE_OVER(state))
                        break;
                state = scope_byte(state, piece[k]);
        }
        name->state = state;
        name->at += SCOPE_PIECE - 1;
        name->whole = n < SCOPE_PIECE;
        return name->whole || SCOPE_OVER(state);
}

/* '/' and a name. */
__noinline __u32 lsm_scope_component(__u32 state, __u64 at) {
        struct scope_name name = {.at = at};

        if (SCOPE_OVER(state))
                return state;
        name.state = scope_byte(state, '/');
        if (SCOPE_OVER(name.state))
                return name.state;
        bpf_loop(SCOPE_PIECES, scope_piece, &name, 0);
        return name.whole || SCOPE_OVER(name.state) ? name.state : SCOPE_UNSURE;
}

/* The tree is read by numbers, as a pointer would not get into a function that is verified once. */
static __always_inline __u64 scope_parent(__u64 node) {
        const struct kernfs_node *k = (const void *)node;
        const struct kernfs_node___renamed *renamed = (const void *)node;

        return bpf_core_field_exists(k->parent) ? (__u64)BPF_CORE_READ(k, parent) : (__u64)BPF_CORE_READ(renamed, __parent);
}

static __always_inline __u64 scope_node_name(__u64 node) {
        const struct kernfs_node *k = (const void *)node;

        return (__u64)BPF_CORE_READ(k, name);
}

struct scope_up {
        __u64 node;
        __u32 left;
};

static long scope_step(__u32 i, void *ctx) {
        struct scope_up *up = ctx;

        if (!up->left)
                return 1;
        up->left--;
        up->node = scope_parent(up->node);
        return 0;
}

static long scope_depth(__u32 i, void *ctx) {
        struct scope_up *up = ctx;
        __u64 parent = scope_parent(up->node);

        if (!parent)
                return 1;
        up->node = parent;
        up->left++;
        return 0;
}

struct scope_walk {
        __u64 leaf, mask;
        __u32 depth, state;
};

/* The scopes whose pattern a path that ends in `state` matches. */
static __always_inline __u64 scope_mask(__u32 state) {
        __u32 i = state & ~LSM_SCOPE_SINK;
        const struct lsm_scope_cell *cell = i ? bpf_map_lookup_elem(&lsm_scope_cells, &i) : NULL;
        const __u64 *mask;

        i = cell ? cell->check & ~LSM_SCOPE_OWN : 0;
        mask = bpf_map_lookup_elem(&lsm_scope_masks, &i);
        return mask ? *mask : 0;
}

/* The i-th name from the top. A scope holds for a cgroup and all below: so what holds at any level holds. Going up once more for each costs less than a place to keep them all: there are few. */
static long scope_level(__u32 i, void *ctx) {
        struct scope_walk *w = ctx;
        struct scope_up up = {.node = w->leaf};

        if (i >= w->depth || SCOPE_OVER(w->state))
                return 1;
        up.left = w->depth - 1 - i;
        bpf_loop(SCOPE_DEEP, scope_step, &up, 0);
        w->state = lsm_scope_component(w->state, scope_node_name(up.node));
        if (w->state == SCOPE_UNSURE)
                return 1;
        w->mask |= scope_mask(w->state);
        return 0;
}

/* The scopes of a cgroup, by its node. All of them, where its path cannot be followed: who is unsure is in force. */
__noinline __u64 lsm_scope_walk(__u64 leaf) {
        struct scope_walk w = {.leaf = leaf, .state = lsm_scope_config.start};
        struct scope_up top = {.node = w.leaf};

        bpf_loop(SCOPE_DEEP + 1, scope_depth, &top, 0);
        w.depth = top.left;
        if (w.depth > SCOPE_DEEP)
                goto unsure;
        bpf_loop(SCOPE_DEEP, scope_level, &w, 0);
        if (w.state == SCOPE_UNSURE)
                goto unsure;
        return w.mask;
unsure:
        lsm_count_error();
        return ~lsm_scope_config.inverted;
}

static __noinline __u64 scope_find(struct lsm_scope_found *known, __u64 id, __u64 leaf) {
        const __u64 *probe = bpf_map_lookup_elem(&lsm_scope_probes, &id);
        struct lsm_scope_found found = {.done = 1};

        found.mask = lsm_scope_walk(leaf);
        if (probe)
                found.mask = ((found.mask ^ lsm_scope_config.inverted) | *probe) ^ lsm_scope_config.inverted;
        if (known) {
                known->mask = found.mask;
                barrier_var(found.mask);
                *(volatile __u64 *)&known->done = 1;
        } else if (!bpf_core_enum_value_exists(enum bpf_map_type___scope, BPF_MAP_TYPE_CGRP_STORAGE___scope))
                bpf_map_update_elem(&lsm_scope_hash, &id, &found, BPF_ANY);
        return found.mask;
}

/* Bit i: scope number i holds for the current task. Its cgroup is asked for once: a task may be moved in the middle of this, and what is
 * found for one cgroup must not be remembered at the other. */
static __always_inline __u64 lsm_scopes(void) {
        const struct task_struct___scope *task = (void *)bpf_get_current_task_btf();
        struct cgroup *cgroup = task->cgroups->dfl_cgrp;
        struct lsm_scope_found *known;
        __u64 id = BPF_CORE_READ(cgroup, kn, id), mask;

        if (bpf_core_enum_value_exists(enum bpf_map_type___scope, BPF_MAP_TYPE_CGRP_STORAGE___scope))
                known = lsm_cgrp_storage_get(&lsm_scope_storage, cgroup, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
        else
                known = bpf_map_lookup_elem(&lsm_scope_hash, &id);
        if (known && *(volatile __u64 *)&known->done)
                mask = known->mask;
        else
                mask = scope_find(known, id, (__u64)BPF_CORE_READ(cgroup, kn));
        if (lsm_scope_config.namespaced && task->thread_pid->level > 0)
                mask |= lsm_scope_config.namespaced;
        return mask ^ lsm_scope_config.inverted;
}
