// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * no-exec-writable: nothing is executed from a directory that everybody may write to, or from anywhere below one.
 *
 * bprm_check_security, for the file itself and again for a script's interpreter. The directories above the file are walked up
 * to the root of its file system: /tmp, /var/tmp, /dev/shm and any directory like them, without naming one. A file deeper than
 * the walk can reach is denied and counted: depth must not be a way around.
 *
 * It does not see what an interpreter is given to read (`sh /tmp/x.sh`), and a memfd has no directory.
 */
#include <lsm_policy.h>

#define DEPTH_MAX 64

LSM_POLICY(bprm_check_security, struct linux_binprm *bprm) {
        struct dentry *dentry = bprm->file->f_path.dentry;

        for (int i = 0; i < DEPTH_MAX; i++) {
                struct dentry *parent = dentry->d_parent;

                if (parent == dentry)
                        return ALLOW;
                if (parent->d_inode->i_mode & S_IWOTH)
                        return DENY_PATH(EACCES, "runs a file from a world-writable directory", &bprm->file->f_path);
                dentry = parent;
        }
        lsm_count_error();
        return DENY_PATH(EACCES, "runs a file too deep to judge", &bprm->file->f_path);
}

char LICENSE[] SEC("license") = "GPL";
