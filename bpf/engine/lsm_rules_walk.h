/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * From a path to the automaton's state.
 *
 * Two views of one object: where the task sees it (mounts, and its root), and where it is in its file system, counted from where
 * that file system is mounted in the node's own tree. A task can change what it sees; it cannot change what the object is.
 *
 * Nothing is copied: names go through the automaton one after the other, from the root down. Within a mount this is done with
 * pointers the verifier knows, for at most WALK_NEAR components, which is nearly always; what is above a mount is remembered for
 * the mount; all else (deep paths, mounts met for the first time) goes a slower way that needs no such pointers.
 */
#pragma once

/* ---- kernel types ----------------------------------------------------------------------------------------------------- */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mnt_namespace;

struct mount {
        struct mnt_namespace *mnt_ns;
        struct mount *mnt_parent;
        struct dentry *mnt_mountpoint;
        struct vfsmount mnt;
};

struct fs_struct {
        struct path root;
};

struct mm_struct {
        struct file *exe_file;
};

struct task_struct___rules {
        struct fs_struct *fs;
        struct mm_struct *mm;
        struct task_struct___rules *real_parent;
};

#pragma clang attribute pop

/* Two of 32 bits in a register: there are five arguments, and hardly any stack. */
#define PAIR(high, low) ((__u64)(high) << 32 | (__u32)(low))

#define WALK_NEAR 10    /* components within a mount */
#define WALK_DEEP 64    /* components that are followed at all, counted from the root */
#define WALK_STEPS 4096 /* steps up that are taken to get to the root */
#define WALK_CHUNK 4    /* pointers kept at a time on the slower way: the stack is small */
#define WALK_PIECE 24   /* bytes of a name at a time */
#define WALK_NAME_MAX 255

/* The number a pointer is. The verifier knows what a pointer points to and lets it go nowhere else; a number may. It takes the
 * rewritten low byte for the end of the pointer it has seen stored. */
static __always_inline __u64 address_of(const void *pointer) {
        volatile __u64 address = (__u64)pointer;
        register __u64 low asm("r1") = (__u64)pointer;

        asm volatile("w1 = w1\n\t"
                     "*(u8 *)(%[address] + 0) = r1"
                     : "+r"(low)
                     : [address] "r"(&address)
                     : "memory");
        return address;
}

/* The same number, of which the verifier knows nothing: so that it follows one case and not one for each value. any: a number of
 * which it knows nothing. */
static __always_inline __u32 forget(__u32 n, __u64 any) {
        asm volatile("%[any] -= %[any]" : [any] "+r"(any));
        return n + (__u32)any;
}

/* ---- the automaton ---------------------------------------------------------------------------------------------------- */

static __always_inline __u32 rules_byte(__u32 state, __u8 byte) {
        const struct lsm_rules_cell *cell = TABLE_AT(lsm_rules_cells, state + byte);

        if (cell && cell->check == state)
                return cell->next;
        cell = TABLE_AT(lsm_rules_cells, state);
        return cell ? cell->next : 0;
}

/* Nothing that follows makes a difference. */
static __always_inline bool rules_over(__u32 state) {
        return !state || state & (LSM_STATE_SINK | LSM_STATE_UNSURE);
}

struct name {
        __u64 at;
        __u32 left, state;
};

/* At most WALK_PIECE bytes. */
static __always_inline __u32 rules_bytes(__u32 state, __u64 at, __u32 n) {
        unsigned char piece[WALK_PIECE];

        if (bpf_probe_read_kernel(piece, n, (const void *)at) < 0)
                return state | LSM_STATE_UNSURE;
        for (__u32 k = 0; k < WALK_PIECE; k++) {
                if (k >= n || rules_over(state))
                        break;
                state = rules_byte(state, piece[k]);
        }
        return state;
}

static long name_piece(__u32 i, void *ctx) {
        struct name *name = ctx;
        __u32 n = name->left;

        if (n > WALK_PIECE)
                n = WALK_PIECE;
        if (!n || rules_over(name->state))
                return 1;
        name->state = rules_bytes(name->state, name->at, n);
        name->at += n;
        name->left -= n;
        return 0;
}

