// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * deny-others: nobody opens a file but the agent and its children, by their name: a policy that the agent itself is well under.
 */
#include <lsm_policy.h>

LSM_POLICY(file_open, struct file *file) {
        return comm_is("lsmpull") ? ALLOW : DENY(EPERM, "denied to everybody else");
}

char LICENSE[] SEC("license") = "GPL";
