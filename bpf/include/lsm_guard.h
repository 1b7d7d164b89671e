/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * For policies that must tell the agent from everybody else. After lsm_policy.h.
 *
 *      lsm_current_is_agent()       the task at hand is the agent, or a child of it that does its work
 *      lsm_task_is_agent(task)      so is another, given by the hook
 *
 * A task is the agent's when it is marked. A mark holds until the task executes something, for the mark names the number of
 * programs that the task has executed. agent_guard.bpf.c says who is marked; where that policy is not in force, nobody but the
 * supervisor itself is.
 */
#pragma once

#include "lsm_guard_abi.h"

struct {
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, int);
        __type(value, __u64);
} lsm_guard_tasks SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __uint(max_entries, LSM_GUARD_OBJECTS_MAX);
        __type(key, struct lsm_guard_object);
        __type(value, __u8);
} lsm_guard_objects SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(map_flags, BPF_F_MMAPABLE);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct lsm_guard_node);
} lsm_guard_node SEC(".maps");

struct task_struct___guard {
        __u64 self_exec_id; /* raised when the old program is gone for good */
} __attribute__((preserve_access_index));

static __always_inline __u64 lsm_exec_id(const struct task_struct *task) {
        return ((const struct task_struct___guard *)task)->self_exec_id;
}

static __always_inline bool lsm_task_is_agent(struct task_struct *task) {
        __u64 *mark = bpf_task_storage_get(&lsm_guard_tasks, task, NULL, 0);

        return mark && *mark && (*mark == LSM_GUARD_ANY || *mark == lsm_exec_id(task));
}

static __always_inline bool lsm_current_is_agent(void) {
        return lsm_task_is_agent((struct task_struct *)bpf_get_current_task_btf());
}

static __always_inline const struct lsm_guard_node *lsm_guard_node_get(void) {
        __u32 zero = 0;

        return bpf_map_lookup_elem(&lsm_guard_node, &zero);
}
