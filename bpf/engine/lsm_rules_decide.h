/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* From an operation, its object and the task to a verdict. */
#pragma once

#ifdef LSM_SCOPE_CELLS
/* A call of its own, for want of stack. */
static __noinline __u64 rules_out_of_scope(void) {
        return ~lsm_scopes();
}
#else
#define rules_out_of_scope() 0
#endif

static __always_inline bool rules_member(__u32 set, const void *value, __u32 size) {
        struct lsm_rules_member key = {.set = set};

        __builtin_memcpy(key.value, value, size);
        return bpf_map_lookup_elem(&lsm_rules_members, &key) != NULL;
}

static __always_inline bool subject_number_in(__u32 set, __u32 value) {
        return !set || rules_member(set, &value, sizeof(value));
}

#if RULES_DEVICES
/* Is a device (LSM_DEVICE_VALUE()) in a set of them? Not inlined, for want of stack. */
__noinline int rules_device_in(__u32 set, __u32 value) {
        struct lsm_rules_device member = {value, LSM_DEVICE_MASK_ONE};

        if (!value) /* nearly always */
                return 0;
        if (rules_member(set, &member, sizeof(member)))
                return 1;
        member = (struct lsm_rules_device){value & LSM_DEVICE_MASK_MAJOR, LSM_DEVICE_MASK_MAJOR};
        if (rules_member(set, &member, sizeof(member)))
                return 1;
        member = (struct lsm_rules_device){value & LSM_DEVICE_MASK_KIND, LSM_DEVICE_MASK_KIND};
        return rules_member(set, &member, sizeof(member));
}
#endif

/* Is the rule about such an object? */
static __always_inline bool object_is(const struct lsm_rules_rule *rule, __u32 value) {
#if RULES_DEVICES
        if (rule->object && rule->object_mask == LSM_OBJECT_DEVICES)
                return value == LSM_DEVICE_FOLDER ? !(rule->subject.flags & LSM_SUBJECT_NO_PATH)
                                                  : rules_device_in(rule->object, value);
#endif
        return subject_number_in(rule->object, value & rule->object_mask);
}

static __always_inline bool fs_is(const struct lsm_rules_rule *rule, __u32 fs) {
        if (!RULES_FS || !rule->fs)
                return true;
        if (fs & LSM_FS_BELOW && !(rule->subject.flags & LSM_SUBJECT_NO_PATH))
                return true;
        fs &= ~LSM_FS_BELOW;
        return fs == LSM_FS_UNKNOWN ? rule->action != LSM_RULE_ALLOW : subject_number_in(rule->fs, fs);
}

/* The class of the path of the task's program, or of its parent's; 0: it has none. */
__noinline __u32 rules_exe(int parent) {
        const struct task_struct___rules *task = (void *)bpf_get_current_task_btf();
        struct path_classes classes = {};
        const struct mm_struct *mm;
        struct file *exe;

        if (parent)
                task = task->real_parent;
        mm = task->mm;
        if (!mm)
                return 0;
        exe = mm->exe_file;
        if (!exe)
                return 0;
        file_classes_find(exe, &classes);
        return classes.seen;
}

static __always_inline bool subject_comm_in(__u32 set, const struct rules_question *q) {
        return !set || rules_member(set, q->comm, sizeof(q->comm));
}

static __always_inline bool subject_is(const struct lsm_rules_subject *s, const struct rules_question *q) {
        bool owner = q->owner == q->uid;

        if (s->flags & LSM_SUBJECT_OWNER && !owner)
                return false;
        if (s->flags & LSM_SUBJECT_NOT_OWNER && owner)
                return false;
        if (s->flags & (LSM_SUBJECT_HOST | LSM_SUBJECT_NOT_HOST) && q->host != !!(s->flags & LSM_SUBJECT_HOST))
                return false;
        return subject_number_in(s->uid, q->uid) && subject_number_in(s->gid, q->gid) && subject_comm_in(s->comm, q) &&
               subject_number_in(s->exe, q->exe) && subject_number_in(s->parent, q->parent);
}

