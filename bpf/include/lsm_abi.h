/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What policies (compiled by lsmbundle), the agent's own programs and the agent share. Any change of a layout, a map name or
 * a meaning here raises LSM_ABI; the manifest states it, and an agent refuses a number it does not know.
 *
 * Included from BPF C and from user space: __u32 and friends must be known before.
 */
#pragma once

#define LSM_ABI 1

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

/* Names of the maps that the loader replaces by the agent's: `lsm_slots_HOOK` (the hook's PROG_ARRAY) and `lsm_events`.
 * `lsm_counters` is the policy's own. */

struct lsm_counters { /* per CPU */
        __u64 denied;
        __u64 would_deny;
        __u64 lost;   /* events that found the ring buffer full */
        __u64 errors; /* decisions taken without what was needed to decide */
};
_Static_assert(sizeof(struct lsm_counters) == 32, "layout");

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
};
_Static_assert(sizeof(struct lsm_event) == 64 + 16 + 64 + 256, "layout");
