// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * deny-mmap: nobody maps a file, or memory.
 */
#include <lsm_policy.h>

LSM_POLICY(mmap_file, struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags) {
        return DENY(EPERM, "denied to everybody");
}

char LICENSE[] SEC("license") = "GPL";
