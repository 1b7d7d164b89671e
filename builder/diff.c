/* SPDX-License-Identifier: Apache-2.0 */
#include "diff.h"

#include <stdio.h>

#include "inspect.h"
#include "scope_show.h"
#include "show.h"
#include "strv.h"

void changes_done(struct changes *c) {
        for (size_t i = 0; i < c->n; i++) {
                free(c->items[i].policy);
                free(c->items[i].subject);
                free(c->items[i].before);
                free(c->items[i].after);
        }
        free(c->items);
        *c = (struct changes){};
}

static char *copy(const char *s, bool *failed) {
        char *r = s ? strdup(s) : NULL;

        *failed = *failed || (s && !r);
        return r;
}

int change_add(struct changes *c, enum change_kind kind, const char *policy, const char *subject, const char *before,
               const char *after) {
        struct change *items = reallocarray(c->items, c->n + 1, sizeof(*items));
        bool failed = false;

        if (!items)
                return -ENOMEM;
        c->items = items;
        items[c->n++] =
                (struct change){kind, copy(policy, &failed), copy(subject, &failed), copy(before, &failed), copy(after, &failed)};
        return failed ? -ENOMEM : 0;
}

int change_scope(struct changes *c, const char *policy, const json_t *before, const json_t *after) {
        cleanup_buf struct buf x = {}, y = {};
        int e;

        if (scope_shown_same(before, after))
                return 0;
        e = scope_show(&x, before);
        if (e == 0)
                e = scope_show(&y, after);
        return e < 0 ? e : change_add(c, CHANGE_SCOPE, policy, NULL, x.data, y.data);
}

static const struct manifest_policy *policy_find(const struct manifest *m, const char *name) {
        for (size_t i = 0; i < m->n_policies; i++)
                if (streq(m->policies[i].name, name))
                        return &m->policies[i];
        return NULL;
}

static const char *mode_name(const struct manifest_policy *p) {
        return p->mode == MODE_AUDIT ? "audit" : "enforce";
}

static bool has_hook(const struct manifest_policy *p, const char *hook) {
        for (size_t i = 0; i < p->n_programs; i++)
                if (streq(p->programs[i].hook, hook))
                        return true;
        return false;
}

/* ---- the bundle ---------------------------------------------------------------------------------------------------- */

static int find_identity(const struct manifest *m, const struct manifest *n, struct changes *c) {
        char before[32], after[32];
        int e = 0;

        snprintf(before, sizeof(before), "%ju", (uintmax_t)m->release);
        snprintf(after, sizeof(after), "%ju", (uintmax_t)n->release);
        if (!streq(m->name, n->name))
                e = change_add(c, CHANGE_NAME, NULL, NULL, m->name, n->name);
        if (e == 0 && !streq(m->version, n->version))
                e = change_add(c, CHANGE_VERSION, NULL, NULL, m->version, n->version);
        if (e == 0 && m->release != n->release)
                e = change_add(c, CHANGE_RELEASE, NULL, NULL, before, after);
        return e;
}

/* The policies of m that are also in n, in m's order. */
static int common_order(const struct manifest *m, const struct manifest *n, struct buf *out) {
        int e = 0;

        for (size_t i = 0; e == 0 && i < m->n_policies; i++)
                if (policy_find(n, m->policies[i].name))
                        e = buf_printf(out, "%s%s", out->len > 0 ? ", " : "", m->policies[i].name);
        return e;
}

static int find_order(const struct manifest *m, const struct manifest *n, struct changes *c) {
        cleanup_buf struct buf before = {}, after = {};
        int e = common_order(m, n, &before);

        if (e == 0)
                e = common_order(n, m, &after);
        if (e < 0 || before.len == 0 || streq(before.data, after.data))
                return e;
        return change_add(c, CHANGE_ORDER, NULL, NULL, before.data, after.data);
}

/* ---- policies ------------------------------------------------------------------------------------------------------ */

static const json_t *scope_of(const struct bundle_file *f, const struct manifest_policy *p) {
        return scope_shown(f, (size_t)(p - f->manifest->policies));
}

/* A policy that only one side has: "enforce on file_open, socket_create, in {unit: [nginx.service]}". */
static int add_whole(struct changes *c, enum change_kind kind, const struct bundle_file *f, const struct manifest_policy *p) {
        cleanup_buf struct buf text = {};
        int e = buf_printf(&text, "%s%s on ", mode_name(p), p->plain ? ", plain," : "");

        for (size_t i = 0; e == 0 && i < p->n_programs; i++)
                e = buf_printf(&text, "%s%s", i > 0 ? ", " : "", p->programs[i].hook);
        if (e == 0 && p->scoped)
                e = buf_append(&text, ", ", 2) ?: scope_show(&text, scope_of(f, p));
        if (e < 0)
                return e;
        return change_add(c, kind, p->name, NULL, kind == CHANGE_POLICY_REMOVED ? text.data : NULL,
                          kind == CHANGE_POLICY_ADDED ? text.data : NULL);
}

