/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is asked of the rules of a class, and for which of these questions it is known that no rule has anything to say.
 *
 * A rule is mostly about what somebody else does: "nobody but this program writes here". So nearly all questions about a path
 * that a rule names end with no rule that holds, and they are the same again and again: the same task, another file of the same
 * class. All that such an answer depends on is in the question; the tables do not change as long as the bundle's generation lives.
 * What a rule has to say is never remembered: it is counted and told each time.
 */
#pragma once

#include "lsm_rules_host.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct id___rules {
        __u32 val;
};

struct cred___ids {
        struct id___rules uid, gid;
};

struct task_struct___asks {
        const struct cred___ids *cred;
        char comm[LSM_COMM_LEN];
};

#pragma clang attribute pop

#define QUESTION_WORDS 8

/* All that rules may ask for, of the task, too: who asks twice could be told two things. */
struct rules_question {
        union {
                struct {
                        __u32 seen, within; /* classes: CLASSES() of a path; 0 for what has none */
                        __u16 op;           /* enum lsm_op */
                        __u16 host;         /* the task is the node's own; false where no rule of the classes asks for it */
                        __u32 value;        /* a capability, a device, ...: what rule.object asks for */
                        __u32 owner;        /* uid of the file's owner; ~0: nobody's */
                        __u32 fs;           /* as in struct rules_told */
                        __u32 exe, parent;  /* classes of the task's program and of its parent's; 0 where no rule asks */
                        __u64 out;          /* policies (bits) in whose scope the task is not */
                        __u32 uid, gid;
                        char comm[LSM_COMM_LEN];
                };
                __u64 words[QUESTION_WORDS];
        };
};
_Static_assert(sizeof(struct rules_question) == QUESTION_WORDS * sizeof(__u64),
               "no gap, of which nobody would know what is in it");
_Static_assert(__builtin_offsetof(struct rules_question, comm) == (QUESTION_WORDS - 2) * sizeof(__u64) && LSM_COMM_LEN == 16,
               "the last two words");

/* The task's own part. Read where it is: bpf_get_current_comm() and bpf_get_current_uid_gid() take 250 instructions for the same. The
 * kernel fills a name up with zeros when it sets it. */
static __always_inline void question_task(struct rules_question *q) {
        const struct task_struct___asks *task = (void *)bpf_get_current_task_btf();

        q->uid = task->cred->uid.val;
        q->gid = task->cred->gid.val;
        q->words[QUESTION_WORDS - 2] = *(const volatile __u64 *)&task->comm[0];
        q->words[QUESTION_WORDS - 1] = *(const volatile __u64 *)&task->comm[sizeof(__u64)];
}

struct answered {
        __u64 version; /* odd while it is written */
        struct rules_question q;
};

#define ANSWERED_BITS 10
struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1 << ANSWERED_BITS);
        __type(key, __u32);
        __type(value, struct answered);
} lsm_rules_answered SEC(".maps");

/* The question's place. Where two have the same, the later one takes it. */
static __always_inline struct answered *answered_at(const struct rules_question *q) {
        __u64 place = 0;

        for (__u32 i = 0; i < QUESTION_WORDS; i++)
                place = (place + q->words[i]) * 0x9e3779b97f4a7c15ULL;
        return TABLE_AT(lsm_rules_answered, place >> (64 - ANSWERED_BITS));
}

/* Is it known that no rule has anything to say? Version 0: nobody has written there yet. */
static __noinline bool rules_answered(const struct rules_question *q) {
        const struct answered *a = answered_at(q);
        const volatile struct answered *v = a;
        __u64 version, different = 0;

        if (!v)
                return false;
        version = version_take(&a->version);
        for (__u32 i = 0; i < QUESTION_WORDS; i++)
                different |= v->q.words[i] ^ q->words[i];
        return version_stands(&a->version, version) && version && !different;
}

static __noinline void rules_answered_keep(const struct rules_question *q) {
        struct answered *a = answered_at(q);
        volatile struct answered *v = a;

        if (!v || !version_begin(&a->version))
                return;
        for (__u32 i = 0; i < QUESTION_WORDS; i++)
                v->q.words[i] = q->words[i];
        version_end(&a->version);
}
