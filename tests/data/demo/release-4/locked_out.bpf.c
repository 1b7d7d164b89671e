// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * locked-out: nobody opens a file. The mistake that every author of a policy fears to make.
 *
 * file_open, for every file and every task. It is never unsure, which is the trouble with it.
 */
#include <lsm_policy.h>

LSM_POLICY(file_open, struct file *file) {
        return DENY(EACCES, "opens a file");
}

char LICENSE[] SEC("license") = "GPL";
