/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Kernel types for policies: only the fields that policies here use, relocated by CO-RE, so that a build does not depend on
 * the build machine's kernel. A policy that needs more includes its own vmlinux.h before lsm_policy.h.
 */
#pragma once

#ifndef __VMLINUX_H__

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0
#ifndef NULL
#define NULL ((void *)0)
#endif

/* UAPI numbers (linux/bpf.h), which cannot change. */
enum {
        BPF_MAP_TYPE_HASH = 1,
        BPF_MAP_TYPE_ARRAY = 2,
        BPF_MAP_TYPE_PROG_ARRAY = 3,
        BPF_MAP_TYPE_PERCPU_HASH = 5,
        BPF_MAP_TYPE_PERCPU_ARRAY = 6,
        BPF_MAP_TYPE_LRU_HASH = 9,
        BPF_MAP_TYPE_LPM_TRIE = 11,
        BPF_MAP_TYPE_RINGBUF = 27,
        BPF_MAP_TYPE_INODE_STORAGE = 28,
        BPF_MAP_TYPE_TASK_STORAGE = 29,
        BPF_MAP_TYPE_CGRP_STORAGE = 32,
};
enum {
        BPF_F_NO_PREALLOC = 1 << 0,
        BPF_F_RDONLY_PROG = 1 << 7,
        BPF_F_MMAPABLE = 1 << 10,
};
enum {
        BPF_LOCAL_STORAGE_GET_F_CREATE = 1 << 0,
};
enum {
        BPF_ANY = 0,
        BPF_NOEXIST = 1,
        BPF_EXIST = 2,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct qstr {
        __u32 hash;
        __u32 len;
        const unsigned char *name;
};

struct dentry;

struct file_system_type {
        const char *name;
};

struct super_block {
        struct dentry *s_root;
        struct file_system_type *s_type;
        __u32 s_dev;
        unsigned long s_flags;
        unsigned long s_magic;
};

typedef struct {
        __u32 val;
} kuid_t;

struct inode {
        __u16 i_mode;
        kuid_t i_uid;
        __u32 i_rdev;
        unsigned int i_nlink;
        unsigned long i_ino;
        __u32 i_generation;
        struct super_block *i_sb;
};

struct dentry {
        struct dentry *d_parent;
        struct qstr d_name;
        struct inode *d_inode;
        struct super_block *d_sb;
};

struct vfsmount {
        struct dentry *mnt_root;
        int mnt_flags;
};

struct path {
        struct vfsmount *mnt;
        struct dentry *dentry;
};

struct file {
        unsigned int f_mode;
        unsigned int f_flags;
        struct path f_path;
        struct inode *f_inode;
};

struct vm_area_struct {
        struct file *vm_file;
};

struct linux_binprm {
        struct file *file;
        const char *filename;
        const char *interp;
};

struct task_struct {
        int pid;
        int tgid;
        char comm[16];
};

struct sockaddr {
        __u16 sa_family;
};

struct socket {
        __s16 type;
};

#pragma clang attribute pop

#else

/* Every vmlinux.h has an enum of this name, which no policy needs. */
#define lsm_event lsm_event_record

#endif /* __VMLINUX_H__ */

/* What neither carries: macros of the kernel's UAPI that policies compare with. */
#ifndef EPERM
#define EPERM 1
#endif
#ifndef EACCES
#define EACCES 13
#endif
#ifndef SIGKILL
#define SIGKILL 9
#endif
#ifndef S_IFMT
#define S_IFMT 0170000
#define S_IFDIR 0040000
#define S_IFREG 0100000
#define S_IWOTH 0000002
#endif
#ifndef AF_INET
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_NETLINK 16
#define AF_PACKET 17
#endif
#define LSM_SOCK_TYPE_MASK 0xf
#define LSM_SOCK_RAW 3
