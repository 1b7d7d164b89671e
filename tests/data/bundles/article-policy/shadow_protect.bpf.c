// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include <lsm_policy.h>

SEED_SET(protected_names, char[32], 64);

LSM_POLICY(file_open, struct file *file) {
        if (comm_is("unprivileged") && file_name_in(file, &protected_names))
                return DENY_PATH(EACCES, "reads the password file", &file->f_path);
        return ALLOW;
}

char LICENSE[] SEC("license") = "GPL";
