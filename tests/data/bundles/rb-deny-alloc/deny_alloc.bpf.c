// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * deny-alloc: nobody starts a process.
 */
#include <lsm_policy.h>

LSM_POLICY(task_alloc, struct task_struct *task, unsigned long clone_flags) {
        return DENY(EPERM, "denied to everybody");
}

char LICENSE[] SEC("license") = "GPL";
