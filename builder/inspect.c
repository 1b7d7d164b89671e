/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect.h"

#include <stdio.h>
#include <time.h>

#include "rules_show.h"
#include "scope_show.h"
#include "selftest.h"
#include "show.h"

#define LINE_WIDTH 110
#define LIST_INDENT 13

int bundle_selftests(const struct bundle_file *f, json_t **ret, struct err *err) {
        ssize_t index = f->manifest->selftests;

        if (index < 0) {
                *ret = json_pack("{s:[]}", "tests");
                return *ret ? 0 : err_errno(err, -ENOMEM, "self-tests");
        }
        return signed_open(f->members[index].data, f->members[index].len, SELFTESTS_TYPE, ret, err);
}

static const json_t *part(const struct bundle_file *f, const char *object, const char *key) {
        return json_object_get(json_object_get(f->manifest->doc, object), key);
}

/* ---- text ---------------------------------------------------------------------------------------------------------- */

static int text_provenance(const struct bundle_file *f, struct buf *out) {
        const char *commit = json_string_value(part(f, "provenance", "commit"));
        time_t date = (time_t)json_integer_value(part(f, "provenance", "date"));
        const json_t *sources = part(f, "provenance", "sources");
        char text[64] = "";
        json_t *source;
        struct tm tm;
        size_t i;
        int e;

        if (date == 0)
                snprintf(text, sizeof(text), "no date");
        else if (!gmtime_r(&date, &tm) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                snprintf(text, sizeof(text), "second %jd", (intmax_t)date);
        e = buf_printf(out, "built from    %s%s, %s\n", commit && *commit ? "commit " : "no commit", commit ?: "", text);
        if (e == 0)
                e = buf_printf(out, "compiler      %s\nsources\n", json_string_value(part(f, "provenance", "compiler")) ?: "");
        json_array_foreach((json_t *)sources, i, source) if (e == 0) e =
                buf_printf(out, "  " SHOW_SHORT " %s\n", json_string_value(json_object_get(source, "sha256")) ?: "",
                           json_string_value(json_object_get(source, "path")) ?: "");
        return e;
}

static int text_signatures(const struct bundle_file *f, struct buf *out) {
        int e = buf_printf(out, "signatures    %zu, not checked: `lsmbundle verify` does that\n", f->env.n_sigs);

        for (size_t i = 0; e == 0 && i < f->env.n_sigs; i++) {
                char id[KEYID_HEX];

                hex_encode(f->env.sigs[i].keyid, SHA256_SIZE, id);
                e = buf_printf(out, "  key %s\n", id);
        }
        return e;
}

static int text_seed(const struct manifest_map *map, const struct buf *records, struct buf *out) {
        int e = 0;

        for (size_t i = 0; e == 0 && i < seed_count(map, records); i++) {
                struct seed_record r = seed_at(map, records, i);

                e = buf_append(out, "      ", 6);
                if (e == 0)
                        e = show_bytes(out, r.key, map->key_size);
                if (e == 0 && !show_is_one(r.value, map->value_size)) {
                        e = buf_append(out, ": ", 2);
                        if (e == 0)
                                e = show_bytes(out, r.value, map->value_size);
                }
                if (e == 0)
                        e = buf_append(out, "\n", 1);
        }
        return e;
}

/* What a table of scopes, or of the engine of rules, holds says nothing to people; the rules themselves follow. */
static int text_map(const struct bundle_file *f, const struct manifest_map *map, bool table, struct buf *out) {
        const struct buf none = {}, *records = map->seed >= 0 ? &f->members[map->seed] : &none;
        int e = buf_printf(out, "    map %s: %s, %u -> %u bytes, %zu of %u entries seeded\n", map->name, map->type, map->key_size,
                           map->value_size, seed_count(map, records), map->max_entries);

        return e < 0 || table ? e : text_seed(map, records, out);
}

static int text_rulesets(const json_t *rulesets, struct buf *out) {
        int e = 0;

        for (size_t i = 0; e == 0 && i < json_array_size(rulesets); i++) {
                const json_t *ruleset = json_array_get(rulesets, i);

                e = buf_printf(out, "    of policy %s: %s, ", json_string_value(json_object_get(ruleset, "name")) ?: "",
                               json_string_value(json_object_get(ruleset, "mode")) ?: "");
                if (e == 0)
                        e = scope_show(out, json_object_get(ruleset, "scope"));
                if (e == 0)
                        e = buf_append(out, "\n", 1);
        }
        return e;
}

static int text_policy(const struct bundle_file *f, const struct manifest_policy *p, struct buf *out) {
        const struct manifest_member *object = &f->manifest->members[p->object];
        const json_t *rulesets = rules_shown_policies(f, (size_t)(p - f->manifest->policies));
        char digest[SHA256_HEX];
        int e;

        hex_encode(object->sha256, SHA256_SIZE, digest);
        e = buf_printf(out, "  %s: %s%s", p->name, p->mode == MODE_AUDIT ? "audit" : "enforce", p->plain ? ", plain" : "");
        /* Each of the policies that are written as rules has its own. */
        if (e == 0 && !rulesets)
                e = buf_append(out, ", ", 2) ?: scope_show(out, scope_shown(f, (size_t)(p - f->manifest->policies)));
        if (e == 0)
                e = buf_append(out, "\n", 1);
        if (e == 0)
                e = text_rulesets(rulesets, out);
        for (size_t i = 0; e == 0 && i < p->n_programs; i++)
                e = buf_printf(out, "    hook %s: program %s%s\n", p->programs[i].hook, p->programs[i].name,
                               p->programs[i].optional ? ", where the kernel has the hook" : "");
        for (size_t i = 0; e == 0 && i < p->n_maps; i++)
                e = text_map(f, &p->maps[i], rulesets || scope_shown_table(&p->maps[i]), out);
        return e < 0 ? e : buf_printf(out, "    object " SHOW_SHORT ", %ju bytes\n", digest, (uintmax_t)object->length);
}

/* Policies ask for a dozen helpers and more: what does not fit on a line goes on below. */
static int text_list(const struct bundle_file *f, const char *key, struct buf *out) {
        const json_t *list = part(f, "requires", key);
        size_t i, column = LIST_INDENT;
        json_t *item;
        int e = buf_printf(out, "  %-11s", key);

        json_array_foreach((json_t *)list, i, item) {
                const char *word = json_string_value(item) ?: "";

                if (e == 0 && column > LIST_INDENT && column + 1 + strlen(word) > LINE_WIDTH) {
                        e = buf_printf(out, "\n%*s", LIST_INDENT, "");
                        column = LIST_INDENT;
                }
                if (e == 0)
                        e = buf_printf(out, " %s", word);
                column += 1 + strlen(word);
        }
        return e < 0 ? e : buf_append(out, "\n", 1);
}

static int text_selftest(const json_t *test, struct buf *out) {
        const json_t *as = json_object_get(test, "as"), *operation = json_object_get(test, "do");
        int e = buf_printf(out, "  - name: %s\n", json_string_value(json_object_get(test, "name")) ?: "");

        if (e == 0 && as) {
                e = buf_append(out, "    as: ", 8);
                if (e == 0)
                        e = show_flow(out, as);
                if (e == 0)
                        e = buf_append(out, "\n", 1);
        }
        if (e == 0)
                e = buf_append(out, "    do: ", 8);
        if (e == 0 && operation)
                e = show_operation(out, operation);
        return e < 0 ? e : buf_printf(out, "\n    expect: %s\n", json_string_value(json_object_get(test, "expect")) ?: "");
}

static int text_selftests(const struct bundle_file *f, struct buf *out, struct err *err) {
        cleanup_json json_t *doc = NULL;
        json_t *test;
        size_t i;
        int e = bundle_selftests(f, &doc, err);

        if (e < 0)
                return e;
        e = buf_printf(out, "self-tests%s\n", json_array_size(json_object_get(doc, "tests")) > 0 ? "" : "    none");
        json_array_foreach(json_object_get(doc, "tests"), i, test) if (e == 0) e = text_selftest(test, out);
        return e < 0 ? err_errno(err, e, "self-tests") : 0;
}

int inspect_text(const struct bundle_file *f, struct buf *out, struct err *err) {
        const struct manifest *m = f->manifest;
        int e = buf_printf(out, "%s %s, release %ju\ncontent id    %s\n", m->name, m->version, (uintmax_t)m->release,
                           m->content_hex);

        if (e == 0)
                e = text_signatures(f, out);
        if (e == 0)
                e = text_provenance(f, out);
        if (e == 0)
                e = buf_printf(out, "policies, in the order in which they run\n");
        for (size_t i = 0; e == 0 && i < m->n_policies; i++)
                e = text_policy(f, &m->policies[i], out);
        if (e == 0)
                e = rules_shown_append(f, out);
        if (e == 0)
                e = buf_printf(out, "needs of a kernel (ABI %u)\n", m->abi);
        if (e == 0)
                e = text_list(f, "hooks", out);
        if (e == 0)
                e = text_list(f, "helpers", out);
        if (e == 0)
                e = text_list(f, "features", out);
        return e < 0 ? err_errno(err, e, "text") : text_selftests(f, out, err);
}