static __always_inline void rule_count(__u32 index, __u32 action, bool denied) {
        struct lsm_rules_count *c = TABLE_AT(lsm_rules_counts, index);

        if (!c)
                return;
        if (action == LSM_RULE_ALLOW)
                __sync_fetch_and_add(&c->allowed, 1);
        else if (denied)
                __sync_fetch_and_add(&c->denied, 1);
        else
                __sync_fetch_and_add(&c->would_deny, 1);
}

/* Is the rule about this task? */
__noinline int rules_hold(__u32 index, const struct rules_question *q) {
        const struct lsm_rules_rule *rule = TABLE_AT(lsm_rules_rules, index);

        if (!q || !rule || !subject_is(&rule->subject, q))
                return 0;
        return !(rule->unless.flags & LSM_SUBJECT_ANY && subject_is(&rule->unless, q));
}

static __always_inline bool rule_denies(const struct lsm_rules_rule *rule) {
        const struct lsm_rules_set *set = TABLE_AT(lsm_rules_sets, rule->ruleset);

        return rule->action <= LSM_RULE_KILL && set && set->mode == LSM_MODE_ENFORCE;
}

enum ask {
        ASK_WITHIN = 1 << 0, /* the view by which no rule may allow, and in which rules without a path have been asked already */
        ASK_DENY = 1 << 1,   /* only for a denial; else only for what is to be reported, when nobody denies */
};

#define RULES_MORE ~0U /* nobody denies, and some rule holds that allows or reports: to be asked once more, without ASK_DENY */

struct asked {
        const struct rules_question *q;
        __u64 decided;
        __u32 first, how;
        __u32 found; /* 1 + the rule's index, or RULES_MORE */
};

static long rules_ask_one(__u32 i, void *ctx) {
        struct asked *a = ctx;
        const struct rules_question *q = a->q;
        const __u32 *index = TABLE_AT(lsm_rules_refs, a->first + i);
        const struct lsm_rules_rule *rule = index ? TABLE_AT(lsm_rules_rules, *index) : NULL;

        if (!rule || a->decided & 1ULL << (rule->ruleset & 63) || !(rule->ops & LSM_OP_BIT(q->op & 63)) ||
            (a->how & ASK_WITHIN && (rule->action == LSM_RULE_ALLOW || rule->subject.flags & LSM_SUBJECT_NO_PATH)) ||
            !object_is(rule, q->value) || !fs_is(rule, q->fs) || !rules_hold(*index, q))
                return 0;
        if (a->how & ASK_DENY ? rule_denies(rule) : rule->action != LSM_RULE_ALLOW) {
                a->found = 1 + *index;
                return 1;
        }
        a->decided |= 1ULL << (rule->ruleset & 63);
        if (a->how & ASK_DENY)
                a->found = RULES_MORE;
        else
                rule_count(*index, LSM_RULE_ALLOW, false);
        return 0;
}

/* The first of a class's rules that decides for a policy that has not decided yet (a bit in `decided`), 1 + its index; 0: none; or
 * RULES_MORE. */
__noinline __u32 rules_ask(__u32 class, __u32 how, __u64 decided, const struct rules_question *q) {
        const struct lsm_rules_class *c = TABLE_AT(lsm_rules_classes, class);
        struct asked a = {.q = q, .decided = decided, .how = how};

        if (!c || !q)
                return 0;
        a.decided |= q->out;
        a.first = c->first;
        bpf_loop(c->n, rules_ask_one, &a, 0);
        return a.found;
}

/* ---- from rules to what is told ------------------------------------------------------------------------------------------- */

#define RULES_REPORTS 4 /* policies of a bundle that may report the same operation, where nobody denies it */
#define RULES_TOLD 4    /* the same for all that a hook asks of them */

/* Which rules have something to say about an operation. First all are asked, by functions that are verified once; then they are
 * told, which is verified once as well. */
struct rules_told {
        __u32 denies; /* 1 + index of the rule; 0: none. Then nothing more is asked */
        __u16 n;
        __u16 fs;                  /* what they are asked about: a type's number, LSM_FS_UNKNOWN, LSM_FS_BELOW */
        __u32 reports[RULES_TOLD]; /* indices */
};

static __always_inline void told_report(struct rules_told *told, __u32 index) {
        __u32 n = told->n;

        if (n >= RULES_TOLD)
                return;
        told->reports[n] = index;
        told->n = n + 1;
}

