/* SPDX-License-Identifier: Apache-2.0 */
#include "diff.h"

#include <stdio.h>

#include "show.h"

static const char *const words[CHANGE_COUNT] = {
#define X(id, word) [id] = word,
        CHANGES(X)
#undef X
};

/* One line: "+ hook file_open", "~ mode: audit -> enforce". */
static int line(const struct change *ch, struct buf *out) {
        static const struct {
                char sign;
                const char *noun;
        } looks[CHANGE_COUNT] = {
                [CHANGE_NAME] = {'~', "name"},
                [CHANGE_VERSION] = {'~', "version"},
                [CHANGE_RELEASE] = {'~', "release"},
                [CHANGE_ORDER] = {'~', "order of policies"},
                [CHANGE_POLICY_ADDED] = {'+', "policy"},
                [CHANGE_POLICY_REMOVED] = {'-', "policy"},
                [CHANGE_MODE] = {'~', "mode"},
                [CHANGE_SCOPE] = {'~', "scope"},
                [CHANGE_PLAIN] = {'~', "plain"},
                [CHANGE_HOOK_ADDED] = {'+', "hook"},
                [CHANGE_HOOK_REMOVED] = {'-', "hook"},
                [CHANGE_OBJECT] = {'~', "code"},
                [CHANGE_MAP_ADDED] = {'+', "map"},
                [CHANGE_MAP_REMOVED] = {'-', "map"},
                [CHANGE_MAP] = {'~', "map"},
                [CHANGE_SEED_ADDED] = {'+', "seed"},
                [CHANGE_SEED_REMOVED] = {'-', "seed"},
                [CHANGE_SEED] = {'~', "seed"},
                [CHANGE_TABLE] = {'~', "table"},
                [CHANGE_READABLE] = {'~', "rules can be read, and compared"},
                [CHANGE_DEFAULT_ADDED] = {'+', "default"},
                [CHANGE_DEFAULT_REMOVED] = {'-', "default"},
                [CHANGE_DEFAULT] = {'~', "default"},
                [CHANGE_RULE_ADDED] = {'+', "rule"},
                [CHANGE_RULE_REMOVED] = {'-', "rule"},
                [CHANGE_RULE] = {'~', "rule"},
                [CHANGE_TEST_ADDED] = {'+', "self-test"},
                [CHANGE_TEST_REMOVED] = {'-', "self-test"},
                [CHANGE_TEST] = {'~', "self-test"},
        };
        const char *subject = ch->kind == CHANGE_POLICY_ADDED || ch->kind == CHANGE_POLICY_REMOVED ? ch->policy : ch->subject;
        bool digests = ch->kind == CHANGE_OBJECT || ch->kind == CHANGE_TABLE;
        int e = buf_printf(out, "%c %s%s%s", looks[ch->kind].sign, looks[ch->kind].noun, subject ? " " : "", subject ?: "");

        if (e == 0 && ch->before && ch->after)
                e = digests ? buf_printf(out, ": " SHOW_SHORT " -> " SHOW_SHORT, ch->before, ch->after)
                            : buf_printf(out, ": %s -> %s", ch->before, ch->after);
        else if (e == 0 && (ch->before || ch->after))
                e = buf_printf(out, ": %s", ch->before ?: ch->after);
        return e < 0 ? e : buf_append(out, "\n", 1);
}

static bool is_detail(const struct change *ch) {
        return ch->policy && ch->kind != CHANGE_POLICY_ADDED && ch->kind != CHANGE_POLICY_REMOVED;
}

static bool opens_policy(const struct changes *c, size_t i) {
        return is_detail(&c->items[i]) &&
               (i == 0 || !is_detail(&c->items[i - 1]) || !streq(c->items[i - 1].policy, c->items[i].policy));
}

static int title(const struct bundle_file *f, struct buf *out) {
        return buf_printf(out, "%s %s (release %ju)", f->manifest->name, f->manifest->version, (uintmax_t)f->manifest->release);
}

