/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules that never decide, and do not look it: because no task is left that they are about, or because other rules of the same
 * policy are asked first for all that they are about. Nobody writes that on purpose.
 */
#include "rules_cover.h"

#define GROUP_MAX 256 /* beyond that many different globs with one beginning, only equal ones are compared */

/* What one path of a rule is about: `rest` is what of the rule's operations no other rule decides first. */
struct reach {
        const struct rules_rule *rule;
        const struct rules_path *path; /* NULL: the rule names none */
        uint64_t rest;
        const struct rules_rule *by; /* the one that decides first */
};

struct reaches {
        struct reach *v;
        struct reach **sorted;
        size_t n;
};

static void reaches_done(struct reaches *r) {
        free(r->v);
        free(r->sorted);
}

static int literal_cmp(const struct path_pattern *a, const struct path_pattern *b) {
        int r = memcmp(a->prefix, b->prefix, a->literal < b->literal ? a->literal : b->literal);

        return r != 0 ? r : (a->literal > b->literal) - (a->literal < b->literal);
}

/* Groups of paths that are equally specific and begin alike; in a group the same text side by side. */
static int group_cmp(const struct reach *x, const struct reach *y) {
        const struct path_pattern *a, *b;

        if (!x->path || !y->path)
                return !!x->path - !!y->path;
        a = &x->path->pattern;
        b = &y->path->pattern;
        if ((a->kind == PATH_ADDRESS) != (b->kind == PATH_ADDRESS))
                return a->kind == PATH_ADDRESS ? -1 : 1;
        if (a->kind == PATH_ADDRESS)
                return strcmp(a->text, b->text);
        if ((a->kind == PATH_EXACT) != (b->kind == PATH_EXACT))
                return a->kind == PATH_EXACT ? -1 : 1;
        return literal_cmp(a, b);
}

/* All that is an exception to x is one to y, too. */
static bool exceptions_cover(const struct rules_rule *x, const struct rules_rule *y) {
        for (size_t i = 0; i < x->except.n; i++) {
                bool found = false;

                for (size_t k = 0; k < y->except.n && !found; k++)
                        found = streq(x->except.v[i].pattern.text, y->except.v[k].pattern.text);
                if (!found)
                        return false;
        }
        return true;
}

static int text_cmp(const struct reach *x, const struct reach *y) {
        return x->path && y->path ? strcmp(x->path->pattern.text, y->path->pattern.text) : 0;
}

static int reach_cmp(const void *a, const void *b) {
        const struct reach *x = *(const struct reach *const *)a, *y = *(const struct reach *const *)b;
        int r = group_cmp(x, y);

        if (r == 0)
                r = text_cmp(x, y);
        if (r == 0)
                r = rules_asked_cmp(x->rule, y->rule);
        return r;
}

/* x is asked before y for all that both are about; does it leave anything of y? */
static void reach_cut(const struct reach *x, struct reach *y) {
        if (x->rule == y->rule || !(x->rule->ops & y->rest) || rules_asked_cmp(x->rule, y->rule) > 0 ||
            !rules_cover_tasks(x->rule, y->rule) || !exceptions_cover(x->rule, y->rule))
                return;
        if (x->rule->on_error_allow && !y->rule->on_error_allow && y->rule->action <= LSM_RULE_KILL)
                return; /* what y denies when it is not sure, x lets through */
        if (x->path && text_cmp(x, y) != 0 && !path_pattern_covers(&x->path->pattern, &y->path->pattern))
                return;
        y->rest &= ~x->rule->ops;
        if (!y->by)
                y->by = x->rule;
}

static void group_cut(struct reach *const *group, size_t n) {
        for (size_t i = 0; i < n; i++) {
                for (size_t k = i + 1; k < n; k++) {
                        if (n > GROUP_MAX && text_cmp(group[i], group[k]) != 0)
                                break;
                        reach_cut(group[i], group[k]);
                        reach_cut(group[k], group[i]);
                }
        }
}

static bool reaches_make(const struct rules_policy *policy, struct reaches *ret) {
        size_t n = 0;

        for (size_t i = 0; i < policy->n; i++)
                n += policy->rules[i].paths.n ?: 1;
        ret->v = new_array(n, sizeof(*ret->v));
        ret->sorted = new_array(n, sizeof(*ret->sorted));
        if (!ret->v || !ret->sorted)
                return false;
        for (size_t i = 0; i < policy->n; i++) {
                const struct rules_rule *rule = &policy->rules[i];

                for (size_t k = 0; k < (rule->paths.n ?: 1); k++) {
                        ret->sorted[ret->n] = &ret->v[ret->n];
                        ret->v[ret->n++] = (struct reach){rule, rule->paths.n > 0 ? &rule->paths.v[k] : NULL, rule->ops, NULL};
                }
        }
        qsort(ret->sorted, ret->n, sizeof(*ret->sorted), reach_cmp);
        for (size_t i = 0, end; i < ret->n; i = end) {
                for (end = i + 1; end < ret->n && group_cmp(ret->sorted[i], ret->sorted[end]) == 0;)
                        end++;
                group_cut(ret->sorted + i, end - i);
        }
        return true;
}

