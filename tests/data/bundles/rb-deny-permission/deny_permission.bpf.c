// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * deny-permission: nobody reads or writes an open file.
 */
#include <lsm_policy.h>

LSM_POLICY(file_permission, struct file *file, int mask) {
        return DENY(EPERM, "denied to everybody");
}

char LICENSE[] SEC("license") = "GPL";
