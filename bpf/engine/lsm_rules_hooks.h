/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which operation a hook is. */
#pragma once

#define RULES_FMODE_READ 1
#define RULES_FMODE_WRITE 2
#define RULES_FMODE_EXEC (1u << 5) /* of f_flags: opened to be executed, which is another operation */

#define RULES_RENAME_EXCHANGE 2
#define RULES_PROT_EXEC 4
#define RULES_S_IFSOCK 0140000

static __always_inline bool is_folder(const struct inode *inode) {
        return inode && (inode->i_mode & S_IFMT) == S_IFDIR;
}

#ifdef RULES_ON_file_open
#define RULES_ON_OPEN (LSM_OP_BIT(LSM_OP_FILE_READ) | LSM_OP_BIT(LSM_OP_FILE_WRITE) | LSM_OP_BIT(LSM_OP_EXEC))

/* What it is opened for, of these. */
static __always_inline __u64 open_ops(const struct file *file) {
        __u32 mode = file->f_mode;

        if (file->f_flags & RULES_FMODE_EXEC)
                return LSM_OP_BIT(LSM_OP_EXEC);
        return (mode & RULES_FMODE_READ ? LSM_OP_BIT(LSM_OP_FILE_READ) : 0) |
               (mode & RULES_FMODE_WRITE ? LSM_OP_BIT(LSM_OP_FILE_WRITE) : 0);
}

static __always_inline __u32 open_decide(struct lsm_call *lsm, struct file *file, const struct path_classes *classes, bool exec,
                                         __u32 hook) {
        struct inode *inode = file->f_inode;
        struct rules_told told = {};
        __u32 mode = file->f_mode;

        lsm->path = &file->f_path;
        fs_note(&told, classes, inode->i_sb, false);
        if (exec) {
                path_judge(&told, classes, LSM_OP_EXEC, inode);
        } else {
                if (mode & RULES_FMODE_READ)
                        path_judge(&told, classes, LSM_OP_FILE_READ, inode);
                if (mode & RULES_FMODE_WRITE)
                        path_judge(&told, classes, LSM_OP_FILE_WRITE, inode);
        }
        return rules_tell(lsm, &told, hook);
}

/* What is opened to be executed is asked about later; but for files below files, which are not. */
static __always_inline bool open_is_asked(const struct file *file, struct path_classes *classes) {
        __u32 flags = file->f_flags;
        __u64 below;

        if (flags & (RULES_O_NOATIME | RULES_FMODE_EXEC)) { /* hardly ever */
                below = flags & RULES_O_NOATIME ? backing_find(file) : 0;
                if (below)
                        backing_classes_find(below, file->f_inode, classes);
                if (below || flags & RULES_FMODE_EXEC)
                        return below;
        }
        file_classes_find(file, classes);
        return true;
}

LSM_POLICY(file_open, struct file *file) {
        struct path_classes classes;

        /* Nearly always no rule is about it, and that is all. */
        if (!open_is_asked(file, &classes) || !(classes.ops & RULES_ON_OPEN) || !(classes.ops & open_ops(file)))
                return ALLOW;
        return open_decide(lsm, file, &classes, file->f_flags & RULES_FMODE_EXEC, HOOK(file_open));
}
#endif

#ifdef RULES_ON_bprm_check_security
LSM_POLICY(bprm_check_security, struct linux_binprm *bprm) {
        struct path_classes classes = {};
        struct rules_told told = {};
        struct file *file = bprm->file;

        file_classes_find(file, &classes);
        lsm->path = &file->f_path;
        fs_note(&told, &classes, file->f_inode->i_sb, false);
        path_judge(&told, &classes, LSM_OP_EXEC, file->f_inode);
        return rules_tell(lsm, &told, HOOK(bprm_check_security));
}
#endif

