/* SPDX-License-Identifier: Apache-2.0 */
/* What changes in rules, as their authors said it; and that the tables made from them have changed. */
#include "diff.h"
#include "rules_show.h"
#include "scope_show.h"
#include "show.h"

/* The policies written as rules, of one side. */
static const json_t *rulesets_of(const struct bundle_file *f) {
        for (size_t i = 0; i < f->manifest->n_policies; i++)
                if (rules_shown_policies(f, i))
                        return rules_shown_policies(f, i);
        return NULL;
}

static const char *word(const json_t *object, const char *key) {
        return json_string_value(json_object_get(object, key)) ?: "";
}

static const json_t *ruleset_find(const json_t *rulesets, const char *name) {
        for (size_t i = 0; i < json_array_size(rulesets); i++)
                if (streq(word(json_array_get(rulesets, i), "name"), name))
                        return json_array_get(rulesets, i);
        return NULL;
}

static int value_change(struct changes *c, enum change_kind kind, const char *policy, const char *subject, const json_t *before,
                        const json_t *after) {
        cleanup_buf struct buf x = {}, y = {};
        int e = before ? show_flow(&x, before) : 0;

        if (e == 0 && after)
                e = show_flow(&y, after);
        return e < 0 ? e : change_add(c, kind, policy, subject, before ? x.data : NULL, after ? y.data : NULL);
}

struct kinds {
        enum change_kind added, removed, changed;
};

/* Two objects, key by key. */
static int find_values(struct changes *c, const struct kinds *kinds, const char *policy, const json_t *before,
                       const json_t *after) {
        const char *key;
        json_t *value;
        int e = 0;

        json_object_foreach((json_t *)before, key, value) {
                const json_t *other = json_object_get(after, key);

                if (e == 0 && !other)
                        e = value_change(c, kinds->removed, policy, key, value, NULL);
                else if (e == 0 && !json_equal(value, (json_t *)other))
                        e = value_change(c, kinds->changed, policy, key, value, other);
        }
        json_object_foreach((json_t *)after, key, value) if (e == 0 && !json_object_get(before, key)) e =
                value_change(c, kinds->added, policy, key, NULL, value);
        return e;
}

/* One side of a policy: whether it is there, and what its text says. */
struct text_side {
        const json_t *ruleset;
        json_t *shown;
        bool unreadable;
};

static void text_side_done(struct text_side *s) {
        json_decref(s->shown);
}

/* Nothing is refused for it: a bundle of another version may say more than this one knows. But a text that cannot be read must
 * not look like rules that are not there. */
static int text_side_read(const struct bundle_file *f, const char *name, struct text_side *s) {
        const struct buf *text = s->ruleset ? rules_shown_text(f, name) : NULL;
        int e = text ? rules_shown_parse(text, &s->shown) : -EBADMSG;

        s->unreadable = s->ruleset && e == -EBADMSG;
        return e == -EBADMSG ? 0 : e;
}

static const char *readable(const struct text_side *s) {
        return !s->ruleset ? NULL : s->unreadable ? "no" : "yes";
}

static int find_texts(const char *name, const struct text_side *x, const struct text_side *y, struct changes *c) {
        static const struct kinds rules = {CHANGE_RULE_ADDED, CHANGE_RULE_REMOVED, CHANGE_RULE};
        static const struct kinds postures = {CHANGE_DEFAULT_ADDED, CHANGE_DEFAULT_REMOVED, CHANGE_DEFAULT};
        int e;

        if (x->unreadable || y->unreadable)
                return change_add(c, CHANGE_READABLE, name, NULL, readable(x), readable(y));
        e = find_values(c, &postures, name, json_object_get(x->shown, "default"), json_object_get(y->shown, "default"));
        return e < 0 ? e : find_values(c, &rules, name, json_object_get(x->shown, "rules"), json_object_get(y->shown, "rules"));
}

/* "enforce", "audit, in {unit: [nginx.service]}" */
static int ruleset_show(const json_t *ruleset, struct buf *out) {
        const json_t *scope = json_object_get(ruleset, "scope");
        int e = buf_printf(out, "%s", word(ruleset, "mode"));

        if (e == 0 && json_object_size(scope) > 0)
                e = buf_append(out, ", ", 2) ?: scope_show(out, scope);
        return e;
}

/* A policy that only one side has. */
static int add_whole(struct changes *c, enum change_kind kind, const json_t *ruleset) {
        cleanup_buf struct buf text = {};
        int e = ruleset_show(ruleset, &text);

        return e < 0 ? e
                     : change_add(c, kind, word(ruleset, "name"), NULL, kind == CHANGE_POLICY_REMOVED ? text.data : NULL,
                                  kind == CHANGE_POLICY_ADDED ? text.data : NULL);
}

static int find_ruleset(const struct bundle_file *before, const json_t *old, const struct bundle_file *after, const json_t *new,
                        struct changes *c) {
        cleanup(text_side_done) struct text_side x = {.ruleset = old}, y = {.ruleset = new};
        const char *name = word(old ?: new, "name");
        int e = text_side_read(before, name, &x);

        if (e == 0)
                e = text_side_read(after, name, &y);
        if (e == 0 && !(old && new))
                e = add_whole(c, old ? CHANGE_POLICY_REMOVED : CHANGE_POLICY_ADDED, old ?: new);
        if (e == 0 && old && new && !streq(word(old, "mode"), word(new, "mode")))
                e = change_add(c, CHANGE_MODE, name, NULL, word(old, "mode"), word(new, "mode"));
        if (e == 0 && old && new)
                e = change_scope(c, name, json_object_get(old, "scope"), json_object_get(new, "scope"));
        return e < 0 ? e : find_texts(name, &x, &y, c);
}

int changes_find_rules(const struct bundle_file *before, const struct bundle_file *after, struct changes *c) {
        const json_t *x = rulesets_of(before), *y = rulesets_of(after);
        int e = 0;

        for (size_t i = 0; e == 0 && i < json_array_size(x); i++) {
                const json_t *ruleset = json_array_get(x, i);

                e = find_ruleset(before, ruleset, after, ruleset_find(y, word(ruleset, "name")), c);
        }
        for (size_t i = 0; e == 0 && i < json_array_size(y); i++)
                if (!ruleset_find(x, word(json_array_get(y, i), "name")))
                        e = find_ruleset(before, NULL, after, json_array_get(y, i), c);
        return e;
}

int changes_find_table(const char *policy, const char *map, const struct buf *before, const struct buf *after,
                       struct changes *c) {
        const struct buf *sides[] = {before, after};
        char hex[2][SHA256_HEX];

        for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
                uint8_t digest[SHA256_SIZE];

                if (sha256(sides[i]->data ?: "", sides[i]->len, digest) < 0)
                        return -ENOMEM;
                hex_encode(digest, sizeof(digest), hex[i]);
        }
        return streq(hex[0], hex[1]) ? 0 : change_add(c, CHANGE_TABLE, policy, map, hex[0], hex[1]);
}
