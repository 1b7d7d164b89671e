/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What policies (compiled by lsmbundle), the agent's own programs and the agent share. Any change of a layout, a map name or
 * a meaning here raises LSM_ABI; the manifest states it, and an agent refuses a number it does not know.
 *
 * Included from BPF C and from user space: __u32 and friends must be known before.
 */
#pragma once

#define LSM_ABI 2

/* ---- slots: positions of a hook's PROG_ARRAY ---------------------------------------------------------------------- */

#define LSM_SLOTS 4      /* slot 0: the allow stub ("nothing enforced"); 1 to 3 rotate */
#define LSM_SLOT_SIZE 64 /* positions per slot; a generation's programs stand at 0, 1, ... */
#define LSM_CHAIN_MAX 32 /* policies per hook: the kernel follows at most 33 tail calls, the dispatcher makes one */
#define LSM_ARRAY_SIZE (LSM_SLOTS * LSM_SLOT_SIZE)
#define LSM_SHADOW_SLOT 0 /* a shadow has arrays of its own, and one generation in them */

/* ---- the gate ------------------------------------------------------------------------------------------------------ */

/*
 * One 64-bit word decides, and is changed only by compare-and-swap:
 *
 *   bits  0-3   active slot
 *   bits  4-7   fallback slot (meaningful while PENDING)
 *   bits  8-11  probe slot: the probe's cgroup is decided by this slot alone; 0: no probe
 *   bit   12    PENDING
 *   bits 13-31  sequence, raised by every transition
 *   bits 32-63  deadline, CLOCK_MONOTONIC ns >> 20 (meaningful while PENDING; compared as a signed difference)
 */
#define LSM_GATE_ACTIVE(w) ((__u32)(w)&15)
#define LSM_GATE_FALLBACK(w) (((__u32)(w) >> 4) & 15)
#define LSM_GATE_PROBE(w) (((__u32)(w) >> 8) & 15)
#define LSM_GATE_PROBE_MASK 0xf00ULL
#define LSM_GATE_PENDING (1ULL << 12)
#define LSM_GATE_SEQ_SHIFT 13
#define LSM_GATE_SEQ_MASK 0x7ffffULL
#define LSM_GATE_SEQ(w) ((__u32)(((w) >> LSM_GATE_SEQ_SHIFT) & LSM_GATE_SEQ_MASK))
#define LSM_GATE_DEADLINE(w) ((__u32)((w) >> 32))
#define LSM_GATE_SEQ_NEXT(w) (((((w) >> LSM_GATE_SEQ_SHIFT) + 1) & LSM_GATE_SEQ_MASK) << LSM_GATE_SEQ_SHIFT)
/* What the word becomes when its deadline has passed: the fallback alone, latched. A probe in flight is forgotten. */
#define LSM_GATE_EXPIRED(w) ((__u64)LSM_GATE_FALLBACK(w) | LSM_GATE_SEQ_NEXT(w))
#define LSM_CLOCK_SHIFT 20

/* The one value of the gate map: an mmap-able array, one per bundle. */
struct lsm_gate {
        __u64 word;
        __u64 probe_cgroup; /* cgroup id; set before a probe slot is named in the word */
        __u64 misses;       /* tail calls that found no program: denied, and an error */
        __u64 expiries;     /* times the kernel fell back by itself */
};
_Static_assert(sizeof(struct lsm_gate) == 32, "layout");

/* The one value of the agent's map: shared by all dispatchers of the node. */
struct lsm_agent {
        __u32 supervisor_tgid; /* decided by the fallback while PENDING, as PID 1 is */
        __u32 pad;
};
_Static_assert(sizeof(struct lsm_agent) == 8, "layout");

/* What the programs of bpf/agent/order.bpf.c note. */
struct lsm_turns {
        __u32 n;     /* turns taken */
        __u32 at[2]; /* of the program attached first, and second; from 1 on; 0: it was not called */
        __u32 pad;
};
_Static_assert(sizeof(struct lsm_turns) == 16, "layout");