#ifdef RULES_ON_mmap_file
LSM_POLICY(mmap_file, struct file *file, unsigned long reqprot, unsigned long prot, unsigned long flags) {
        struct path_classes classes = {};
        struct rules_told told = {};

        if (!file || !(prot & RULES_PROT_EXEC))
                return ALLOW;
        file_classes_find(file, &classes);
        lsm->dentry = file->f_path.dentry;
        fs_note(&told, &classes, file->f_inode->i_sb, false);
        path_judge(&told, &classes, LSM_OP_FILE_MMAP_EXEC, file->f_inode);
        return rules_tell(lsm, &told, HOOK(mmap_file));
}
#endif

#ifdef RULES_ON_file_mprotect
LSM_POLICY(file_mprotect, struct vm_area_struct *vma, unsigned long reqprot, unsigned long prot) {
        struct path_classes classes = {};
        struct rules_told told = {};
        struct file *file = vma->vm_file;

        if (!file || !(prot & RULES_PROT_EXEC))
                return ALLOW;
        file_classes_find(file, &classes);
        lsm->dentry = file->f_path.dentry;
        fs_note(&told, &classes, file->f_inode->i_sb, false);
        path_judge(&told, &classes, LSM_OP_FILE_MMAP_EXEC, file->f_inode);
        return rules_tell(lsm, &told, HOOK(file_mprotect));
}
#endif

/* A name in a folder: what is there, or is to be. */
#define RULES_NAME(hook, op, dir, dentry_)                                \
        ({                                                                \
                struct path_classes _classes = {};                        \
                struct rules_told _told = {};                             \
                                                                          \
                path_classes_find((dir)->mnt, dentry_, false, &_classes); \
                lsm->dentry = dentry_;                                    \
                fs_note(&_told, &_classes, (dentry_)->d_sb, false);       \
                path_judge(&_told, &_classes, op, (dentry_)->d_inode);    \
                rules_tell(lsm, &_told, HOOK(hook));                      \
        })

#ifdef RULES_ON_path_mknod
LSM_POLICY(path_mknod, const struct path *dir, struct dentry *dentry, unsigned int mode, unsigned int dev) {
        struct path_classes classes = {};
        struct rules_told told = {};
        __u32 kind = mode & S_IFMT, device = 0;

        if (RULES_DEVICES) /* as the caller writes it, in mknod(2) */
                device = device_value(mode, dev >> 8 & 0xfff, (dev & 0xff) | (dev >> 12 & 0xfff00));
        path_classes_find(dir->mnt, dentry, false, &classes);
        lsm->dentry = dentry;
        fs_note(&told, &classes, dentry->d_sb, false);
        path_judge_device(&told, &classes, kind == S_IFREG || !kind ? LSM_OP_FILE_CREATE : LSM_OP_FILE_MKNOD, dentry->d_inode,
                          device);
        if (RULES_UNIX_SOCKETS && kind == RULES_S_IFSOCK)
                net_node_judge(&told, &classes);
        return rules_tell(lsm, &told, HOOK(path_mknod));
}
#endif

#ifdef RULES_ON_path_mkdir
LSM_POLICY(path_mkdir, const struct path *dir, struct dentry *dentry, unsigned int mode) {
        return RULES_NAME(path_mkdir, LSM_OP_FILE_MKDIR, dir, dentry);
}
#endif

#ifdef RULES_ON_path_symlink
LSM_POLICY(path_symlink, const struct path *dir, struct dentry *dentry, const char *to) {
        return RULES_NAME(path_symlink, LSM_OP_FILE_SYMLINK, dir, dentry);
}
#endif

#ifdef RULES_ON_path_unlink
LSM_POLICY(path_unlink, const struct path *dir, struct dentry *dentry) {
        return RULES_NAME(path_unlink, LSM_OP_FILE_UNLINK, dir, dentry);
}
#endif

#ifdef RULES_ON_path_rmdir
LSM_POLICY(path_rmdir, const struct path *dir, struct dentry *dentry) {
        return RULES_NAME(path_rmdir, LSM_OP_FILE_UNLINK, dir, dentry);
}
#endif

/* What is at a path already. */
#define RULES_PATH(hook, op, path_) RULES_NAME(hook, op, path_, (path_)->dentry)

