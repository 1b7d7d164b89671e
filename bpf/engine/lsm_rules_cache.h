/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a path was found to be, remembered in a table that all share.
 *
 * path_rename runs before the rename and no hook runs after it, so nobody tells when a path changes: what is remembered counts only
 * as long as the kernel's own sequences of renames and mounts have not moved since before it was found out.
 *
 * A table, and no storage at the inode: to make that costs fifteen hundred instructions when a file is first opened, more than all the
 * rest, and two allocations for each file. Here, who comes later takes the place.
 */
#pragma once

struct found_key {
        __u64 seqs;
        __u64 dentry;     /* which of the inode's names, for links come and go without a rename: where the kernel holds it, */
        __u32 hash;       /* which may be used again, and its hash, in which the folder has a part; */
        __u32 generation; /* and the inode: where it is, its number, and which of those that have had that number */
        __u64 inode, ino;
        __u64 mnt, root_mnt, root_dentry; /* where the task saw it; the root is that mount's own root */
};
#define FOUND_IN_LAYER 1 /* for root_mnt: seen by nobody, below a file of an overlay */

/* A number that stands for a pointer, in this program alone: how far it is from a place of its own. That is two instructions;
 * address_of() has to go over the stack. */
static __always_inline __u64 number_of(const void *pointer) {
        __u64 number = (__u64)pointer;

        asm("%[n] -= %[from]" : [n] "+r"(number) : [from] "r"(&lsm_rules_start));
        return number;
}

struct found {
        __u64 version; /* odd while it is written */
        struct found_key key;
        struct path_classes classes;
};

#define FOUND_BITS 14
struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1 << FOUND_BITS);
        __type(key, __u32);
        __type(value, struct found);
} lsm_rules_found SEC(".maps");

/* The place of a dentry, by its number. Only what is NULL is none. */
static __always_inline struct found *found_at(__u64 dentry) {
        return TABLE_AT(lsm_rules_found, dentry * 0x9e3779b97f4a7c15ULL >> (64 - FOUND_BITS));
}

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs___x86 {
        unsigned long orig_ax;
};

#pragma clang attribute pop

/* What is loaded before is loaded before what is loaded after. On x86 it always is; elsewhere by an atomic operation on nothing. */
static __always_inline void loads_in_order(void) {
        __u64 nothing = 0;

        if (!bpf_core_field_exists(struct pt_regs___x86, orig_ax))
                nothing = __sync_fetch_and_add(&nothing, 1);
        asm volatile("" : : "r"(nothing) : "memory");
}

static __always_inline __u64 class_ops(__u32 class) {
        const struct lsm_rules_class *c = TABLE_AT(lsm_rules_classes, class);

        return c ? c->ops : 0;
}

/* From states to classes. What could not be followed to its end is counted here, once for each time that it was tried. */
__noinline int rules_classify(struct path_classes *c, int below) {
        if (!c)
                return 0;
        if ((c->seen | c->within) & LSM_STATE_UNSURE)
                lsm_count_error();
        c->seen = class_of(c->seen, below);
        c->within = class_of(c->within, below);
        c->ops = class_ops(c->seen) | class_ops(c->within);
        return 0;
}

/*
 * The version of an entry that all processors share, odd while it is written. A reader takes it, reads, and asks whether it stands
 * still; a writer who cannot begin lets it be.
 */
static __always_inline __u64 version_take(const __u64 *version) {
        __u64 taken = *(const volatile __u64 *)version;

        loads_in_order();
        return taken;
}

static __always_inline bool version_stands(const __u64 *version, __u64 taken) {
        loads_in_order();
        return !(taken & 1) && *(const volatile __u64 *)version == taken;
}

static __always_inline bool version_begin(__u64 *version) {
        __u64 now = *(volatile __u64 *)version;

        return !(now & 1) && __sync_val_compare_and_swap(version, now, now + 1) == now;
}

/* With what it returns it is in order with what was stored; without, it need not be. */
static __always_inline void version_end(__u64 *version) {
        __u64 before = __sync_fetch_and_add(version, 1);

        asm volatile("" : : "r"(before) : "memory");
}

/* What is remembered, and nobody has written it since it had this version. */
static __always_inline bool found_take(const struct found *f, __u64 version, struct path_classes *ret) {
        const volatile struct found *v = f;

        ret->ops = v->classes.ops;
        ret->seen = v->classes.seen;
        ret->within = v->classes.within;
        return version_stands(&f->version, version);
}

