/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* A denial is counted, and becomes an event or is folded into one (lsm_abi.h, "storms"). Included by lsm_policy.h. */
#pragma once

/* What makes denials of a kind. */
struct lsm_kind {
        __u64 now, cgroup;
        __u32 mode, error, hook, rule, uid, pad;
        union {
                char comm[LSM_COMM_LEN];
                __u64 comm_words[LSM_COMM_LEN / 8];
        };
};

static __always_inline bool lsm_fold_is(const struct lsm_fold *f, const struct lsm_kind *k) {
        const struct lsm_event *e = &f->event;
        const __u64 *comm = (const __u64 *)e->comm;

        return comm[0] == k->comm_words[0] && comm[1] == k->comm_words[1] && e->cgroup == k->cgroup && e->uid == k->uid &&
               e->rule == k->rule && e->hook == k->hook && e->error == (__s32)k->error && e->mode == k->mode &&
               e->policy == lsm_config.policy && e->bundle == lsm_config.bundle && e->release == lsm_config.release;
}

/* The place where denials of this kind may be folded. */
static __always_inline struct lsm_fold *lsm_fold_place(const struct lsm_kind *k) {
        __u64 h = k->comm_words[0] ^ k->comm_words[1] * 0x9e3779b97f4a7c15ULL;
        __u32 index;

        h = (h ^ k->cgroup) * 0x9e3779b97f4a7c15ULL;
        h = (h ^ h >> 29 ^ ((__u64)k->rule << 32 | k->uid)) * 0xbf58476d1ce4e5b9ULL;
        h = (h ^ h >> 32 ^ ((__u64)lsm_config.bundle << 32 | lsm_config.policy << 16 | k->hook)) * 0x94d049bb133111ebULL;
        index = (h >> 40) & (LSM_FOLDS - 1);
        return bpf_map_lookup_elem(&lsm_folds, &index);
}

#define LSM_FOLD_TRIES 8 /* against others who fold into the same place at the same moment; then it is told by itself */

/* true: it is counted here, and needs no event. */
static __always_inline bool lsm_fold_one(struct lsm_fold *f, const struct lsm_kind *k) {
#pragma clang loop unroll(disable)
        for (int i = 0; i < LSM_FOLD_TRIES; i++) {
                __u64 w = *(volatile __u64 *)&f->word;

                if (!(w & LSM_FOLD_READY) || LSM_FOLD_TOLD(w) < LSM_FOLD_BURST || LSM_FOLD_COUNT(w) == LSM_FOLD_COUNT_MASK ||
                    !LSM_FOLD_OPEN(w, k->now) || !lsm_fold_is(f, k))
                        return false;
                if (!LSM_FOLD_COUNT(w))
                        f->first_ns = k->now;
                f->last_ns = k->now;
                if (__sync_val_compare_and_swap(&f->word, w, w + 1) == w)
                        return true;
        }
        return false;
}

/* An event is about to be told: it takes along what was folded, or makes its kind known. Whoever loses a race does neither. */
static __always_inline void lsm_fold_told(struct lsm_fold *f, const struct lsm_kind *k, struct lsm_event *e) {
        __u64 w = *(volatile __u64 *)&f->word, mine;
        bool open = LSM_FOLD_OPEN(w, k->now);

        if (w & LSM_FOLD_READY && lsm_fold_is(f, k)) {
                __u64 first = f->first_ns;

                mine = open ? w + LSM_FOLD_TOLD_ONE : LSM_FOLD_BEGIN(w & (LSM_FOLD_SEQ_MASK | LSM_FOLD_READY), k->now);
                if (open && LSM_FOLD_TOLD(w) >= LSM_FOLD_BURST)
                        return;
                if (__sync_val_compare_and_swap(&f->word, w, mine) != w)
                        return;
                e->folding = LSM_FOLD_TOLD(mine) == LSM_FOLD_BURST;
                if (!open && LSM_FOLD_COUNT(w)) {
                        e->count += LSM_FOLD_COUNT(w);
                        e->first_ns = first;
                }
                return;
        }
        if (w && (open || LSM_FOLD_COUNT(w) || !(w & LSM_FOLD_READY)))
                return;
        mine = LSM_FOLD_BEGIN((w + LSM_FOLD_SEQ_ONE) & LSM_FOLD_SEQ_MASK, k->now);
        if (__sync_val_compare_and_swap(&f->word, w, mine) != w)
                return;
        bpf_probe_read_kernel(&f->event, sizeof(f->event), e);
        __sync_val_compare_and_swap(&f->word, mine, mine | LSM_FOLD_READY);
}

