/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* What agent_guard.bpf.c asks the kernel: about tasks, about mounts, about places in file systems. It decides nothing. */
#pragma once

#define SYSFS_MAGIC 0x62656572
#define MNT_DETACH 2
#define MS_MOVE 0x2000
#define MNT_SHARED 0x1000 /* in mnt_flags; later kernels: T_SHARED in mnt_t_flags */
#define T_SHARED 1
#define FMODE_WRITE 2
#define NAME_LEN 64

struct bpf_map;
struct bpf_prog;
union bpf_attr;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common___guard {
        unsigned int inum;
};
struct mnt_namespace___guard {
        struct ns_common___guard ns;
};
struct nsproxy___guard {
        struct mnt_namespace___guard *mnt_ns;
};
struct fs_struct___guard {
        struct path root;
};
struct mm_struct___guard {
        struct file *exe_file;
};
struct kernfs_node___guard {
        const char *name;
};
struct cgroup_subsys_state___guard {
        struct cgroup_subsys_state___guard *parent;
};
struct cgroup___guard {
        struct cgroup_subsys_state___guard self;
        struct kernfs_node___guard *kn;
};
struct css_set___guard {
        struct cgroup___guard *dfl_cgrp;
};
struct task_struct___kernel {
        struct task_struct *real_parent;
        struct nsproxy___guard *nsproxy;
        struct fs_struct___guard *fs;
        struct mm_struct___guard *mm;
        struct css_set___guard *cgroups;
};
struct mount___guard {
        struct mount___guard *mnt_parent;
        struct dentry *mnt_mountpoint;
        struct vfsmount mnt;
        struct mnt_namespace___guard *mnt_ns;
        int mnt_t_flags;
};
struct linux_binprm___guard {
        unsigned int unsafe;
};
struct bpf_map___guard {
        __u32 id;
};
struct bpf_prog_aux___guard {
        __u32 id;
};
struct bpf_prog___guard {
        struct bpf_prog_aux___guard *aux;
};

#pragma clang attribute pop

#define TASK(task) ((struct task_struct___kernel *)(task))

/* ---- tasks ---------------------------------------------------------------------------------------------------------- */

static __always_inline struct task_struct *current_task(void) {
        return (struct task_struct *)bpf_get_current_task_btf();
}

static __always_inline struct inode *exe_of(struct task_struct *task) {
        return BPF_CORE_READ(TASK(task), mm, exe_file, f_inode);
}

/* PID 1, or a process that it has just made and that has executed nothing yet: service managers set up a unit's cgroup there. */
static __always_inline bool is_init(void) {
        struct task_struct *task = current_task(), *parent;

        if (task->tgid == 1)
                return true;
        parent = TASK(task)->real_parent;
        return parent->tgid == 1 && lsm_exec_id(parent) == lsm_exec_id(task) && exe_of(parent) == exe_of(task);
}

static __always_inline __u32 current_mnt_ns(void) {
        return BPF_CORE_READ(TASK(current_task()), nsproxy, mnt_ns, ns.inum);
}

static __always_inline bool name_equals(const char *name, const char want[NAME_LEN]) {
        char got[NAME_LEN] = {};

        if (bpf_probe_read_kernel_str(got, sizeof(got), name) < 0)
                return false;
        for (__u32 i = 0; i < NAME_LEN / 8; i++)
                if (((__u64 *)got)[i] != ((__u64 *)want)[i])
                        return false;
        return true;
}

static __always_inline struct cgroup___guard *cgroup_of(struct task_struct *task) {
        return BPF_CORE_READ(TASK(task), cgroups, dfl_cgrp);
}

static __always_inline const char *cgroup_name(struct cgroup___guard *cgroup) {
        return BPF_CORE_READ(cgroup, kn, name);
}

static __always_inline struct cgroup___guard *cgroup_above(struct cgroup___guard *cgroup) {
        __u64 css = (__u64)BPF_CORE_READ(cgroup, self.parent);

        return css ? (struct cgroup___guard *)(css - bpf_core_field_offset(struct cgroup___guard, self)) : NULL;
}

/* ---- mounts --------------------------------------------------------------------------------------------------------- */

static __always_inline struct mount___guard *mount_of(const struct vfsmount *mnt) {
        return (struct mount___guard *)((__u64)mnt - bpf_core_field_offset(struct mount___guard, mnt));
}

static __always_inline __u32 mount_ns(struct mount___guard *m) {
        return BPF_CORE_READ(m, mnt_ns, ns.inum);
}

/* What is done there is done in other namespaces, too. */
static __always_inline bool mount_shared(struct mount___guard *m) {
        if (bpf_core_field_exists(m->mnt_t_flags))
                return BPF_CORE_READ(m, mnt_t_flags) & T_SHARED;
        return BPF_CORE_READ(m, mnt.mnt_flags) & MNT_SHARED;
}

/* The root of its namespace, or mounted over that: where the others hang. */
static __always_inline bool mount_is_top(struct mount___guard *m) {
        struct mount___guard *parent = BPF_CORE_READ(m, mnt_parent);

        if (parent == m)
                return true;
        return BPF_CORE_READ(parent, mnt_parent) == parent &&
               BPF_CORE_READ(m, mnt_mountpoint) == BPF_CORE_READ(parent, mnt.mnt_root);
}

/* Its root is the namespace's, and so a path that it sees is a path of the node. */
static __always_inline bool root_is_top(struct task_struct *task) {
        struct vfsmount *mnt = BPF_CORE_READ(TASK(task), fs, root.mnt);

        return BPF_CORE_READ(TASK(task), fs, root.dentry) == BPF_CORE_READ(mnt, mnt_root) && mount_is_top(mount_of(mnt));
}