static __always_inline void found_put(struct found *f, const struct found_key *key, const struct path_classes *classes) {
        volatile struct found *v = f;

        if (!version_begin(&f->version))
                return;
        v->key.seqs = key->seqs;
        v->key.dentry = key->dentry;
        v->key.hash = key->hash;
        v->key.generation = key->generation;
        v->key.inode = key->inode;
        v->key.ino = key->ino;
        v->key.mnt = key->mnt;
        v->key.root_mnt = key->root_mnt;
        v->key.root_dentry = key->root_dentry;
        v->classes.ops = classes->ops;
        v->classes.seen = classes->seen;
        v->classes.within = classes->within;
        version_end(&f->version);
}

static __always_inline bool key_is_inode(const volatile struct found_key *key, const struct inode *inode) {
        return key->inode == number_of(inode) && key->ino == inode->i_ino && key->generation == inode->i_generation;
}

/* Each is loaded when it is compared: what is kept takes stack. */
static __always_inline bool key_is_file(const volatile struct found_key *key, const struct file *file, const struct path *root,
                                        __u64 seqs) {
        return key->dentry == number_of(file->f_path.dentry) && key->seqs == seqs &&
               key->hash == file->f_path.dentry->d_name.hash && key_is_inode(key, file->f_inode) &&
               key->mnt == number_of(file->f_path.mnt) && key->root_mnt == number_of(root->mnt) &&
               key->root_dentry == number_of(root->dentry);
}

static __always_inline struct found_key key_of_file(const struct file *file, const struct path *root, __u64 seqs) {
        return (struct found_key){.seqs = seqs,
                                  .dentry = number_of(file->f_path.dentry),
                                  .hash = file->f_path.dentry->d_name.hash,
                                  .generation = file->f_inode->i_generation,
                                  .inode = number_of(file->f_inode),
                                  .ino = file->f_inode->i_ino,
                                  .mnt = number_of(file->f_path.mnt),
                                  .root_mnt = number_of(root->mnt),
                                  .root_dentry = number_of(root->dentry)};
}

static __always_inline __u64 root_number(void) {
        const struct path *root = task_root();

        return root_key(number_of(root->dentry), number_of(root->mnt));
}

/* Is the task's root its mount's own root? Else it is a folder; of that its address tells nothing, once it is gone. */
static __always_inline bool root_is_whole(const struct path *root) {
        return root->mnt->mnt_root == root->dentry;
}

/* Has the tree stood still since `seqs`? */
static __always_inline bool tree_stood(__u64 seqs) {
        return !(seqs & SEQS_BUSY) && rules_seqs() == seqs;
}

/* The classes of a path; below: those of all that it may go on to, too. Not inlined: the verifier looks at each call, but the code is there
 * once. Returns the sequences during which they were; 0: the tree changed all the time, and they are what was seen last. */
static __noinline __u64 path_classes_find(const struct vfsmount *mnt, const struct dentry *dentry, bool below,
                                          struct path_classes *ret) {
        bool whole = root_is_whole(task_root());
        __u64 seqs = rules_seqs();

        path_states_find(mnt, dentry, !whole, seqs, ret);
        rules_classify(ret, below);
        if (tree_stood(seqs))
                return whole ? seqs : 0;
        /* Once more, the way that is shorter to verify. */
        seqs = rules_seqs();
        ret->within = far_within(dentry);
        ret->seen = far_seen(mnt, dentry);
        rules_classify(ret, below);
        if (!tree_stood(seqs))
                lsm_count_error();
        return 0;
}

/* A call of its own, for want of stack. */
static __noinline void file_classes_keep(const struct file *file, __u64 seqs, const struct path_classes *classes) {
        struct found_key key = key_of_file(file, task_root(), seqs);
        struct found *f = found_at(key.dentry);

        if (f)
                found_put(f, &key, classes);
}

/* The same of a file that is there. Nearly always they are known, and that is all. A root that is a folder is never remembered: what was
 * remembered for the same pair of pointers, while no mount has changed, was a whole one. */
static __always_inline void file_classes_find(const struct file *file, struct path_classes *ret) {
        const struct path *root = task_root();
        __u64 seqs = rules_seqs(), version, root_before;
        struct found *f = found_at(number_of(file->f_path.dentry));

        version = f ? version_take(&f->version) : 1;
        if (f && key_is_file(&f->key, file, root, seqs) && found_take(f, version, ret))
                return;
        root_before = root_number();
        seqs = path_classes_find(file->f_path.mnt, file->f_path.dentry, false, ret);
        if (seqs && root_number() == root_before) /* no other thread has changed it meanwhile */
                file_classes_keep(file, seqs, ret);
}
