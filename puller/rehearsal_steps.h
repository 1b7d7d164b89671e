/* SPDX-License-Identifier: Apache-2.0 */
/* Within the rehearsal: what is done, in order. */
#pragma once

#include <limits.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>

#define REHEARSAL_COMM 16

/* The packet to the child: who to be, and where. Empty paths: as NULL in rehearsal_spec. */
struct rehearsal_order {
        char comm[REHEARSAL_COMM];
        struct __user_cap_data_struct caps[2];
        char state_dir[PATH_MAX], run_dir[PATH_MAX], bpffs_dir[PATH_MAX], cgroup_dir[PATH_MAX], config_file[PATH_MAX];
        char notify_socket[PATH_MAX];
};

/* A packet from the child: the step at this position has ended so. */
struct rehearsal_progress {
        uint32_t step;
        int32_t error; /* positive errno, 0 */
};

struct rehearsal_step {
        const char *name; /* completes "the agent could not ..." */
        int (*perform)(const struct rehearsal_order *order);
        size_t needs; /* offset of the path without which it is left out; 0: none */
};
extern const struct rehearsal_step rehearsal_steps[];
extern const size_t rehearsal_steps_n;

/* 0, or a negative errno. */
int rehearsal_step_perform(size_t i, const struct rehearsal_order *order);

/* Removes what an earlier rehearsal, or this one, has left. */
void rehearsal_clear(const struct rehearsal_order *order);
