// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * deny-open: nobody opens a file.
 */
#include <lsm_policy.h>

LSM_POLICY(file_open, struct file *file) {
        return DENY(EPERM, "denied to everybody");
}

char LICENSE[] SEC("license") = "GPL";
