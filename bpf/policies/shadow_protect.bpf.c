// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * shadow-protect: a process named "unprivileged" may not open the password files.
 *
 * file_open, for every open of every file: the task's name first, because it is the cheaper question and nearly always the
 * answer; then the file's last path component against the seeded set. A name that cannot be read is counted and allowed:
 * this policy is about one kind of process, not about unreadable names.
 */
#include <lsm_policy.h>

SEED_SET(protected_names, char[32], 64);

LSM_POLICY(file_open, struct file *file) {
        if (comm_is("unprivileged") && file_name_in(file, &protected_names))
                return DENY_PATH(EACCES, "reads the password file", &file->f_path);
        return ALLOW;
}

char LICENSE[] SEC("license") = "GPL";
