// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include <lsm_policy.h>

SEED_SET(names, char[32], 4);

LSM_POLICY(file_open, struct file *file) {
        if (file_name_in(file, &names))
                return DENY(EACCES, "in its scope");
        return ALLOW;
}

char LICENSE[] SEC("license") = "GPL";