/* All policies' answers to a question about a class. Returns whether any rule had something to say. */
static __noinline bool class_ask(struct rules_told *told, __u32 class, __u32 how, const struct rules_question *q) {
        __u32 index = rules_ask(class, how | ASK_DENY, 0, q);
        __u64 decided = 0;

        if (index != RULES_MORE) {
                told->denies = index;
                return index;
        }
        for (__u32 i = 0; i < RULES_REPORTS; i++) {
                const struct lsm_rules_rule *rule;

                index = rules_ask(class, how, decided, q);
                rule = index ? TABLE_AT(lsm_rules_rules, index - 1) : NULL;
                if (!rule)
                        break;
                decided |= 1ULL << (rule->ruleset & 63);
                told_report(told, index - 1);
        }
        return true;
}

#define NOBODY ~0U

static __always_inline __u32 owner_of(const struct inode *inode) {
        return inode ? inode->i_uid.val : NOBODY;
}

#define RULES_S_IFCHR 0020000
#define RULES_S_IFBLK 0060000

/* The kernel's own numbers: 12 bits and 20. */
static __always_inline __u32 device_value(__u32 mode, __u32 major, __u32 minor) {
        __u32 kind = mode & S_IFMT;

        if (kind != RULES_S_IFBLK && kind != RULES_S_IFCHR)
                return 0;
        return LSM_DEVICE_VALUE(kind == RULES_S_IFBLK ? LSM_DEVICE_BLOCK : LSM_DEVICE_CHAR, major, minor);
}

static __always_inline __u32 device_of(const struct inode *inode) {
        return RULES_DEVICES && inode ? device_value(inode->i_mode, inode->i_rdev >> 20, inode->i_rdev & LSM_DEVICE_MINOR_MAX)
                                      : 0;
}

/* Of something that is moved. */
static __always_inline __u32 device_moved(const struct inode *inode) {
        return inode && (inode->i_mode & S_IFMT) == S_IFDIR ? LSM_DEVICE_FOLDER : device_of(inode);
}

#if RULES_FS
/* A type's number, by its name; mounter: as mount(2) is told it, where a program may have put a name of its own behind a dot. Not
 * inlined, for want of stack. */
__noinline __u32 rules_fs(__u64 name, int mounter) {
        struct lsm_rules_fs key = {};
        long n = bpf_probe_read_kernel_str(key.name, sizeof(key.name), (const void *)name);
        bool dot = false;
        const __u32 *number;

        if (n <= 0)
                return LSM_FS_UNKNOWN;
        for (__u32 i = 0; i < sizeof(key.name); i++) {
                dot = dot || (mounter && key.name[i] == '.');
                if (dot)
                        key.name[i] = 0;
        }
        if (key.name[LSM_FS_NAME_MAX])
                return 0;
        number = bpf_map_lookup_elem(&lsm_rules_fs, &key);
        return number ? *number : 0;
}

/* A call of its own, for want of stack. */
static __noinline __u32 fs_of(const struct super_block *sb) {
        return rules_fs(address_of(sb->s_type->name), false);
}
#endif

/* What the rules of these classes are asked about is on that file system; below: and on all that is mounted further down. */
static __always_inline void fs_note(struct rules_told *told, const struct path_classes *classes, const struct super_block *sb,
                                    bool below) {
#if RULES_FS
        if (classes->ops & LSM_CLASS_FS)
                told->fs = fs_of(sb) | (below ? LSM_FS_BELOW : 0);
#endif
}

/* PAIR() of the classes of a task's program and of its parent's; and whether the task is the node's own: there are five arguments. */
#define WHO_HOST (1ULL << 63)
_Static_assert(LSM_CELLS_MAX < 1u << 31, "a class's number has a bit to spare");

static __always_inline void question_make(struct rules_question *q, const struct rules_told *told, __u64 classes, __u64 op_value,
                                          __u32 owner, __u64 who) {
        q->seen = classes >> 32;
        q->within = classes;
        q->op = op_value >> 32;
        q->host = !!(who & WHO_HOST);
        q->value = op_value;
        q->owner = owner;
        q->fs = told->fs;
        q->exe = (who & ~WHO_HOST) >> 32;
        q->parent = who;
        q->out = rules_out_of_scope();
        question_task(q);
}

#define RULES_NOT_SEEN ~0U /* for a class: nothing that a task sees; it is known by its place in its file system alone */