/* v: all of one rule's. */
static void report_rule(const struct reach *v, size_t n, struct diags *diags) {
        const struct rules_rule *rule = v->rule;
        size_t n_dead = 0;

        for (size_t i = 0; i < n; i++)
                n_dead += v[i].rest == 0;
        if (n_dead == n) {
                diag_error(diags, rule->pos,
                           "rule '%s' never decides: rule '%s' in line %u is asked first for all that it is about%s", rule->id,
                           v->by->id, v->by->pos.line, n > 1 ? ", or others are" : "");
                return;
        }
        if (!v[0].path)
                return;
        for (size_t i = 0, end; i < n; i = end) {
                bool dead = true;

                /* An address may be several patterns. */
                for (end = i;
                     end < n && v[end].path->pos.line == v[i].path->pos.line && v[end].path->pos.column == v[i].path->pos.column;
                     end++)
                        dead = dead && v[end].rest == 0;
                if (dead)
                        diag_warning(diags, v[i].path->pos,
                                     "rule '%s' never decides about '%s': rule '%s' in line %u is asked first", rule->id,
                                     rules_path_text(v[i].path), v[i].by->id, v[i].by->pos.line);
        }
}

static void check_default(const struct rules_policy *policy, struct diags *diags) {
        static const struct rules_rule any;
        uint64_t rest = policy->default_deny;
        char words[512];

        for (size_t i = 0; i < policy->n; i++)
                if (policy->rules[i].paths.n == 0 && rules_cover_tasks(&policy->rules[i], &any))
                        rest &= ~policy->rules[i].ops;
        rules_ops_show(policy->default_deny & ~rest, words, sizeof(words));
        if (rest != policy->default_deny)
                diag_warning(diags, policy->default_pos, "'default' never decides about %s: a rule without 'path' does", words);
}

/* Another policy's denials cannot be taken back: who allows without denying has most likely mistaken the file. */
static void check_allowed(const struct rules_policy *policy, struct diags *diags) {
        uint64_t denied = policy->default_deny;

        for (size_t i = 0; i < policy->n; i++)
                if (policy->rules[i].action != LSM_RULE_ALLOW)
                        denied |= policy->rules[i].ops;
        for (size_t i = 0; i < policy->n; i++) {
                const struct rules_rule *rule = &policy->rules[i];

                if (rule->action == LSM_RULE_ALLOW && !(rule->ops & denied))
                        diag_warning(diags, rule->pos, "rule '%s' allows what nothing in this policy denies", rule->id);
        }
}

/* The agent calls bpf() to replace and to remove what is loaded. */
static void check_agent(const struct rules_policy *policy, struct diags *diags) {
        for (size_t i = 0; i < policy->n; i++) {
                const struct rules_rule *rule = &policy->rules[i];

                if (rule->ops & LSM_OP_BIT(LSM_OP_BPF) && rule->action <= LSM_RULE_KILL && rule->subject.exe.n == 0 &&
                    rule->unless.exe.n == 0)
                        diag_warning(diags, rule->pos,
                                     "rule '%s' may deny bpf() to lsmpull, too, which could then neither replace nor remove it: "
                                     "name its program in 'unless: {exe: ...}'",
                                     rule->id);
        }
        if (policy->default_deny & LSM_OP_BIT(LSM_OP_BPF))
                diag_warning(diags, policy->default_pos,
                             "'default' denies bpf() to lsmpull, too, unless a rule allows it: it could then neither replace nor "
                             "remove this policy");
}

void rules_policy_check(const struct rules_policy *policy, struct diags *diags) {
        cleanup(reaches_done) struct reaches reaches = {};
        size_t at = 0;

        for (size_t i = 0; i < policy->n; i++) {
                const struct rules_rule *rule = &policy->rules[i];

                if (rule->has_unless && rules_subject_covers(&rule->unless, &rule->subject))
                        diag_error(diags, rule->pos, "rule '%s' never decides: 'unless' takes away every task that it is about",
                                   rule->id);
        }
        if (!reaches_make(policy, &reaches)) {
                diag_error(diags, policy->n > 0 ? policy->rules[0].pos : policy->default_pos, "out of memory");
                return;
        }
        for (size_t i = 0; i < policy->n; i++) {
                size_t n = policy->rules[i].paths.n ?: 1;

                report_rule(reaches.v + at, n, diags);
                at += n;
        }
        check_default(policy, diags);
        check_allowed(policy, diags);
        check_agent(policy, diags);
}
