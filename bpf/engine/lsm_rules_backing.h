/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Files below files. For a file of an overlay the kernel opens two: the one on top, which has a path as others have, and the one in a
 * layer that it is, by a mount that is nowhere. The second is judged by its place in its file system: else whoever may mount an
 * overlay over a folder may read what a rule denies there.
 */
#pragma once

#define RULES_O_NOATIME 01000000 /* overlayfs opens its layers' files so, and hardly anybody else */
#define RULES_SB_KERNMOUNT (1 << 22)
#define RULES_ERR_MIN (-4095ULL)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct hlist_node {
        struct hlist_node *next;
};

struct hlist_head {
        struct hlist_node *first;
};

struct inode___alias {
        struct hlist_head i_dentry;
};

struct dentry___alias {
        union {
                struct hlist_node d_alias;
        } d_u;
};

#pragma clang attribute pop

/* Until 6.4: such a file has the path of the file on top and an inode of its own. Of several names it takes any. */
static __always_inline __u64 backing_by_inode(const struct inode *inode) {
        __u64 node;

        if (!bpf_core_field_exists(struct dentry___alias, d_u.d_alias))
                return 0;
        node = (__u64)BPF_CORE_READ((const struct inode___alias *)address_of(inode), i_dentry.first);
        return node ? node - bpf_core_field_offset(struct dentry___alias, d_u.d_alias) : 0;
}

/* From 6.5 on: it has its own path, by a mount in no namespace, which is not one of the kernel's own file systems (memory files, pipes).
 * The kernel marks it, too, with a bit that is another one in each version. */
static __always_inline __u64 backing_by_mount(const struct path *path) {
        __u64 mount = address_of(path->mnt) - bpf_core_field_offset(struct mount, mnt);

        if ((__u64)BPF_CORE_READ(PTR(mount, mount), mnt_ns) < RULES_ERR_MIN || path->dentry->d_sb->s_flags & RULES_SB_KERNMOUNT)
                return 0;
        return address_of(path->dentry);
}

/* Of a file with RULES_O_NOATIME: its dentry's address. 0: it is no file below another. */
static __noinline __attribute__((unused)) __u64 backing_find(const struct file *file) {
        const struct inode *inode = file->f_inode;

        if (inode && inode != file->f_path.dentry->d_inode)
                return backing_by_inode(inode);
        return backing_by_mount(&file->f_path);
}

/* The state of the place within its file system, by a number. */
static __always_inline __u32 backing_state(__u64 dentry) {
        __u64 sb = (__u64)BPF_CORE_READ(PTR(dentry, dentry), d_sb);

        return rules_far(dentry, 0, 0,
                         rules_device(BPF_CORE_READ(PTR(super_block, sb), s_dev), BPF_CORE_READ(PTR(super_block, sb), s_magic)));
}

static __always_inline bool key_is_layer(const volatile struct found_key *key, __u64 dentry, const struct inode *inode,
                                         __u64 seqs) {
        return key->dentry == dentry && key->seqs == seqs && key_is_inode(key, inode) && key->root_mnt == FOUND_IN_LAYER;
}

static __always_inline struct found_key key_of_layer(__u64 dentry, const struct inode *inode, __u64 seqs) {
        return (struct found_key){.seqs = seqs,
                                  .dentry = dentry,
                                  .generation = inode->i_generation,
                                  .inode = number_of(inode),
                                  .ino = inode->i_ino,
                                  .root_mnt = FOUND_IN_LAYER};
}

/* As file_classes_find(), of the file in the layer: `inode` is its own. */
static __noinline __attribute__((unused)) void backing_classes_find(__u64 dentry, const struct inode *inode,
                                                                    struct path_classes *ret) {
        __u64 seqs = rules_seqs(), version;
        struct found *f = found_at(dentry);
        struct found_key key;

        version = f ? version_take(&f->version) : 1;
        if (f && key_is_layer(&f->key, dentry, inode, seqs) && found_take(f, version, ret))
                return;
        ret->within = backing_state(dentry);
        f = NULL;
        if (tree_stood(seqs))
                f = found_at(dentry);
        else
                ret->within = backing_state(dentry);
        ret->seen = 0;
        rules_classify(ret, false);
        ret->seen = RULES_NOT_SEEN;
        if (!f)
                return;
        key = key_of_layer(dentry, inode, seqs);
        found_put(f, &key, ret);
}
