/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of a hook's selectors. Tetragon asks one selector after the other, and what the first that matches says is done. Of
 * rules the most specific path is asked first, and a denial before an allowance: so what stands in front of a selector and does
 * less than it becomes its `unless`, or rules that allow more specific paths. When it is neither, the selector is left out.
 *
 * Denials and reports go to policies of their own, for policies do not overrule each other: a report never takes the place of a
 * denial. A selector that needs rules that allow has a policy for itself: these are about nobody else's denials.
 */
#include <stdio.h>

#include "import_tetragon.h"
#include "selftest.h"

static void selectors_done(struct tg_selector **v) {
        free(*v);
}

static void lost(struct tg *tg, const struct tg_selector *s, const char *why, const struct tg_selector *before) {
        import_left_out(tg->im, s->pos, "the selector: the one in line %u is asked before it, and %s", before->pos.line, why);
}

static bool copy(struct tg *tg, struct strv *to, const struct strv *from) {
        for (size_t i = 0; i < from->n; i++)
                tg_add(tg, to, from->v[i]);
        return true;
}

static bool about_tasks(const struct tg_selector *s) {
        return s->host || s->exe.n + s->not_exe.n + s->parent.n + s->not_parent.n > 0;
}

static bool about_objects(const struct tg_selector *s) {
        return s->ops.n + s->path.n + s->not_path.n + s->cap.n + s->family.n + s->type.n + s->protocol.n + s->signal.n +
                       s->command.n + s->address.n + s->not_address.n + s->port.n >
               0;
}

/* What a selector does not hold for, besides what it says itself. */
struct exceptions {
        struct strv paths; /* rules that allow these come first */
        struct strv exe;
};

static void exceptions_done(struct exceptions *e) {
        strv_done(&e->paths);
        strv_done(&e->exe);
}

/* Both name what they are about, and nothing is named by both. */
static bool lists_apart(const struct strv *a, const struct strv *b) {
        bool apart = a->n > 0 && b->n > 0;

        for (size_t i = 0; apart && i < a->n; i++)
                apart = !strv_has(b, a->v[i]);
        return apart;
}

static bool paths_apart(const struct strv *a, const struct strv *b) {
        bool apart = a->n > 0 && b->n > 0;

        for (size_t i = 0; apart && i < a->n; i++)
                for (size_t k = 0; apart && k < b->n; k++)
                        apart = tg_path_apart(a->v[i], b->v[k]);
        return apart;
}

static bool apart(const struct tg_selector *a, const struct tg_selector *b) {
        return lists_apart(&a->ops, &b->ops) || lists_apart(&a->cap, &b->cap) || lists_apart(&a->family, &b->family) ||
               lists_apart(&a->type, &b->type) || lists_apart(&a->protocol, &b->protocol) ||
               lists_apart(&a->signal, &b->signal) || lists_apart(&a->command, &b->command) || paths_apart(&a->path, &b->path);
}

/* Paths that are let go before those of the selector are asked. */
static bool paths_except(struct tg *tg, const struct tg_selector *s, const struct strv *paths, struct strv *ret) {
        cleanup_strv struct strv below = {};

        if (tg_paths_precede(paths, &s->path))
                return copy(tg, ret, paths);
        return tg_paths_below(tg, &s->path, paths, &below) && tg_paths_precede(&below, &s->path) && copy(tg, ret, &below);
}

/* `before` matches first, and does less: what it matches is taken away from s. false: cannot be said, reported. */
static bool except(struct tg *tg, const struct tg_selector *s, const struct tg_selector *before, struct exceptions *e) {
        size_t n_tasks = !!before->host + before->not_exe.n + before->parent.n + before->not_parent.n;

        if (before->unsaid)
                lost(tg, s, "cannot be said", before);
        else if (apart(before, s))
                return true;
        else if (!about_tasks(before) && !about_objects(before))
                lost(tg, s, "matches all", before);
        else if (before->exe.n > 0 && n_tasks == 0 && !about_objects(before))
                return copy(tg, &e->exe, &before->exe);
        else if (before->path.n > 0 && !about_tasks(before) && before->ops.n + before->not_path.n == 0) {
                if (paths_except(tg, s, &before->path, &e->paths))
                        return true;
                lost(tg, s, "its paths are not more specific", before);
        } else
                lost(tg, s, "what it matches cannot be taken away in rules", before);
        return false;
}

/* ---- rules ----------------------------------------------------------------------------------------------------------------- */

static struct import_policy *policy_make(struct tg *tg, enum tg_class class) {
        cleanup_free char *name = NULL;
        struct import_policy *policy;

        if (asprintf(&name, "%s%s", tg->name, class == TG_AUDIT ? "-audit" : "") < 0) {
                name = NULL;
                return NULL;
        }
        policy = import_policy_new(tg->im, tg->root->pos, name);
        if (policy)
                tg_try(tg, import_comment(&policy->comments, "%s (%s:%u)", tg->name, tg->root->pos.file, tg->root->pos.line));
        return policy;
}

static struct import_rule *rule_make(struct tg *tg, struct import_policy *policy, const struct tg_entry *entry,
                                     const struct tg_selector *s) {
        struct import_rule *rule = import_rule_new(policy, s->pos, entry->hook->name);

        if (!rule) {
                tg_try(tg, -ENOMEM);
                return NULL;
        }
        tg_try(tg, import_comment(&rule->comments, "%s:%u", s->pos.file, s->pos.line));
        for (size_t i = 0; s->ops.n == 0 && i < ARRAY_SIZE(entry->hook->ops) && entry->hook->ops[i]; i++)
                tg_try(tg, import_rule_add(rule, "on", entry->hook->ops[i]));
        for (size_t i = 0; i < s->ops.n; i++)
                tg_try(tg, import_rule_add(rule, "on", s->ops.v[i]));
        return rule;
}

