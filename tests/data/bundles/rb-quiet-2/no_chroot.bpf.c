// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * no-chroot: nobody changes his root. A hook that nobody calls unless a test does; the error tells one release from the other.
 */
#include <lsm_policy.h>

LSM_POLICY(path_chroot, const struct path *path) {
        return DENY(EACCES, "changes its root");
}

char LICENSE[] SEC("license") = "GPL";