static __always_inline void lsm_event_fill(struct lsm_event *e, const struct lsm_call *call, const struct lsm_kind *k) {
        __u64 id = bpf_get_current_pid_tgid();

        /* The buffer holds what was there before: nothing of it may show. */
        __builtin_memset(e, 0, sizeof(*e));
        e->abi = LSM_ABI;
        e->mode = k->mode;
        e->bundle = lsm_config.bundle;
        e->policy = lsm_config.policy;
        e->hook = k->hook;
        e->error = (__s32)k->error;
        e->release = lsm_config.release;
        e->time_ns = k->now;
        e->cgroup = k->cgroup;
        e->pid = (__u32)id;
        e->tgid = id >> 32;
        e->uid = k->uid;
        e->gid = bpf_get_current_uid_gid() >> 32;
        e->count = 1;
        e->rule = k->rule;
        __builtin_memcpy(e->comm, k->comm, sizeof(e->comm));
        if (call->why)
                bpf_probe_read_kernel_str(e->why, sizeof(e->why), call->why);
        if (call->path) {
                /* A path that does not fit leaves rubbish behind: then the name alone. */
                if (bpf_d_path((struct path *)call->path, e->object, sizeof(e->object)) < 0)
                        bpf_probe_read_kernel_str(e->object, sizeof(e->object), call->path->dentry->d_name.name);
        } else if (call->dentry)
                bpf_probe_read_kernel_str(e->object, sizeof(e->object), call->dentry->d_name.name);
}

/* There was no room for an event. */
static __always_inline void lsm_count_lost(struct lsm_counters *c) {
        __u32 index = LSM_FOLDS_LOST;
        struct lsm_fold *f = bpf_map_lookup_elem(&lsm_folds, &index);

        __sync_fetch_and_add(&c->lost, 1);
        if (f)
                __sync_fetch_and_add(&f->word, 1);
}

/* A function of its own for those whose calls are so deep that a report's stack must not be part of every frame: bpf/engine/. */
#ifndef LSM_REPORT_INLINE
#define LSM_REPORT_INLINE __always_inline
#endif

/* audit: the would-be denial of a rule, whatever the policy's mode. */
static LSM_REPORT_INLINE void lsm_report(const struct lsm_call *call, int error, __u32 hook, bool audit) {
        struct lsm_kind k = {
                .now = bpf_ktime_get_boot_ns(),
                .cgroup = bpf_get_current_cgroup_id(),
                .mode = audit && lsm_config.mode == LSM_MODE_ENFORCE ? LSM_MODE_AUDIT : lsm_config.mode,
                .error = (__u32)error,
                .hook = hook,
                .rule = call->rule,
                .uid = (__u32)bpf_get_current_uid_gid(),
        };
        struct lsm_counters *c;
        struct lsm_event *e;
        struct lsm_fold *f;
        __u32 zero = 0;

        bpf_get_current_comm(k.comm, sizeof(k.comm));
        c = bpf_map_lookup_elem(&lsm_counters, &zero);
        f = lsm_fold_place(&k);
        if (!c || !f)
                return; /* arrays: they are there */
        __sync_fetch_and_add(k.mode == LSM_MODE_ENFORCE ? &c->denied : &c->would_deny, 1);
        if (lsm_fold_one(f, &k)) {
                __sync_fetch_and_add(&c->folded, 1);
                return;
        }
        e = bpf_ringbuf_reserve(&lsm_events, sizeof(*e), 0);
        if (!e) {
                lsm_count_lost(c);
                return;
        }
        lsm_event_fill(e, call, &k);
        lsm_fold_told(f, &k, e);
        bpf_ringbuf_submit(e, 0);
}
