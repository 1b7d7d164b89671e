/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "diff.h"
#include "rules_show.h"
#include "scope_show.h"
#include "show.h"

static const struct manifest_map *map_find(const struct manifest_policy *p, const char *name) {
        for (size_t i = 0; i < p->n_maps; i++)
                if (streq(p->maps[i].name, name))
                        return &p->maps[i];
        return NULL;
}

static void map_shape(const struct manifest_map *map, char *ret, size_t n) {
        snprintf(ret, n, "%s, %u -> %u bytes, %u entries", map->type, map->key_size, map->value_size, map->max_entries);
}

/* Tables of the engine of rules, and of scopes, say nothing to people: what they are made from is compared as it was written. */
static bool is_table(const struct bundle_file *f, const struct manifest_policy *p, const struct manifest_map *map) {
        return scope_shown_table(map) || rules_shown_policies(f, (size_t)(p - f->manifest->policies)) != NULL;
}

/* A map and its seed, of one side. */
struct side {
        const struct manifest_map *map;
        const struct buf *records;
};

static struct side side_of(const struct bundle_file *f, const struct manifest_map *map) {
        static const struct buf none;

        return (struct side){map, map && map->seed >= 0 ? &f->members[map->seed] : &none};
}

static int record_change(struct changes *c, enum change_kind kind, const char *policy, const struct side *x,
                         const struct seed_record *r, const struct side *y, const struct seed_record *s) {
        cleanup_buf struct buf subject = {}, before = {}, after = {};
        const struct side *any = r ? x : y;
        int e = buf_printf(&subject, "%s ", any->map->name);

        if (e == 0)
                e = show_bytes(&subject, r ? r->key : s->key, any->map->key_size);
        if (e == 0 && r && !show_is_one(r->value, x->map->value_size))
                e = show_bytes(&before, r->value, x->map->value_size);
        if (e == 0 && s && !show_is_one(s->value, y->map->value_size))
                e = show_bytes(&after, s->value, y->map->value_size);
        if (e == 0 && kind == CHANGE_SEED) {
                /* Both are said, also where one of them is the 1 of a set. */
                if (before.len == 0)
                        e = buf_append(&before, "1", 1);
                if (e == 0 && after.len == 0)
                        e = buf_append(&after, "1", 1);
        }
        return e < 0 ? e : change_add(c, kind, policy, subject.data, before.data, after.data);
}

/* Records are sorted by key: one pass over both. Keys of another size are other keys. */
static int find_records(const char *policy, const struct side *x, const struct side *y, struct changes *c) {
        size_t n = x->map ? seed_count(x->map, x->records) : 0, m = y->map ? seed_count(y->map, y->records) : 0, i = 0, k = 0;
        bool same_keys = x->map && y->map && x->map->key_size == y->map->key_size;
        bool same_values = x->map && y->map && x->map->value_size == y->map->value_size;
        int e = 0;

        while (e == 0 && (i < n || k < m)) {
                struct seed_record r, s;
                int order;

                if (i < n)
                        r = seed_at(x->map, x->records, i);
                if (k < m)
                        s = seed_at(y->map, y->records, k);
                if (i == n || k == m || !same_keys)
                        order = i < n ? -1 : 1;
                else
                        order = memcmp(r.key, s.key, x->map->key_size);
                if (order < 0)
                        e = record_change(c, CHANGE_SEED_REMOVED, policy, x, &r, y, NULL);
                else if (order > 0)
                        e = record_change(c, CHANGE_SEED_ADDED, policy, x, NULL, y, &s);
                else if (!same_values || memcmp(r.value, s.value, x->map->value_size) != 0)
                        e = record_change(c, CHANGE_SEED, policy, x, &r, y, &s);
                i += order <= 0;
                k += order >= 0;
        }
        return e;
}

static int find_seeds(const struct bundle_file *before, const struct manifest_policy *p, const struct bundle_file *after,
                      const struct manifest_policy *q, const struct side *x, const struct side *y, struct changes *c) {
        const struct manifest_map *map = x->map ?: y->map;

        if (is_table(before, p, map) && is_table(after, q, map))
                return changes_find_table(p->name, map->name, x->records, y->records, c);
        return find_records(p->name, x, y, c);
}

int changes_find_maps(const struct bundle_file *before, const struct manifest_policy *p, const struct bundle_file *after,
                      const struct manifest_policy *q, struct changes *c) {
        char old[256], new[256];
        int e = 0;

        for (size_t i = 0; e == 0 && i < p->n_maps; i++) {
                const struct manifest_map *map = &p->maps[i], *other = map_find(q, map->name);
                struct side x = side_of(before, map), y = side_of(after, other);

                map_shape(map, old, sizeof(old));
                if (other)
                        map_shape(other, new, sizeof(new));
                if (!other)
                        e = change_add(c, CHANGE_MAP_REMOVED, p->name, map->name, old, NULL);
                else if (!streq(old, new))
                        e = change_add(c, CHANGE_MAP, p->name, map->name, old, new);
                if (e == 0)
                        e = find_seeds(before, p, after, q, &x, &y, c);
        }
        for (size_t i = 0; e == 0 && i < q->n_maps; i++) {
                struct side x = side_of(before, NULL), y = side_of(after, &q->maps[i]);

                if (map_find(p, q->maps[i].name))
                        continue;
                map_shape(&q->maps[i], new, sizeof(new));
                e = change_add(c, CHANGE_MAP_ADDED, p->name, q->maps[i].name, NULL, new);
                if (e == 0)
                        e = find_seeds(before, p, after, q, &x, &y, c);
        }
        return e;
}
