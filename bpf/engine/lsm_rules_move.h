/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A name that changes, or one more name: a task that may not do something to an object where it is must not give it a name under
 * which it may. What moves with a folder is all that rules name below it, and what they say of names that are to come: else these
 * could be made while it is away.
 */
#pragma once

#define RULES_ON_FILES                                                                                                           \
        (LSM_OP_BIT(LSM_OP_FILE_READ) | LSM_OP_BIT(LSM_OP_FILE_WRITE) | LSM_OP_BIT(LSM_OP_FILE_EXEC) | LSM_OP_BIT(LSM_OP_EXEC) | \
         LSM_OP_BIT(LSM_OP_FILE_MMAP_EXEC) | LSM_OP_BIT(LSM_OP_FILE_UNLINK) | LSM_OP_BIT(LSM_OP_FILE_CHMOD) |                    \
         LSM_OP_BIT(LSM_OP_FILE_CHOWN) | LSM_OP_BIT(LSM_OP_FILE_TRUNCATE) | LSM_OP_BIT(LSM_OP_FILE_SETXATTR) |                   \
         LSM_OP_BIT(LSM_OP_SOCKET_CONNECT) | LSM_OP_BIT(LSM_OP_SOCKET_SENDMSG) | LSM_OP_BIT(LSM_OP_MOUNT) |                      \
         LSM_OP_BIT(LSM_OP_UMOUNT) | LSM_OP_BIT(LSM_OP_MOVE_MOUNT) | LSM_OP_BIT(LSM_OP_PIVOT_ROOT))

#define RULES_ON_FOLDERS                                                                                                   \
        (RULES_ON_FILES | LSM_OP_BIT(LSM_OP_FILE_CREATE) | LSM_OP_BIT(LSM_OP_FILE_MKNOD) | LSM_OP_BIT(LSM_OP_FILE_MKDIR) | \
         LSM_OP_BIT(LSM_OP_FILE_SYMLINK) | LSM_OP_BIT(LSM_OP_FILE_LINK) | LSM_OP_BIT(LSM_OP_FILE_RENAME) |                 \
         LSM_OP_BIT(LSM_OP_SOCKET_BIND))

__noinline __u32 rules_class_has(__u32 class, __u32 rule) {
        const struct lsm_rules_class *c = TABLE_AT(lsm_rules_classes, class);
        __u32 first, n;

        if (!c)
                return 0;
        first = c->first;
        n = c->n;
        for (__u32 i = 0; i < LSM_CLASS_RULES_MAX; i++) {
                const __u32 *index;

                if (i >= n)
                        break;
                index = TABLE_AT(lsm_rules_refs, first + i);
                if (index && *index == rule)
                        return 1;
        }
        return 0;
}

struct lost {
        const struct rules_question *q;
        __u64 allowed; /* operations that a rule further in front allows, in this policy */
        __u32 first, to, set;
        __u32 found; /* 1 + the rule's index */
};

/* A rule about devices is about nothing else that is moved. */
static __always_inline bool object_moves(const struct lsm_rules_rule *rule, __u32 device) {
        return !RULES_DEVICES || !rule->object || rule->object_mask != LSM_OBJECT_DEVICES || object_is(rule, device);
}

static long rules_lost_one(__u32 i, void *ctx) {
        struct lost *l = ctx;
        const __u32 *index = TABLE_AT(lsm_rules_refs, l->first + i);
        const struct lsm_rules_rule *rule = index ? TABLE_AT(lsm_rules_rules, *index) : NULL;
        __u64 ops;

        if (!rule)
                return 0;
        if (rule->ruleset != l->set) {
                l->set = rule->ruleset;
                l->allowed = 0;
        }
        if (l->q->out & 1ULL << (rule->ruleset & 63))
                return 0;
        ops = rule->ops & (l->q->value == LSM_DEVICE_FOLDER ? RULES_ON_FOLDERS : RULES_ON_FILES) & ~l->allowed;
        if (!ops || rule->subject.flags & LSM_SUBJECT_NO_PATH || !object_moves(rule, l->q->value) || !fs_is(rule, l->q->fs) ||
            !rules_hold(*index, l->q))
                return 0;
        if (rule->action == LSM_RULE_ALLOW || rule->action == LSM_RULE_AUDIT) {
                l->allowed |= ops;
                return 0;
        }
        if (rules_class_has(l->to, *index))
                return 0;
        l->found = 1 + *index;
        return 1;
}

/* The first rule that denies this task something at `from` and is not about `to`, 1 + its index; 0: none. What a rule further in front
 * allows is not denied. Rules of a policy stand together. */
__noinline __u32 rules_lost(__u32 from, __u32 to, const struct rules_question *q) {
        const struct lsm_rules_class *c = TABLE_AT(lsm_rules_classes, from);
        struct lost l = {.q = q, .to = to, .set = ~0U};

        if (!c || !q)
                return 0;
        l.first = c->first;
        bpf_loop(c->n, rules_lost_one, &l, 0);
        return l.found;
}

/* `from` and `to` are CLASSES(), `what` is PAIR() of the device and the owner of what is moved. */
__noinline int rules_judge_move(struct rules_told *told, __u64 from, __u64 to, __u64 who, __u64 what) {
        const struct lsm_rules_rule *rule;
        struct rules_question q;
        __u32 index;

        if (!told || told->denies)
                return 0;
        question_make(&q, told, from, what >> 32, (__u32)what, who);
        index = rules_lost(from >> 32, to >> 32, &q);
        if (!index && (__u32)from != from >> 32)
                index = rules_lost((__u32)from, (__u32)to, &q);
        rule = index ? TABLE_AT(lsm_rules_rules, index - 1) : NULL;
        if (rule && rule_denies(rule))
                told->denies = index;
        else if (rule)
                told_report(told, index - 1);
        return 0;
}

/* For a folder, `from` and `to` are the classes of all that may be below it. */
static __always_inline void move_judge(struct rules_told *told, __u64 from, __u64 to, const struct inode *inode) {
        __u64 ops = class_ops(from >> 32) | class_ops((__u32)from);

        if (ops & RULES_ON_FOLDERS)
                rules_judge_move(told, from, to, who_find(ops), PAIR(device_moved(inode), owner_of(inode)));
}