/* classes: CLASSES() of a path; 0 for what has none. who: who_find() of these. */
__noinline int rules_judge(struct rules_told *told, __u64 classes, __u64 op_value, __u64 who, __u32 owner) {
        struct rules_question q;
        bool any = false;

        if (!told || told->denies)
                return 0;
        question_make(&q, told, classes, op_value, owner, who);
        if (rules_answered(&q))
                return 0;
        if (q.seen != RULES_NOT_SEEN)
                any = class_ask(told, q.seen, 0, &q);
        if (!told->denies && q.within != q.seen)
                any |= class_ask(told, q.within, ASK_WITHIN, &q);
        if (!any)
                rules_answered_keep(&q);
        return 0;
}

/* The task's programs and so on, as far as rules of classes with these `ops` ask for them. */
static __always_inline __u64 who_find(__u64 ops) {
        __u64 who = ops & LSM_CLASS_HOST && rules_host() ? WHO_HOST : 0;

        if (ops & LSM_CLASS_EXE)
                who |= PAIR(rules_exe(0), 0);
        if (ops & LSM_CLASS_PARENT)
                who |= rules_exe(1);
        return who;
}

/* For a function's argument, or where there is no stack for more. */
#define CLASSES(c) PAIR((c)->seen, (c)->within)

/* An operation on a path of these classes. device: of what is there, or is to be. */
static __always_inline void path_judge_device(struct rules_told *told, const struct path_classes *classes, __u32 op,
                                              const struct inode *inode, __u32 device) {
        if (classes->ops & LSM_OP_BIT(op))
                rules_judge(told, CLASSES(classes), PAIR(op, device), who_find(classes->ops), owner_of(inode));
}

static __always_inline void path_judge(struct rules_told *told, const struct path_classes *classes, __u32 op,
                                       const struct inode *inode) {
        path_judge_device(told, classes, op, inode, device_of(inode));
}

/* ---- telling -------------------------------------------------------------------------------------------------------------- */

#define HOOK(name) lsm_chain_##name.hook

struct telling {
        struct lsm_call *lsm;
        const struct rules_told *told;
        __u32 hook;
};

static long rules_report_one(__u32 i, void *ctx) {
        struct telling *t = ctx;
        const struct lsm_rules_rule *rule = i < RULES_TOLD ? TABLE_AT(lsm_rules_rules, t->told->reports[i]) : NULL;

        if (!rule)
                return 1;
        rule_count(t->told->reports[i], rule->action, false);
        t->lsm->why = rule->id;
        t->lsm->rule = 1 + t->told->reports[i];
        lsm_report(t->lsm, rule->error, t->hook, true);
        return 0;
}

static __noinline void rules_report(struct lsm_call *lsm, const struct rules_told *told, __u32 hook) {
        struct telling t = {.lsm = lsm, .told = told, .hook = hook};

        bpf_loop(told->n, rules_report_one, &t, 0);
}

/* Returns the errno to deny with; 0: nobody denies. */
static __always_inline __u32 rules_tell(struct lsm_call *lsm, const struct rules_told *told, __u32 hook) {
        const struct lsm_rules_rule *rule;

        if (told->n && lsm_config.mode != LSM_MODE_SHADOW) /* in force, they would deny nothing */
                rules_report(lsm, told, hook);
        rule = told->denies ? TABLE_AT(lsm_rules_rules, told->denies - 1) : NULL;
        if (!rule)
                return 0;
        rule_count(told->denies - 1, rule->action, lsm_config.mode == LSM_MODE_ENFORCE);
        lsm->why = rule->id;
        lsm->rule = told->denies;
        if (rule->action == LSM_RULE_KILL && lsm_config.mode == LSM_MODE_ENFORCE)
                bpf_send_signal(SIGKILL);
        return rule->error ?: EPERM;
}

/* An operation that is not on a path. */
static __always_inline __u32 value_decide(struct lsm_call *lsm, __u32 op, __u32 value, __u32 hook) {
        struct rules_told told = {};
        __u64 ops = class_ops(0);

        if (!(ops & LSM_OP_BIT(op)))
                return 0;
        rules_judge(&told, 0, PAIR(op, value), who_find(ops), NOBODY);
        return rules_tell(lsm, &told, hook);
}
