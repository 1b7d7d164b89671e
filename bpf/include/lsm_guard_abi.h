/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a policy that guards the agent is told by it: maps that belong to the agent, by name. They outlive generations and the agent
 * itself (BPFFS/lsmpull/agent/guard-*), so that what is known of a task stays known in every swap.
 *
 *      lsm_guard_tasks     task storage; __u64: the task's self_exec_id for which the mark holds, or LSM_GUARD_ANY; 0: none
 *      lsm_guard_objects   hash of struct lsm_guard_object; __u8: what the agent has in the kernel
 *      lsm_guard_node      one struct lsm_guard_node
 *
 * Included from BPF C and from user space: __u32 and friends must be known before.
 */
#pragma once

#define LSM_GUARD_TASKS "lsm_guard_tasks"
#define LSM_GUARD_OBJECTS "lsm_guard_objects"
#define LSM_GUARD_NODE "lsm_guard_node"

/* The mark of a task that told its own: until it executes something, which it does not. */
#define LSM_GUARD_ANY (~0ULL)

#define LSM_GUARD_OBJECTS_MAX 16384

enum lsm_guard_kind { LSM_GUARD_MAP = 1, LSM_GUARD_PROG, LSM_GUARD_LINK };

struct lsm_guard_object {
        __u32 kind; /* enum lsm_guard_kind */
        __u32 id;
};
_Static_assert(sizeof(struct lsm_guard_object) == 8, "layout");

#define LSM_GUARD_CGROUPS 8

/* Zeros where nothing is known, or nothing is there: then nothing of that kind is guarded. Devices as the kernel has them in s_dev. */
struct lsm_guard_node {
        __u64 renewed_ns;                 /* CLOCK_BOOTTIME: the agent has said that it lives */
        __u64 cgroups[LSM_GUARD_CGROUPS]; /* ids: the agent's own, then those above it, without the root */
        __u64 bpffs_inode;                /* of BPFFS/lsmpull */
        __u32 bpffs_dev, proc_dev, cgroup_dev;
        __u32 mnt_ns;             /* inode number of the agent's mount namespace */
        __u32 supervisor;         /* tgid */
        char supervisor_name[12]; /* the same in decimal, as in /proc */
};
_Static_assert(sizeof(struct lsm_guard_node) == 112, "layout");
