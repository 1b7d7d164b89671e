// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * no-such-hook: asks for a hook that no kernel has, as a policy for a newer kernel looks to an older one.
 */
#include <lsm_policy.h>

LSM_POLICY(no_such_hook, struct file *file) {
        return ALLOW;
}

char LICENSE[] SEC("license") = "GPL";
