/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which operation a hook is: mounts, signals, and what changes the node or the task itself. */
#pragma once

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct cred___rules {
        kuid_t uid, gid, suid, sgid, euid, egid, fsuid, fsgid;
};

#pragma clang attribute pop

/* ---- mounts ----------------------------------------------------------------------------------------------------------- */

#define RULES_MS_REMOUNT 32
#define RULES_MS_BIND 4096
#define RULES_MS_MOVE 8192
#define RULES_MS_PROPAGATION (1 << 17 | 1 << 18 | 1 << 19 | 1 << 20)
#define RULES_MNT_DETACH 2

/* Of a place; below: what is meant may be anything further down, too. What it needs of the stack is the caller's. */
#define RULES_PLACE_ON(classes, told, hook, op, mnt_, dentry_, below) \
        ({                                                            \
                path_classes_find(mnt_, dentry_, below, &(classes));  \
                lsm->dentry = dentry_;                                \
                fs_note(&(told), &(classes), (dentry_)->d_sb, below); \
                path_judge(&(told), &(classes), op, NULL);            \
                rules_tell(lsm, &(told), HOOK(hook));                 \
        })

#define RULES_PLACE(hook, op, mnt_, dentry_, below)                              \
        ({                                                                       \
                struct path_classes _classes = {};                               \
                struct rules_told _told = {};                                    \
                                                                                 \
                RULES_PLACE_ON(_classes, _told, hook, op, mnt_, dentry_, below); \
        })

#ifdef RULES_ON_sb_mount
/* What is moved is told as the caller's text, which proves nothing: any path that a rule is about may be meant. */
static __always_inline void unknown_judge(struct rules_told *told, __u32 op) {
        __u32 class = class_of(RULES_START, true);
        __u64 ops = class_ops(class);

        if (!(ops & LSM_OP_BIT(op)))
                return;
        lsm_count_error();
        rules_judge(told, PAIR(class, class), PAIR(op, 0), who_find(ops), NOBODY);
}

/* What comes to a place, in the order in which the kernel looks at the flags. Bind mounts and moves bring what is mounted already, from
 * a place that is told as the caller's text: that is of no type that a rule could name. */
static __always_inline void fs_note_mount(struct rules_told *told, const struct path_classes *classes,
                                          const struct super_block *there, const char *type, unsigned long flags) {
#if RULES_FS
        if (flags & RULES_MS_REMOUNT || (!(flags & RULES_MS_BIND) && flags & RULES_MS_PROPAGATION))
                fs_note(told, classes, there, false);
        else if (classes->ops & LSM_CLASS_FS && !(flags & (RULES_MS_BIND | RULES_MS_MOVE)))
                told->fs = rules_fs(address_of(type), true);
#endif
}

LSM_POLICY(sb_mount, const char *source, const struct path *path, const char *type, unsigned long flags) {
        struct path_classes classes = {};
        struct rules_told told = {};

        path_classes_find(path->mnt, path->dentry, false, &classes);
        lsm->dentry = path->dentry;
        fs_note_mount(&told, &classes, path->dentry->d_sb, type, flags);
        path_judge(&told, &classes, LSM_OP_MOUNT, NULL);
        if (flags & RULES_MS_MOVE) {
                told.fs = LSM_FS_UNKNOWN;
                path_judge(&told, &classes, LSM_OP_MOVE_MOUNT, NULL);
                unknown_judge(&told, LSM_OP_MOVE_MOUNT);
        }
        return rules_tell(lsm, &told, HOOK(sb_mount));
}
#endif

/* Two places are told one after the other, so that each report has its own. */
#ifdef RULES_ON_move_mount
/* Is it mounted somewhere? A new one is nowhere yet, neither is a copy (open_tree). */
static __noinline bool is_mounted(const struct vfsmount *mnt) {
        __u64 mount = address_of(mnt) - bpf_core_field_offset(struct mount, mnt);

        return (__u64)BPF_CORE_READ(PTR(mount, mount), mnt_parent) != mount;
}

/* So a mount comes to its place, a new one and one that was elsewhere. */
LSM_POLICY(move_mount, const struct path *from, const struct path *to) {
        struct path_classes classes = {};
        struct rules_told told = {};
        __u32 error;

        path_classes_find(to->mnt, to->dentry, false, &classes);
        lsm->dentry = to->dentry;
        fs_note(&told, &classes, from->dentry->d_sb, false);
        path_judge(&told, &classes, LSM_OP_MOUNT, NULL);
        path_judge(&told, &classes, LSM_OP_MOVE_MOUNT, NULL);
        error = rules_tell(lsm, &told, HOOK(move_mount));
        if (error || !is_mounted(from->mnt))
                return error;
        told = (struct rules_told){};
        return RULES_PLACE_ON(classes, told, move_mount, LSM_OP_MOVE_MOUNT, from->mnt, from->dentry, true);
}
#endif

#ifdef RULES_ON_sb_umount
/* Detached, it takes along what is mounted below it. */
LSM_POLICY(sb_umount, struct vfsmount *mnt, int flags) {
        return RULES_PLACE(sb_umount, LSM_OP_UMOUNT, mnt, mnt->mnt_root, flags & RULES_MNT_DETACH);
}
#endif

