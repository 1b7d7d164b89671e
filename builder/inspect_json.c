/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect.h"

#include "rules_show.h"
#include "show.h"

static json_t *shown_json(const uint8_t *bytes, size_t n) {
        cleanup_buf struct buf text = {};

        return show_bytes(&text, bytes, n) < 0 ? NULL : json_stringn(text.data, text.len);
}

static json_t *seed_json(const struct manifest_map *map, const struct buf *records) {
        json_t *list = json_array();

        for (size_t i = 0; i < seed_count(map, records); i++) {
                struct seed_record r = seed_at(map, records, i);

                json_array_append_new(list, json_pack("{s:o, s:o}", "key", shown_json(r.key, map->key_size), "value",
                                                      shown_json(r.value, map->value_size)));
        }
        return list;
}

/* {POLICY: {MAP: [{key, value}...]}}, without the engine's tables */
static json_t *seeds_json(const struct bundle_file *f) {
        json_t *policies = json_object();

        for (size_t i = 0; i < f->manifest->n_policies; i++) {
                const struct manifest_policy *p = &f->manifest->policies[i];
                json_t *maps = json_object();

                for (size_t k = 0; k < p->n_maps; k++)
                        if (p->maps[k].seed >= 0 && !rules_shown_policies(f, i))
                                json_object_set_new(maps, p->maps[k].name, seed_json(&p->maps[k], &f->members[p->maps[k].seed]));
                json_object_set_new(policies, p->name, maps);
        }
        return policies;
}

static json_t *signatures_json(const struct bundle_file *f) {
        json_t *list = json_array();

        for (size_t i = 0; i < f->env.n_sigs; i++) {
                char id[KEYID_HEX];

                hex_encode(f->env.sigs[i].keyid, SHA256_SIZE, id);
                json_array_append_new(list, json_pack("{s:s}", "keyid", id));
        }
        return list;
}

int inspect_json(const struct bundle_file *f, json_t **ret, struct err *err) {
        cleanup_json json_t *selftests = NULL;
        int e = bundle_selftests(f, &selftests, err);

        if (e < 0)
                return e;
        *ret = json_pack("{s:s, s:b, s:o, s:O, s:o, s:o, s:O}", "content_id", f->manifest->content_hex, "signatures_checked", 0,
                         "signatures", signatures_json(f), "manifest", f->manifest->doc, "seeds", seeds_json(f), "rules",
                         rules_shown_json(f), "selftests", json_object_get(selftests, "tests"));
        return *ret ? 0 : err_errno(err, -ENOMEM, "JSON");
}