#ifdef RULES_ON_path_chmod
LSM_POLICY(path_chmod, const struct path *path, unsigned int mode) {
        return RULES_PATH(path_chmod, LSM_OP_FILE_CHMOD, path);
}
#endif

#ifdef RULES_ON_path_chown
LSM_POLICY(path_chown, const struct path *path, unsigned int uid, unsigned int gid) {
        return RULES_PATH(path_chown, LSM_OP_FILE_CHOWN, path);
}
#endif

#ifdef RULES_ON_path_truncate
LSM_POLICY(path_truncate, const struct path *path) {
        return RULES_PATH(path_truncate, LSM_OP_FILE_TRUNCATE, path);
}
#endif

#ifdef RULES_ON_file_truncate
/* From Linux 6.2 on: by a file that is open (ftruncate), or that is being opened (O_TRUNC). Before, path_truncate is asked. */
LSM_POLICY(file_truncate, struct file *file) {
        struct path_classes classes = {};
        struct rules_told told = {};

        file_classes_find(file, &classes);
        lsm->dentry = file->f_path.dentry; /* bpf_d_path() is not for this hook */
        fs_note(&told, &classes, file->f_inode->i_sb, false);
        path_judge(&told, &classes, LSM_OP_FILE_TRUNCATE, file->f_inode);
        return rules_tell(lsm, &told, HOOK(file_truncate));
}
#endif

/* ---- attributes: a dentry, and no word of the mount by which the task came there ---------------------------------------- */

#if defined(RULES_ON_inode_setxattr) || defined(RULES_ON_inode_removexattr) || defined(RULES_ON_inode_set_acl) || \
        defined(RULES_ON_inode_remove_acl)
/* The place within its file system, as both views: no task can change that one, so a rule may allow by it, too. */
static __noinline void place_classes_find(const struct dentry *dentry, struct path_classes *ret) {
        __u64 seqs = rules_seqs();

        ret->within = far_within(dentry);
        if (!tree_stood(seqs)) {
                seqs = rules_seqs();
                ret->within = far_within(dentry);
                if (!tree_stood(seqs))
                        lsm_count_error();
        }
        ret->seen = ret->within;
        rules_classify(ret, false);
}

/* On the file system of the task's root, what is seen there; it may be one of which only folders are mounted. */
static __always_inline void dentry_classes_find(const struct dentry *dentry, struct path_classes *ret) {
        const struct vfsmount *root = task_root()->mnt;

        if (root->mnt_root->d_sb == dentry->d_sb)
                path_classes_find(root, dentry, false, ret);
        else
                place_classes_find(dentry, ret);
}

#define RULES_XATTR(hook)                                                               \
        ({                                                                              \
                struct path_classes _classes = {};                                      \
                struct rules_told _told = {};                                           \
                                                                                        \
                dentry_classes_find(dentry, &_classes);                                 \
                lsm->dentry = dentry;                                                   \
                fs_note(&_told, &_classes, (dentry)->d_sb, false);                      \
                path_judge(&_told, &_classes, LSM_OP_FILE_SETXATTR, (dentry)->d_inode); \
                rules_tell(lsm, &_told, HOOK(hook));                                    \
        })
#endif

#ifdef RULES_ON_inode_setxattr
LSM_POLICY(inode_setxattr, const void *idmap, struct dentry *dentry, const char *name) {
        return RULES_XATTR(inode_setxattr);
}
#endif

#ifdef RULES_ON_inode_removexattr
LSM_POLICY(inode_removexattr, const void *idmap, struct dentry *dentry, const char *name) {
        return RULES_XATTR(inode_removexattr);
}
#endif

/* From Linux 6.2 on, access lists (system.posix_acl_access, system.posix_acl_default) are not asked about as attributes. */
#ifdef RULES_ON_inode_set_acl
LSM_POLICY(inode_set_acl, const void *idmap, struct dentry *dentry, const char *name) {
        return RULES_XATTR(inode_set_acl);
}
#endif

#ifdef RULES_ON_inode_remove_acl
LSM_POLICY(inode_remove_acl, const void *idmap, struct dentry *dentry, const char *name) {
        return RULES_XATTR(inode_remove_acl);
}
#endif