#ifdef RULES_ON_sb_pivotroot
LSM_POLICY(sb_pivotroot, const struct path *old, const struct path *new) {
        __u32 error = RULES_PLACE(sb_pivotroot, LSM_OP_PIVOT_ROOT, new->mnt, new->dentry, false);

        return error ?: RULES_PLACE(sb_pivotroot, LSM_OP_PIVOT_ROOT, old->mnt, old->dentry, false);
}
#endif

/* ---- other tasks -------------------------------------------------------------------------------------------------------- */

#ifdef RULES_ON_task_kill
/* The kernel does not ask for signals of its own. */
LSM_POLICY(task_kill, const void *task, const void *info, int sig) {
        return value_decide(lsm, LSM_OP_SIGNAL, sig, HOOK(task_kill));
}
#endif

/* ---- the kernel ----------------------------------------------------------------------------------------------------------- */

#ifdef RULES_ON_bpf
LSM_POLICY(bpf, int cmd, const void *attr, unsigned int size) {
        return value_decide(lsm, LSM_OP_BPF, cmd, HOOK(bpf));
}
#endif

#if defined(RULES_ON_kernel_read_file) || defined(RULES_ON_kernel_load_data)
/* Numbered by each kernel as it likes; some know one kind more. */
enum kernel_read_file_id {
        READING_MODULE = 2,
        READING_KEXEC_IMAGE,
        READING_KEXEC_INITRAMFS,
        READING_MODULE_COMPRESSED,
};

#define RULES_READS(id, kind)                                          \
        (bpf_core_enum_value_exists(enum kernel_read_file_id, kind) && \
         (id) == bpf_core_enum_value(enum kernel_read_file_id, kind))

/* LSM_OPS_N: neither operation. */
static __always_inline __u32 kernel_reads(int id) {
        if (RULES_READS(id, READING_MODULE) || RULES_READS(id, READING_MODULE_COMPRESSED))
                return LSM_OP_MODULE_LOAD;
        return RULES_READS(id, READING_KEXEC_IMAGE) || RULES_READS(id, READING_KEXEC_INITRAMFS) ? LSM_OP_KEXEC : LSM_OPS_N;
}
#endif

#ifdef RULES_ON_kernel_read_file
LSM_POLICY(kernel_read_file, struct file *file, int id) {
        __u32 op = kernel_reads(id);

        return op == LSM_OPS_N ? ALLOW : value_decide(lsm, op, 0, HOOK(kernel_read_file));
}
#endif

#ifdef RULES_ON_kernel_load_data
enum kernel_load_data_id {
        LOADING_MODULE = 2,
        LOADING_KEXEC_IMAGE,
};

LSM_POLICY(kernel_load_data, int id) {
        if (id == bpf_core_enum_value(enum kernel_load_data_id, LOADING_MODULE))
                return value_decide(lsm, LSM_OP_MODULE_LOAD, 0, HOOK(kernel_load_data));
        if (id == bpf_core_enum_value(enum kernel_load_data_id, LOADING_KEXEC_IMAGE))
                return value_decide(lsm, LSM_OP_KEXEC, 0, HOOK(kernel_load_data));
        return ALLOW;
}
#endif

#ifdef RULES_ON_userns_create
LSM_POLICY(userns_create, const void *cred) {
        return value_decide(lsm, LSM_OP_USERNS_CREATE, 0, HOOK(userns_create));
}
#endif

/* ---- the task itself -------------------------------------------------------------------------------------------------------- */

#if defined(RULES_ON_task_fix_setuid) || defined(RULES_ON_task_fix_setgid)
/* asked: what was asked for last, for nearly always all become the same. */
static __always_inline void id_judge(struct rules_told *told, __u32 op, __u32 from, __u32 to, __u32 *asked) {
        __u64 ops = class_ops(0);

        if (from == to || to == *asked || !(ops & LSM_OP_BIT(op)))
                return;
        *asked = to;
        rules_judge(told, 0, PAIR(op, to), who_find(ops), NOBODY);
}
#endif

/* Each of the four ids that becomes another one is asked for. */
#ifdef RULES_ON_task_fix_setuid
LSM_POLICY(task_fix_setuid, const struct cred___rules *new, const struct cred___rules *old) {
        struct rules_told told = {};
        __u32 asked = NOBODY;

        id_judge(&told, LSM_OP_SETUID, old->uid.val, new->uid.val, &asked);
        id_judge(&told, LSM_OP_SETUID, old->euid.val, new->euid.val, &asked);
        id_judge(&told, LSM_OP_SETUID, old->suid.val, new->suid.val, &asked);
        id_judge(&told, LSM_OP_SETUID, old->fsuid.val, new->fsuid.val, &asked);
        return rules_tell(lsm, &told, HOOK(task_fix_setuid));
}
#endif

#ifdef RULES_ON_task_fix_setgid
LSM_POLICY(task_fix_setgid, const struct cred___rules *new, const struct cred___rules *old) {
        struct rules_told told = {};
        __u32 asked = NOBODY;

        id_judge(&told, LSM_OP_SETGID, old->gid.val, new->gid.val, &asked);
        id_judge(&told, LSM_OP_SETGID, old->egid.val, new->egid.val, &asked);
        id_judge(&told, LSM_OP_SETGID, old->sgid.val, new->sgid.val, &asked);
        id_judge(&told, LSM_OP_SETGID, old->fsgid.val, new->fsgid.val, &asked);
        return rules_tell(lsm, &told, HOOK(task_fix_setgid));
}
#endif