/* '/' and a name. Neither inlined nor static: verified once, however often it is called. */
__noinline __u32 rules_component(__u32 state, __u64 at, __u32 len) {
        if (rules_over(state))
                return state;
        state = rules_byte(state, '/');
        if (rules_over(state))
                return state;
        if (len > WALK_PIECE) { /* hardly ever */
                struct name name = {.at = at, .left = len, .state = state};

                bpf_loop((WALK_NAME_MAX + WALK_PIECE) / WALK_PIECE, name_piece, &name, 0);
                return name.left && !rules_over(name.state) ? name.state | LSM_STATE_UNSURE : name.state;
        }
        return rules_bytes(state, at, len);
}

/* ---- where a file system is ---------------------------------------------------------------------------------------------- */

static __always_inline const struct path *task_root(void) {
        const struct task_struct___rules *task = (void *)bpf_get_current_task_btf();

        return &task->fs->root;
}

#define RULES_PROC_MAGIC 0x9fa0
#define RULES_SYS_MAGIC 0x62656572

/* The state at the root of a file system; 0: nobody knows it. */
__noinline __u32 rules_device(__u32 dev, __u64 magic) {
        const struct lsm_rules_root *known = bpf_map_lookup_elem(&lsm_rules_roots, &dev);
        __u32 like = magic == RULES_PROC_MAGIC ? LSM_ROOT_PROC : LSM_ROOT_SYS;

        if (known)
                return known->state;
        /* Not of the node's own tree: what a container has for its root. */
        if (task_root()->mnt->mnt_root->d_sb->s_dev == dev)
                return RULES_START;
        if (magic != RULES_PROC_MAGIC && magic != RULES_SYS_MAGIC)
                return 0;
        known = bpf_map_lookup_elem(&lsm_rules_roots, &like);
        return known ? known->state : 0;
}

/* ---- the slower way ----------------------------------------------------------------------------------------------------- */

struct far {
        __u64 from_dentry, from_mnt; /* mnt 0: within the file system, mounts are not looked at */
        __u64 root;                  /* root_key() of where to end */
        __u64 dentry, mnt;           /* where it is */
        __u64 ring[WALK_CHUNK];
        __u32 n;     /* components taken */
        __u32 limit; /* components to take */
        __u32 state;
};

/* Both in one number, for want of stack: that two pairs have the same is as likely as guessing 64 bits. */
static __always_inline __u64 root_key(__u64 dentry, __u64 mnt) {
        return dentry ^ mnt * 0x9e3779b97f4a7c15ULL;
}

#define PTR(type, address) ((struct type *)(address))

/* One step up: to the parent, or from a mount's root to where it is mounted. 1: there is none. */
static long far_step(__u32 i, void *ctx) {
        struct far *f = *(struct far **)ctx;
        __u64 dentry = f->dentry, mnt = f->mnt, above;

        if (f->n >= f->limit || (root_key(dentry, mnt) == f->root))
                return 1;
        if (mnt && dentry == (__u64)BPF_CORE_READ(PTR(vfsmount, mnt), mnt_root)) {
                __u64 mount = mnt - bpf_core_field_offset(struct mount, mnt);

                above = (__u64)BPF_CORE_READ(PTR(mount, mount), mnt_parent);
                if (above == mount)
                        return 1;
                f->dentry = (__u64)BPF_CORE_READ(PTR(mount, mount), mnt_mountpoint);
                f->mnt = above + bpf_core_field_offset(struct mount, mnt);
                return 0;
        }
        above = (__u64)BPF_CORE_READ(PTR(dentry, dentry), d_parent);
        if (above == dentry || !above)
                return 1;
        f->ring[f->n & (WALK_CHUNK - 1)] = dentry;
        f->n++;
        f->dentry = above;
        return 0;
}

/* Up to no file system's root, on one that the node's tree knows: opened by a handle, and its folder is not known. What has no folder
 * at all (pipes, memory files) is on none of these. */
static __always_inline bool far_is_lost(__u64 dentry) {
        __u64 sb = (__u64)BPF_CORE_READ(PTR(dentry, dentry), d_sb);

        return (__u64)BPF_CORE_READ(PTR(dentry, dentry), d_parent) == dentry &&
               (__u64)BPF_CORE_READ(PTR(super_block, sb), s_root) != dentry &&
               rules_device(BPF_CORE_READ(PTR(super_block, sb), s_dev), BPF_CORE_READ(PTR(super_block, sb), s_magic));
}