static int find_hooks(const struct manifest_policy *p, const struct manifest_policy *q, struct changes *c) {
        int e = 0;

        for (size_t i = 0; e == 0 && i < p->n_programs; i++)
                if (!has_hook(q, p->programs[i].hook))
                        e = change_add(c, CHANGE_HOOK_REMOVED, p->name, p->programs[i].hook, NULL, NULL);
        for (size_t i = 0; e == 0 && i < q->n_programs; i++)
                if (!has_hook(p, q->programs[i].hook))
                        e = change_add(c, CHANGE_HOOK_ADDED, p->name, q->programs[i].hook, NULL, NULL);
        return e;
}

static int find_object(const struct bundle_file *before, const struct manifest_policy *p, const struct bundle_file *after,
                       const struct manifest_policy *q, struct changes *c) {
        const struct manifest_member *x = &before->manifest->members[p->object], *y = &after->manifest->members[q->object];
        char old[SHA256_HEX], new[SHA256_HEX];

        if (memcmp(x->sha256, y->sha256, SHA256_SIZE) == 0)
                return 0;
        hex_encode(x->sha256, SHA256_SIZE, old);
        hex_encode(y->sha256, SHA256_SIZE, new);
        return change_add(c, CHANGE_OBJECT, p->name, NULL, old, new);
}

static int find_policy(const struct bundle_file *before, const struct manifest_policy *p, const struct bundle_file *after,
                       const struct manifest_policy *q, struct changes *c) {
        int e = 0;

        if (p->mode != q->mode)
                e = change_add(c, CHANGE_MODE, p->name, NULL, mode_name(p), mode_name(q));
        if (e == 0)
                e = change_scope(c, p->name, scope_of(before, p), scope_of(after, q));
        if (e == 0 && p->plain != q->plain)
                e = change_add(c, CHANGE_PLAIN, p->name, NULL, p->plain ? "true" : "false", q->plain ? "true" : "false");
        if (e == 0)
                e = find_hooks(p, q, c);
        if (e == 0)
                e = find_object(before, p, after, q, c);
        return e < 0 ? e : changes_find_maps(before, p, after, q, c);
}

static int find_policies(const struct bundle_file *before, const struct bundle_file *after, struct changes *c) {
        const struct manifest *m = before->manifest, *n = after->manifest;
        int e = 0;

        for (size_t i = 0; e == 0 && i < n->n_policies; i++)
                if (!policy_find(m, n->policies[i].name))
                        e = add_whole(c, CHANGE_POLICY_ADDED, after, &n->policies[i]);
        for (size_t i = 0; e == 0 && i < m->n_policies; i++) {
                const struct manifest_policy *q = policy_find(n, m->policies[i].name);

                e = q ? find_policy(before, &m->policies[i], after, q, c)
                      : add_whole(c, CHANGE_POLICY_REMOVED, before, &m->policies[i]);
        }
        return e;
}

/* ---- self-tests ---------------------------------------------------------------------------------------------------- */

static const json_t *test_find(const json_t *tests, const char *name) {
        json_t *test;
        size_t i;

        json_array_foreach((json_t *)tests, i,
                           test) if (streq(json_string_value(json_object_get(test, "name")) ?: "", name)) return test;
        return NULL;
}

static int test_change(struct changes *c, enum change_kind kind, const char *name, const json_t *before, const json_t *after) {
        cleanup_buf struct buf x = {}, y = {};
        int e = before ? show_flow(&x, before) : 0;

        if (e == 0 && after)
                e = show_flow(&y, after);
        return e < 0 ? e : change_add(c, kind, NULL, name, x.data, y.data);
}

static int find_tests(const struct bundle_file *before, const struct bundle_file *after, struct changes *c, struct err *err) {
        cleanup_json json_t *x = NULL, *y = NULL;
        const json_t *old, *new, *other;
        json_t *test;
        size_t i;
        int e = bundle_selftests(before, &x, err);

        if (e == 0)
                e = bundle_selftests(after, &y, err);
        if (e < 0)
                return e;
        old = json_object_get(x, "tests");
        new = json_object_get(y, "tests");
        json_array_foreach((json_t *)old, i, test) {
                const char *name = json_string_value(json_object_get(test, "name")) ?: "";

                other = test_find(new, name);
                if (e == 0 && !other)
                        e = test_change(c, CHANGE_TEST_REMOVED, name, test, NULL);
                else if (e == 0 && !json_equal(test, other))
                        e = test_change(c, CHANGE_TEST, name, test, other);
        }
        json_array_foreach((json_t *)new, i, test) {
                const char *name = json_string_value(json_object_get(test, "name")) ?: "";

                if (e == 0 && !test_find(old, name))
                        e = test_change(c, CHANGE_TEST_ADDED, name, NULL, test);
        }
        return e < 0 ? err_errno(err, e, "self-tests") : 0;
}

int changes_find(const struct bundle_file *before, const struct bundle_file *after, struct changes *ret, struct err *err) {
        cleanup_changes struct changes c = {};
        int e = find_identity(before->manifest, after->manifest, &c);

        if (e == 0)
                e = find_order(before->manifest, after->manifest, &c);
        if (e == 0)
                e = find_policies(before, after, &c);
        if (e == 0)
                e = changes_find_rules(before, after, &c);
        if (e < 0)
                return err_errno(err, e, "comparison");
        e = find_tests(before, after, &c, err);
        if (e < 0)
                return e;
        *ret = c;
        c = (struct changes){};
        return 0;
}
