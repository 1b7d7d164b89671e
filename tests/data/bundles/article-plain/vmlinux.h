/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What this policy needs of `bpftool btf dump file /sys/kernel/btf/vmlinux format c`, which is 130,000 lines long and different
 * on every kernel. By the attribute, the loader finds each field where the running kernel has it.
 */
#pragma once

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;

enum { BPF_MAP_TYPE_HASH = 1 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
        const unsigned char *name;
};

struct dentry {
        struct qstr d_name;
};

struct path {
        struct dentry *dentry;
};

struct file {
        struct path f_path;
};

#pragma clang attribute pop