static const char *nothing(const struct bundle_file *before, const struct bundle_file *after) {
        return streq(before->manifest->content_hex, after->manifest->content_hex)
                       ? "the same content"
                       : "no change for a node; built from another commit, date or compiler";
}

int changes_text(const struct changes *c, const struct bundle_file *before, const struct bundle_file *after, struct buf *out) {
        int e = title(before, out);

        if (e == 0)
                e = buf_append(out, " -> ", 4);
        if (e == 0)
                e = title(after, out);
        if (e == 0)
                e = buf_append(out, "\n", 1);
        if (e == 0 && c->n == 0)
                e = buf_printf(out, "%s\n", nothing(before, after));
        for (size_t i = 0; e == 0 && i < c->n; i++) {
                if (opens_policy(c, i))
                        e = buf_printf(out, "~ policy %s\n", c->items[i].policy);
                if (e == 0 && is_detail(&c->items[i]))
                        e = buf_append(out, "    ", 4);
                if (e == 0)
                        e = line(&c->items[i], out);
        }
        return e;
}

/* Markdown shows a fenced diff in colour; a fence longer than any run of backticks cannot be left from within. */
static int fence(const struct buf *body, struct buf *out) {
        size_t longest = 2, run = 0;
        int e = 0;

        for (size_t i = 0; i < body->len; i++) {
                run = body->data[i] == '`' ? run + 1 : 0;
                longest = run > longest ? run : longest;
        }
        for (size_t i = 0; e == 0 && i <= longest; i++)
                e = buf_append(out, "`", 1);
        return e;
}

int changes_markdown(const struct changes *c, const struct bundle_file *before, const struct bundle_file *after,
                     struct buf *out) {
        cleanup_buf struct buf body = {};
        int e = buf_append(out, "### ", 4);

        if (e == 0)
                e = title(before, out);
        if (e == 0)
                e = buf_append(out, " → ", strlen(" → "));
        if (e == 0)
                e = title(after, out);
        if (e == 0 && c->n == 0)
                return buf_printf(out, "\n\n%s\n", nothing(before, after));
        for (size_t i = 0; e == 0 && i < c->n; i++) {
                cleanup_buf struct buf text = {};

                if (opens_policy(c, i))
                        e = buf_printf(&body, "# policy %s\n", c->items[i].policy);
                if (e == 0)
                        e = line(&c->items[i], &text);
                /* Only '+' and '-' are colours of a diff. */
                if (e == 0 && text.data[0] == '~')
                        text.data[0] = '!';
                if (e == 0)
                        e = buf_append(&body, text.data, text.len);
        }
        if (e == 0)
                e = buf_append(out, "\n\n", 2);
        if (e == 0)
                e = fence(&body, out);
        if (e == 0)
                e = buf_printf(out, "diff\n%s", body.data);
        if (e == 0)
                e = fence(&body, out);
        return e < 0 ? e : buf_append(out, "\n", 1);
}

static json_t *side_json(const struct bundle_file *f) {
        return json_pack("{s:s, s:s, s:I, s:s}", "name", f->manifest->name, "version", f->manifest->version, "release",
                         (json_int_t)f->manifest->release, "content_id", f->manifest->content_hex);
}

json_t *changes_json(const struct changes *c, const struct bundle_file *before, const struct bundle_file *after) {
        json_t *list = json_array();

        for (size_t i = 0; i < c->n; i++) {
                const struct change *ch = &c->items[i];

                json_array_append_new(list,
                                      json_pack("{s:s, s:s*, s:s*, s:s*, s:s*}", "change", words[ch->kind], "policy", ch->policy,
                                                "subject", ch->subject, "before", ch->before, "after", ch->after));
        }
        return json_pack("{s:o, s:o, s:o}", "before", side_json(before), "after", side_json(after), "changes", list);
}
