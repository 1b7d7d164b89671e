// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * wild-read: compiles, and no verifier takes it: an address made from a number that the caller chose.
 */
#include <lsm_policy.h>

LSM_POLICY(file_open, struct file *file) {
        const int *p = (const int *)(unsigned long)file->f_flags;

        return *(const volatile int *)p ? EPERM : ALLOW;
}

char LICENSE[] SEC("license") = "GPL";