static void key_add(struct tg *tg, struct import_rule *rule, const char *key, const struct strv *values) {
        for (size_t i = 0; i < values->n; i++)
                tg_try(tg, import_rule_add(rule, key, values->v[i]));
}

/* Each address with each port. */
static void to_add(struct tg *tg, struct import_rule *rule, const struct tg_selector *s) {
        cleanup_strv struct strv to = {};

        for (size_t i = 0; i < s->address.n; i++) {
                bool v6 = strchr(s->address.v[i], ':') != NULL;

                if (s->port.n == 0)
                        tg_add(tg, &to, s->address.v[i]);
                for (size_t k = 0; k < s->port.n; k++)
                        tg_try(tg, strv_addf(&to, "%s%s%s:%s", v6 ? "[" : "", s->address.v[i], v6 ? "]" : "", s->port.v[k]));
        }
        for (size_t k = 0; s->address.n == 0 && k < s->port.n; k++)
                tg_try(tg, strv_addf(&to, "*:%s", s->port.v[k]));
        if (s->not_address.n > 0 && to.n == 0)
                tg_add(tg, &to, "*"); /* of IP, as such a filter means it */
        for (size_t i = 0; i < s->not_address.n; i++)
                tg_try(tg, strv_addf(&to, "!%s", s->not_address.v[i]));
        key_add(tg, rule, "to", &to);
}

static void rules_add(struct tg *tg, struct import_policy *policy, const struct tg_entry *entry, const struct tg_selector *s,
                      const struct exceptions *e) {
        struct import_rule *rule = rule_make(tg, policy, entry, s);

        if (!rule)
                return;
        key_add(tg, rule, "path", &s->path);
        key_add(tg, rule, "cap", &s->cap);
        key_add(tg, rule, "family", &s->family);
        key_add(tg, rule, "type", &s->type);
        key_add(tg, rule, "protocol", &s->protocol);
        key_add(tg, rule, "signal", &s->signal);
        key_add(tg, rule, "command", &s->command);
        to_add(tg, rule, s);
        if (s->host)
                tg_try(tg, import_rule_add(rule, "host", s->host));
        key_add(tg, rule, "exe", &s->exe);
        key_add(tg, rule, "parent", &s->parent);
        for (size_t i = 0; i < e->exe.n; i++)
                tg_try(tg, import_rule_unless(rule, "exe", e->exe.v[i]));
        for (size_t i = 0; i < s->not_parent.n; i++)
                tg_try(tg, import_rule_unless(rule, "parent", s->not_parent.v[i]));
        if (s->class == TG_DENY && s->error > 0)
                tg_try(tg, import_rule_add(rule, "errno", errno_name(s->error)));
        tg_try(tg, import_rule_add(rule, "action", s->class == TG_AUDIT ? "audit" : s->kill ? "kill" : "deny"));
        if (e->paths.n == 0)
                return;
        rule = rule_make(tg, policy, entry, s);
        if (!rule)
                return;
        key_add(tg, rule, "path", &e->paths);
        tg_try(tg, import_rule_add(rule, "action", "allow"));
}

/* v[at] is one that denies or reports. */
static void selector_make(struct tg *tg, const struct tg_entry *entry, const struct tg_selector *v, size_t at) {
        cleanup(exceptions_done) struct exceptions e = {};
        const struct tg_selector *s = &v[at];
        struct import_policy *own = NULL, **policy = &tg->shared[s->class];

        for (size_t i = 0; i < at; i++)
                if (v[i].class < s->class && !except(tg, s, &v[i], &e))
                        return;
        copy(tg, &e.exe, &s->not_exe);
        if (s->not_path.n > 0 && !paths_except(tg, s, &s->not_path, &e.paths)) {
                import_left_out(tg->im, s->pos,
                                "the selector: its paths that are not meant are no more specific than the others");
                return;
        }
        if (e.exe.n > 0 && s->not_parent.n > 0) {
                import_left_out(tg->im, s->pos, "the selector: 'unless' has one of programs or of parents, not both");
                return;
        }
        if (streq(entry->hook->name, "mmap_file") && s->ops.n == 0)
                import_left_out(tg->im, s->pos, "mappings that are not to be executed: rules are asked when the file is opened");
        if (e.paths.n > 0)
                policy = &own;
        if (!*policy)
                *policy = policy_make(tg, s->class);
        if (!*policy)
                tg_try(tg, -ENOMEM);
        else
                rules_add(tg, *policy, entry, s, &e);
}

void tg_rules_make(struct tg *tg, const struct tg_entry *entry) {
        size_t n = entry->selectors ? entry->selectors->n : 0, n_all = n > 0 ? n : 1, before = tg->im->diags.n_errors;
        cleanup(selectors_done) struct tg_selector *v = new_array(n_all, sizeof(*v));

        if (!v) {
                tg_try(tg, -ENOMEM);
                return;
        }
        for (size_t i = 0; i < n_all; i++) {
                v[i].node = n > 0 ? entry->selectors->items[i] : NULL;
                v[i].pos = (v[i].node ?: entry->node)->pos;
                v[i].class = TG_AUDIT;
                if (v[i].node)
                        tg_selector_read(tg, entry, &v[i]);
        }
        for (size_t i = 0; i < n_all; i++)
                if (tg->im->diags.n_errors == before && v[i].class != TG_NONE && !v[i].unsaid)
                        selector_make(tg, entry, v, i);
        for (size_t i = 0; i < n_all; i++)
                tg_selector_done(&v[i]);
}