/* ---- a policy's parameters: .rodata, written by the loader --------------------------------------------------------- */

enum lsm_mode {
        LSM_MODE_ENFORCE = 0,
        LSM_MODE_AUDIT = 1,  /* reported, allowed */
        LSM_MODE_SHADOW = 2, /* a bake: reported as a would-be denial of a release not in force; the answer is dropped */
};

/* `lsm_config`: one per object. */
struct lsm_config {
        __u32 abi;    /* compiled in; what the object was built for */
        __u32 mode;   /* enum lsm_mode */
        __u32 bundle; /* the agent's number for the bundle, for events */
        __u32 policy; /* index of the policy in the manifest */
        __u64 release;
        __u32 slot;
        __u32 scope; /* reserved: 0, the whole node */
};
_Static_assert(sizeof(struct lsm_config) == 32, "layout");

/* `lsm_chain_HOOK`: one per program. */
struct lsm_chain {
        __u32 next; /* position in the hook's array to go on at after "allow"; 0: this is the last */
        __u32 hook; /* the agent's number for the hook, for events */
};
_Static_assert(sizeof(struct lsm_chain) == 8, "layout");

/* ---- scopes: in which cgroups a policy is in force (lsm_scope.h) ----------------------------------------------------------- */

/* An automaton over cgroups' paths, "/system.slice/nginx.service"; as that of lsm_rules_abi.h is built. */
struct lsm_scope_cell {
        __u32 check;
        __u32 next;
};
#define LSM_SCOPE_OWN 0x80000000u  /* in `check` of a state's own cell: with the index of its mask */
#define LSM_SCOPE_SINK 0x80000000u /* in `next`: whatever follows, it stays in that state */
#define LSM_CGRP_STORAGE 32        /* BPF_MAP_TYPE_CGRP_STORAGE, as of 6.2 */
#define LSM_SCOPES_MAX 64          /* of one object: bits of a mask */
#define LSM_SCOPE_HASH_MAX 16384   /* cgroups remembered where the kernel has no storage for them */
#define LSM_SCOPE_PROBES_MAX 16

/* `lsm_scope_config`: one per object that has scopes. */
struct lsm_scope_config {
        __u64 namespaced; /* scopes that hold in every PID namespace but the node's own, too */
        __u64 inverted;   /* scopes that hold where their patterns do not */
        __u32 start;      /* the automaton's state at the root, "" */
        __u32 pad;
};
_Static_assert(sizeof(struct lsm_scope_config) == 24, "layout");

/* Names of the maps that the loader replaces by the agent's: `lsm_slots_HOOK` (the hook's PROG_ARRAY), `lsm_events` and
 * `lsm_folds`. `lsm_counters` is the policy's own. */

/* Per CPU, and added to atomically all the same: a task may be preempted in a policy, by another one in the same policy.
 * denied + would_deny = events in the ring buffer + folded + lost, at every moment when no task is in a policy. */
struct lsm_counters {
        __u64 denied;
        __u64 would_deny;
        __u64 lost;   /* events that found the ring buffer full */
        __u64 errors; /* decisions taken without what was needed to decide */
        __u64 folded; /* denials that have no event of their own, and stand in the count of another */
};
_Static_assert(sizeof(struct lsm_counters) == 40, "layout");

/* ---- events -------------------------------------------------------------------------------------------------------- */

#define LSM_COMM_LEN 16
#define LSM_WHY_LEN 64
#define LSM_OBJECT_LEN 256