/* ---- names that change --------------------------------------------------------------------------------------------------- */

/* An argument of the hook, read when it is needed: what is kept over a call has to lie on the stack, and two paths leave none. */
#define ARG(type, i) ((type)lsm_args[i])

#ifdef RULES_ON_path_link
LSM_POLICY(path_link, struct dentry *old_, const struct path *dir_, struct dentry *new_) {
#define OLD ARG(struct dentry *, 0)
#define DIR ARG(const struct path *, 1)
        struct path_classes classes = {};
        struct rules_told told = {};
        __u64 from;

        lsm->dentry = OLD;
        path_classes_find(DIR->mnt, OLD, false, &classes);
        from = CLASSES(&classes);
        fs_note(&told, &classes, OLD->d_sb, false);
        path_judge(&told, &classes, LSM_OP_FILE_LINK, OLD->d_inode);
        path_classes_find(DIR->mnt, ARG(struct dentry *, 2), false, &classes);
        fs_note(&told, &classes, OLD->d_sb, false);
        path_judge(&told, &classes, LSM_OP_FILE_LINK, OLD->d_inode);
        move_judge(&told, from, CLASSES(&classes), OLD->d_inode);
        return rules_tell(lsm, &told, HOOK(path_link));
#undef OLD
#undef DIR
}
#endif

#ifdef RULES_ON_path_rename
LSM_POLICY(path_rename, const struct path *old_dir_, struct dentry *old_, const struct path *dir_, struct dentry *new_,
           unsigned int flags_) {
#define OLD ARG(struct dentry *, 1)
#define NEW ARG(struct dentry *, 3)
#define EXCHANGE (lsm_args[4] & RULES_RENAME_EXCHANGE)
#define FOLDER (is_folder(OLD->d_inode) || (EXCHANGE && is_folder(NEW->d_inode)))
        struct path_classes classes = {};
        struct rules_told told = {};
        __u64 from;

        lsm->dentry = OLD;
        path_classes_find(ARG(const struct path *, 0)->mnt, OLD, FOLDER, &classes);
        from = CLASSES(&classes);
        fs_note(&told, &classes, OLD->d_sb, FOLDER);
        path_judge_device(&told, &classes, LSM_OP_FILE_RENAME, OLD->d_inode, device_moved(OLD->d_inode));
        path_classes_find(ARG(const struct path *, 2)->mnt, NEW, FOLDER, &classes);
        fs_note(&told, &classes, OLD->d_sb, FOLDER);
        path_judge_device(&told, &classes, LSM_OP_FILE_RENAME, OLD->d_inode, device_moved(OLD->d_inode));
        if (device_of(NEW->d_inode)) /* which is replaced */
                path_judge(&told, &classes, LSM_OP_FILE_RENAME, NEW->d_inode);
        move_judge(&told, from, CLASSES(&classes), OLD->d_inode);
        if (EXCHANGE)
                move_judge(&told, CLASSES(&classes), from, NEW->d_inode);
        return rules_tell(lsm, &told, HOOK(path_rename));
#undef OLD
#undef NEW
#undef EXCHANGE
#undef FOLDER
}
#endif

#ifdef RULES_ON_capable
LSM_POLICY(capable, const void *cred, const void *ns, int cap, unsigned int opts) {
        return value_decide(lsm, LSM_OP_CAPABILITY, cap, HOOK(capable));
}
#endif

#ifdef RULES_ON_socket_create
LSM_POLICY(socket_create, int family, int type, int protocol, int kern) {
        if (kern)
                return ALLOW;
        return value_decide(lsm, LSM_OP_SOCKET_CREATE, LSM_SOCKET_VALUE(family, type & LSM_SOCK_TYPE_MASK, protocol),
                            HOOK(socket_create));
}
#endif

#ifdef RULES_ON_ptrace_access_check
LSM_POLICY(ptrace_access_check, const void *child, unsigned int mode) {
        return value_decide(lsm, LSM_OP_PTRACE, 0, HOOK(ptrace_access_check));
}
#endif