/* Once up, and down again through the automaton for the WALK_CHUNK outermost components that are left. 0: there is no more to do. */
__noinline int rules_far_chunk(struct far *f) {
        if (!f || rules_over(f->state) || !f->limit)
                return 0;
        f->dentry = f->from_dentry;
        f->mnt = f->from_mnt;
        f->n = 0;
        if (bpf_loop(WALK_STEPS, far_step, &f, 0) == WALK_STEPS) {
                f->state |= LSM_STATE_UNSURE;
                return 0;
        }
        if (far_is_lost(f->dentry)) {
                f->state |= LSM_STATE_UNSURE;
                return 0;
        }
        for (__u32 i = 0; i < WALK_CHUNK; i++) {
                __u64 d;

                if (f->n <= i)
                        break;
                d = f->ring[(f->n - 1 - i) & (WALK_CHUNK - 1)];
                f->state = rules_component(f->state, (__u64)BPF_CORE_READ(PTR(dentry, d), d_name.name),
                                           BPF_CORE_READ(PTR(dentry, d), d_name.len));
        }
        f->limit = f->n > WALK_CHUNK ? f->n - WALK_CHUNK : 0;
        return 1;
}

/* From (dentry, mnt) up to the root, and down again through the automaton from `state`. mnt and root 0: to the file system's root.
 * Memory is bounded by going up once for every WALK_CHUNK components. */
__noinline __u32 rules_far(__u64 dentry, __u64 mnt, __u64 root, __u32 state) {
        struct far f = {.from_dentry = dentry, .from_mnt = mnt, .root = root, .limit = WALK_STEPS, .state = state};

        for (__u32 chunk = 0; chunk < WALK_DEEP / WALK_CHUNK; chunk++)
                if (!rules_far_chunk(&f))
                        break;
        return f.limit && !rules_over(f.state) ? f.state | LSM_STATE_UNSURE : f.state;
}

/* ---- what is above a mount ------------------------------------------------------------------------------------------------ */

struct mount_key {
        __u64 mnt, root_mnt, root_dentry;
};

struct mount_states {
        __u64 seqs;
        __u32 seen;   /* as the task sees it, up to the mount's root */
        __u32 within; /* in its file system, up to the mount's root */
};

struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, 1024);
        __type(key, struct mount_key);
        __type(value, struct mount_states);
} lsm_rules_mounts SEC(".maps");

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct seqcount {
        unsigned int sequence;
};

#pragma clang attribute pop

extern void *bpf_rdonly_cast(const void *address, __u32 type) __ksym __weak; /* from 6.2 on; no call, but a load that may fail */

static __always_inline __u32 rules_seq(__u64 lock) {
        if (bpf_rdonly_cast) {
                const volatile struct seqcount *seq =
                        bpf_rdonly_cast((const void *)lock, bpf_core_type_id_kernel(struct seqcount));

                return seq->sequence;
        } else {
                __u32 n = 1;

                bpf_probe_read_kernel(&n, sizeof(n), (const void *)lock);
                return n;
        }
}

#define SEQS_BUSY (1ULL << 32 | 1)
/* Both locks' sequences, rename_lock's in the upper half: odd, while somebody holds it; not 0, as both would have to be. */
static __always_inline __u64 rules_seqs(void) {
        __u64 renames = lsm_rules_kernel.rename_lock, mounts = lsm_rules_kernel.mount_lock;

        if (!renames || !mounts)
                return SEQS_BUSY;
        renames = rules_seq(renames);
        mounts = rules_seq(mounts);
        return (__u64)renames << 32 | mounts;
}

static __always_inline __u32 root_state(const struct super_block *sb) {
        return rules_device(sb->s_dev, sb->s_magic);
}

/* Returns both states of the mount's root, as PAIR(seen, within). */
static __noinline __u64 mount_states_find(const struct vfsmount *mnt, __u64 seqs) {
        const struct path *root = task_root();
        struct mount_key key = {address_of(mnt), address_of(root->mnt), address_of(root->dentry)};
        const struct mount_states *known = bpf_map_lookup_elem(&lsm_rules_mounts, &key);
        const struct dentry *top = mnt->mnt_root;
        struct mount_states found;

        if (known && known->seqs == seqs)
                return PAIR(known->seen, known->within);
        found.seqs = seqs;
        found.seen = rules_far(address_of(top), key.mnt, root_key(key.root_dentry, key.root_mnt), RULES_START);
        found.within = root_state(top->d_sb);
        if (top->d_parent != top)
                found.within = rules_far(address_of(top), 0, 0, found.within);
        if (!(seqs & SEQS_BUSY) && rules_seqs() == seqs)
                bpf_map_update_elem(&lsm_rules_mounts, &key, &found, BPF_ANY);
        return PAIR(found.seen, found.within);
}

