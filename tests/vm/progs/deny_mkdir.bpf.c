// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Nobody makes a directory (inode_mkdir, always denied): the plainest program whose effect a test can see.
 */
#include <lsm_types.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("lsm/inode_mkdir")
int BPF_PROG(deny_mkdir, struct inode *dir, struct dentry *dentry, int mode, int ret) {
        return ret ? ret : -1;
}

char LICENSE[] SEC("license") = "GPL";
