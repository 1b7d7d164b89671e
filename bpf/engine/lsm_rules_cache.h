/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What a path was found to be, remembered at its inode.
 *
 * path_rename runs before the rename and no hook runs after it, so nobody tells when a path changes: what is remembered counts only
 * as long as the kernel's own sequences of renames and mounts have not moved since before it was found out.
 */
#pragma once

struct found_key {
        __u64 seqs;
        __u64 name;      /* which of the inode's names, for links come and go without a rename */
        __u64 mnt, root; /* where the task saw it; the root is that mount's own root */
};
#define FOUND_IN_LAYER 1 /* for a root: seen by nobody, below a file of an overlay */

struct found {
        __u64 version; /* odd while it is written */
        struct found_key key;
        struct path_classes classes;
};

struct {
        __uint(type, BPF_MAP_TYPE_INODE_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, int);
        __type(value, struct found);
} lsm_rules_found SEC(".maps");

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

static __always_inline bool found_get(struct found *f, const struct found_key *key, struct path_classes *ret) {
        volatile struct found *v = f;
        __u64 version = v->version;

        if (version & 1 || v->key.seqs != key->seqs || v->key.name != key->name || v->key.mnt != key->mnt ||
            v->key.root != key->root)
                return false;
        ret->ops = v->classes.ops;
        ret->seen = v->classes.seen;
        ret->within = v->classes.within;
        return v->version == version;
}

static __always_inline void found_put(struct found *f, const struct found_key *key, const struct path_classes *classes) {
        volatile struct found *v = f;
        __u64 version = v->version;

        if (version & 1 || __sync_val_compare_and_swap(&f->version, version, version + 1) != version)
                return;
        v->key.seqs = key->seqs;
        v->key.name = key->name;
        v->key.mnt = key->mnt;
        v->key.root = key->root;
        v->classes.ops = classes->ops;
        v->classes.seen = classes->seen;
        v->classes.within = classes->within;
        __sync_fetch_and_add(&f->version, 1);
}

/* A name: where the kernel holds it, which may be used again, with its hash, in which the folder has a part. */
static __noinline __u64 name_key(const struct dentry *dentry) {
        __u64 hash = dentry->d_name.hash;

        return address_of(dentry) ^ (hash << 32 | dentry->d_name.len) * 0x9e3779b97f4a7c15ULL;
}

/* A call of its own, for want of stack. */
static __noinline __u64 mount_address(const struct vfsmount *mnt) {
        return address_of(mnt);
}

/* Where the task's root is its mount's own root: that mount. 0: it is a folder, and its mount does not tell which. */
static __noinline __u64 root_mount(void) {
        const struct path *root = task_root();

        return root->mnt->mnt_root == root->dentry ? address_of(root->mnt) : 0;
}

/* Has the tree stood still since `seqs`? */
static __always_inline bool tree_stood(__u64 seqs) {
        return !(seqs & SEQS_BUSY) && rules_seqs() == seqs;
}

/* The classes of a path; inode: what it leads to, NULL where nothing is to be remembered; below: those of all that it may go on to,
 * too. Not inlined: the verifier looks at each call, but the code is there once. -1: the tree changed all the time; the classes
 * are what was seen last. */
static __noinline int path_classes_find(const struct vfsmount *mnt, const struct dentry *dentry, struct inode *inode, bool below,
                                        struct path_classes *ret) {
        struct found_key key = {.seqs = rules_seqs(), .name = name_key(dentry), .mnt = mount_address(mnt), .root = root_mount()};
        struct found *f = NULL;

        if (inode && key.root && !(key.seqs & SEQS_BUSY)) {
                f = bpf_inode_storage_get(&lsm_rules_found, inode, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
                if (f && found_get(f, &key, ret))
                        return 0;
        }
        path_states_find(mnt, dentry, !key.root, key.seqs, ret);
        rules_classify(ret, below);
        if (tree_stood(key.seqs)) {
                if (f)
                        found_put(f, &key, ret);
                return 0;
        }
        /* Once more, the way that is shorter to verify. */
        key.seqs = rules_seqs();
        ret->within = far_within(dentry);
        ret->seen = far_seen(mnt, dentry);
        rules_classify(ret, below);
        if (tree_stood(key.seqs))
                return 0;
        lsm_count_error();
        return -1;
}