struct lsm_event {
        __u32 abi;
        __u32 mode;                 /* enum lsm_mode */
        __u32 bundle, policy, hook; /* numbers, as given in lsm_config and lsm_chain */
        __s32 error;                /* positive errno of the (would-be) denial */
        __u64 release;
        __u64 time_ns; /* CLOCK_BOOTTIME */
        __u64 cgroup;  /* cgroup id of the task */
        __u32 pid, tgid, uid, gid;
        char comm[LSM_COMM_LEN];
        char why[LSM_WHY_LEN];       /* the policy author's words */
        char object[LSM_OBJECT_LEN]; /* path, name, or empty */
        __u64 count;                 /* denials that it stands for: its own, and those of its kind folded since the last event */
        __u64 first_ns;              /* when the first of the folded ones was; 0: there are none */
        __u32 rule;                  /* what tells one reason of a policy from another */
        __u32 folding;               /* 1: those of its kind that come next are folded */
};
_Static_assert(sizeof(struct lsm_event) == 64 + 16 + 64 + 256 + 24, "layout");

/* ---- storms -------------------------------------------------------------------------------------------------------- */

/*
 * Denials of one kind - same policy, rule, hook, answer, and the same subject: cgroup, user and task name - are told one by one
 * until there are LSM_FOLD_BURST in a window. The rest of the window's are counted in a place of `lsm_folds`, an mmap-able array
 * for the whole node, and told by the next event of their kind after the window, or by whoever reads the events, from the map.
 *
 * A place changes hands by compare-and-swap of its word alone, so that each denial is counted once, whoever races:
 *
 *   bits  0-22  denials folded and not told
 *   bits 23-27  events told in this window
 *   bits 28-51  when the window began, CLOCK_BOOTTIME ns >> LSM_FOLD_CLOCK_SHIFT
 *   bits 52-62  sequence, raised when the place becomes another kind's
 *   bit   63    READY: the rest of the place describes the kind. Not ready and not 0: it is being written.
 *
 * What has denials that are not told is never given to another kind. A kind that finds no place is not folded.
 */
#define LSM_FOLDS 512 /* a power of two */
/* One more place, whose word alone is used: events that found the ring buffer full, and that no reader has been told of. */
#define LSM_FOLDS_LOST LSM_FOLDS
#define LSM_FOLDS_SIZE (LSM_FOLDS + 1)
#define LSM_FOLD_BURST 16
#define LSM_FOLD_CLOCK_SHIFT 28 /* 0.27 s */
#define LSM_FOLD_WINDOW 4       /* of these */
#define LSM_FOLD_COUNT_MASK 0x7fffffULL
#define LSM_FOLD_COUNT(w) ((w)&LSM_FOLD_COUNT_MASK)
#define LSM_FOLD_TOLD_ONE (1ULL << 23)
#define LSM_FOLD_TOLD(w) (((w) >> 23) & 31)
#define LSM_FOLD_EPOCH_MASK 0xffffffULL
#define LSM_FOLD_EPOCH(ns) (((ns) >> LSM_FOLD_CLOCK_SHIFT) & LSM_FOLD_EPOCH_MASK)
#define LSM_FOLD_SEQ_ONE (1ULL << 52)
#define LSM_FOLD_SEQ_MASK (0x7ffULL << 52)
#define LSM_FOLD_READY (1ULL << 63)
/* The window is not over. */
#define LSM_FOLD_OPEN(w, ns) (((LSM_FOLD_EPOCH(ns) - ((w) >> 28)) & LSM_FOLD_EPOCH_MASK) < LSM_FOLD_WINDOW)
/* A window that begins now, with one event told. */
#define LSM_FOLD_BEGIN(seq, ns) ((seq) | LSM_FOLD_EPOCH(ns) << 28 | LSM_FOLD_TOLD_ONE)

struct lsm_fold {
        __u64 word;
        __u64 first_ns, last_ns; /* of what is folded and not told */
        struct lsm_event event;  /* the first of its kind that was told here */
};
_Static_assert(sizeof(struct lsm_fold) == 24 + sizeof(struct lsm_event) && sizeof(struct lsm_fold) % 8 == 0, "layout");