/* ---- a path's two states ---------------------------------------------------------------------------------------------------- */

/* Of the two views: first the automaton's states, then their classes. */
struct path_classes {
        __u64 ops; /* what the rules of either class are about: nearly always not what is asked for, and that is all */
        __u32 seen, within;
};

/* Names, the innermost first. */
struct near {
        __u64 name[WALK_NEAR];
        __u32 len[WALK_NEAR];
};

/* The n outermost-first names' state. Neither inlined nor static: verified once. */
__noinline __u32 rules_near(const struct near *near, __u32 n, __u32 state) {
        if (!near)
                return state | LSM_STATE_UNSURE;
        for (__u32 i = WALK_NEAR; i-- > 0;)
                if (i < n)
                        state = rules_component(state, near->name[i], near->len[i]);
        return state;
}

/* Below the mount's root, on from `above`. false: it is too deep for this way. */
static __noinline bool near_states_find(const struct vfsmount *mnt, const struct dentry *dentry, __u64 above,
                                        struct path_classes *ret) {
        const struct dentry *d = dentry, *top = mnt->mnt_root;
        __u32 n = WALK_NEAR + 1, seen = above >> 32, within = above;
        __u64 any = address_of(top);
        struct near near;

        /* Something of which the verifier knows nothing in each place, so that all cases look the same to it. */
#pragma clang loop unroll(full)
        for (__u32 i = 0; i < WALK_NEAR; i++) {
                near.name[i] = any;
                near.len[i] = any;
        }
#pragma clang loop unroll(full)
        for (__u32 i = 0; i <= WALK_NEAR; i++) {
                const struct dentry *parent = d->d_parent;

                if (d == top || parent == d) {
                        n = i;
                        break;
                }
                if (i == WALK_NEAR)
                        return false;
                near.name[i] = (__u64)d->d_name.name;
                near.len[i] = d->d_name.len;
                d = parent;
        }
        n = forget(n, any);
        if (d != top) { /* moved out of what is mounted: no mount leads to it */
                seen = RULES_START;
                within = root_state(d->d_sb);
                if (within && d != d->d_sb->s_root) /* opened by a handle, and its folder is not known: it may be any */
                        seen = within = within | LSM_STATE_UNSURE;
        }
        ret->within = rules_near(&near, n, within);
        ret->seen = seen == within ? ret->within : rules_near(&near, n, seen);
        return true;
}

static __noinline __u32 far_seen(const struct vfsmount *mnt, const struct dentry *dentry) {
        const struct path *root = task_root();

        return rules_far(address_of(dentry), address_of(mnt), root_key(address_of(root->dentry), address_of(root->mnt)),
                         RULES_START);
}

static __noinline __u32 far_within(const struct dentry *dentry) {
        return rules_far(address_of(dentry), 0, 0, root_state(dentry->d_sb));
}

/* chrooted: into a folder, which may be between the file and its mount's root. */
static __always_inline void path_states_find(const struct vfsmount *mnt, const struct dentry *dentry, bool chrooted, __u64 seqs,
                                             struct path_classes *ret) {
        bool near = near_states_find(mnt, dentry, mount_states_find(mnt, seqs), ret);

        if (!near)
                ret->within = far_within(dentry);
        if (!near || (chrooted && mnt == task_root()->mnt))
                ret->seen = far_seen(mnt, dentry);
}

/* The class of a path that ends in `state`; below: of all that goes on from there, too. */
static __always_inline __u32 class_of(__u32 state, bool below) {
        const struct lsm_rules_cell *cell = state ? TABLE_AT(lsm_rules_cells, LSM_STATE_NUMBER(state)) : NULL;
        const struct lsm_rules_state *s = cell ? TABLE_AT(lsm_rules_states, cell->check & ~LSM_CELL_OWN) : NULL;

        if (!s)
                return 0;
        if (state & LSM_STATE_UNSURE)
                return s->unsure;
        return below ? s->below : s->accept;
}
