/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_show.h"

#include <stdio.h>

#include "yaml_json.h"

const json_t *rules_shown_policies(const struct bundle_file *f, size_t policy) {
        const json_t *list = json_object_get(f->manifest->doc, "policies");
        const json_t *rulesets = json_object_get(json_array_get(list, policy), "rulesets");

        return json_is_array(rulesets) ? rulesets : NULL;
}

const struct buf *rules_shown_text(const struct bundle_file *f, const char *name) {
        char path[256];

        snprintf(path, sizeof(path), "sources/%s.yaml", name);
        for (size_t i = 0; i < f->manifest->n_members; i++)
                if (streq(f->manifest->members[i].path, path))
                        return &f->members[i];
        return NULL;
}

static int rules_by_id(const json_t *rules, json_t *ret) {
        json_t *rule;
        size_t i;

        json_array_foreach((json_t *)rules, i, rule) {
                const char *id = json_string_value(json_object_get(rule, "id"));

                if (!id || json_object_get(ret, id))
                        return -EBADMSG;
                if (json_object_set(ret, id, rule) < 0 || json_object_del(json_object_get(ret, id), "id") < 0)
                        return -ENOMEM;
        }
        return 0;
}

int rules_shown_parse(const struct buf *text, json_t **ret) {
        cleanup_yaml struct yaml_doc *yaml = NULL;
        cleanup_diags struct diags diags = {};
        cleanup_json json_t *doc = NULL, *shown = json_pack("{s:{}, s:{}}", "default", "rules");
        const json_t *posture;
        int e = shown ? yaml_parse("", text->data ?: "", text->len, &diags, &yaml) : -ENOMEM;

        if (e == 0)
                e = yaml_to_json(yaml_root(yaml), &diags, &doc);
        if (e < 0)
                return e;
        posture = json_object_get(doc, "default");
        if (json_is_object(posture) && json_object_update(json_object_get(shown, "default"), (json_t *)posture) < 0)
                return -ENOMEM;
        e = rules_by_id(json_object_get(doc, "rules"), json_object_get(shown, "rules"));
        if (e == 0)
                *ret = steal_pointer(shown);
        return e;
}

/* Control characters: ASCII's, and those of UTF-8 that begin with 0xc2. */
static bool is_order(const struct buf *text, size_t i) {
        unsigned char c = text->data[i], before = i > 0 ? text->data[i - 1] : 0;

        return (c < 0x20 && c != '\n') || c == 0x7f || (before == 0xc2 && c >= 0x80 && c < 0xa0);
}

/* Nobody has vouched for the text: what a terminal would take as orders is not passed on. */
static int text_append(const struct buf *text, struct buf *out) {
        bool begins = true;

        for (size_t i = 0; i < text->len; i++) {
                unsigned char c = text->data[i];
                int e = begins ? buf_append(out, "    ", 4) : 0;

                begins = c == '\n';
                if (e == 0)
                        e = is_order(text, i) ? buf_append(out, "?", 1) : buf_append(out, &text->data[i], 1);
                if (e < 0)
                        return e;
        }
        return begins ? 0 : buf_append(out, "\n", 1);
}

typedef int (*each_fn)(void *ctx, const char *name, const struct buf *text);

static int each_text(const struct bundle_file *f, each_fn fn, void *ctx) {
        int e = 0;

        for (size_t i = 0; i < f->manifest->n_policies; i++) {
                const json_t *rulesets = rules_shown_policies(f, i);

                for (size_t k = 0; e == 0 && k < json_array_size(rulesets); k++) {
                        const char *name = json_string_value(json_object_get(json_array_get(rulesets, k), "name"));
                        const struct buf *text = name ? rules_shown_text(f, name) : NULL;

                        if (text)
                                e = fn(ctx, name, text);
                }
        }
        return e;
}

static int append_one(void *ctx, const char *name, const struct buf *text) {
        int e = buf_printf(ctx, "  of policy %s\n", name);

        return e < 0 ? e : text_append(text, ctx);
}

int rules_shown_append(const struct bundle_file *f, struct buf *out) {
        cleanup_buf struct buf all = {};
        int e = each_text(f, append_one, &all);

        if (e < 0 || all.len == 0)
                return e;
        e = buf_printf(out, "rules, as they were written\n");
        return e < 0 ? e : buf_append(out, all.data, all.len);
}

static int json_one(void *ctx, const char *name, const struct buf *text) {
        json_t *value = json_stringn(text->data ?: "", text->len) ?: json_null();

        return json_object_set_new(ctx, name, value) < 0 ? -ENOMEM : 0;
}

json_t *rules_shown_json(const struct bundle_file *f) {
        cleanup_json json_t *all = json_object();

        if (!all || each_text(f, json_one, all) < 0)
                return NULL;
        return steal_pointer(all);
}
