/* SPDX-License-Identifier: Apache-2.0 */
#include "seeds.h"

#include <endian.h>

struct seed_entry {
        struct pos pos;
        uint8_t *record; /* key, value */
};

struct packer {
        const struct btf *btf;
        const struct object_map *map;
        struct diags *diags;
        struct seed_entry *entries;
        size_t n;
        uint8_t *bytes; /* all records */
        size_t record_size;
};

static void packer_done(struct packer *p) {
        free(p->entries);
        free(p->bytes);
}

static bool is_array(const struct object_map *map) {
        return map->kind == BPF_MAP_TYPE_ARRAY;
}

/* Maps whose content is plain key/value records, the same for every CPU and every program. */
static bool map_seedable(const struct object_map *map, struct pos pos, struct diags *diags) {
        switch (map->kind) {
        case BPF_MAP_TYPE_HASH:
        case BPF_MAP_TYPE_LRU_HASH:
        case BPF_MAP_TYPE_LPM_TRIE:
        case BPF_MAP_TYPE_ARRAY:
                break;
        default:
                diag_error(diags, pos, "map '%s' is of type %s, which cannot be seeded", map->name, map->type);
                return false;
        }
        if (map->key_type == 0 || map->value_type == 0) {
                diag_error(diags, pos,
                           "map '%s' does not say the types of key and value: use __type(key, ...) and __type(value, ...)",
                           map->name);
                return false;
        }
        return true;
}

static bool types_fit(const struct packer *p, struct pos pos) {
        if (btf__resolve_size(p->btf, p->map->key_type) == p->map->key_size &&
            btf__resolve_size(p->btf, p->map->value_type) == p->map->value_size)
                return true;
        diag_error(p->diags, pos, "map '%s': its BTF types are not as large as its keys and values", p->map->name);
        return false;
}

static uint8_t *entry_new(struct packer *p, struct pos pos) {
        struct seed_entry *entry = &p->entries[p->n];

        *entry = (struct seed_entry){pos, p->bytes + p->n * p->record_size};
        p->n++;
        return entry->record;
}

static void pack_set(struct packer *p, const struct yaml_node *node) {
        const struct object_map *map = p->map;

        for (size_t i = 0; i < node->n; i++) {
                uint8_t *record = entry_new(p, node->items[i]->pos);

                seed_value(p->btf, map->key_type, node->items[i], record, map->key_size, p->diags);
                if (!seed_one(p->btf, map->value_type, record + map->key_size, map->value_size)) {
                        diag_error(p->diags, node->pos,
                                   "map '%s' is no set, its values are no numbers: write a mapping, key: value", map->name);
                        return;
                }
        }
}

static void pack_mapping(struct packer *p, const struct yaml_node *node) {
        const struct object_map *map = p->map;

        for (size_t i = 0; i < node->n; i++) {
                uint8_t *record = entry_new(p, node->keys[i]->pos);
                uint32_t index;

                if (seed_value(p->btf, map->key_type, node->keys[i], record, map->key_size, p->diags) && is_array(map)) {
                        memcpy(&index, record, sizeof(index));
                        if (index >= map->max_entries)
                                diag_error(p->diags, node->keys[i]->pos, "map '%s' has entries 0 to %u", map->name,
                                           map->max_entries - 1);
                }
                seed_value(p->btf, map->value_type, node->items[i], record + map->key_size, map->value_size, p->diags);
        }
}

static void pack_array(struct packer *p, const struct yaml_node *node) {
        for (size_t i = 0; i < node->n; i++) {
                uint8_t *record = entry_new(p, node->items[i]->pos);
                uint32_t index = (uint32_t)i;

                memcpy(record, &index, sizeof(index));
                seed_value(p->btf, p->map->value_type, node->items[i], record + sizeof(index), p->map->value_size, p->diags);
        }
}

static int entry_cmp(const void *a, const void *b, void *ctx) {
        const struct seed_entry *x = a, *y = b;
        const struct packer *p = ctx;
        int r = memcmp(x->record, y->record, p->map->key_size);

        /* Records lie in the order of the source: equal keys stay in it. */
        return r != 0 ? r : (x->record > y->record) - (x->record < y->record);
}

static int records_write(struct packer *p, struct buf *ret) {
        qsort_r(p->entries, p->n, sizeof(*p->entries), entry_cmp, p);
        for (size_t i = 0; i < p->n; i++) {
                int e;

                if (i > 0 && memcmp(p->entries[i - 1].record, p->entries[i].record, p->map->key_size) == 0)
                        diag_error(p->diags, p->entries[i].pos, "map '%s': this key is there twice", p->map->name);
                e = buf_append(ret, p->entries[i].record, p->record_size);
                if (e < 0)
                        return e;
        }
        return 0;
}

int seed_pack(const struct object *o, const struct object_map *map, const struct yaml_node *node, struct diags *diags,
              struct buf *ret) {
        cleanup(packer_done) struct packer p = {.btf = o->btf, .map = map, .diags = diags};
        size_t before = diags->n_errors;
        int e;

        if (node->kind == YAML_SCALAR) {
                diag_error(diags, node->pos, "the seed of map '%s' is a list or a mapping, not %s", map->name,
                           yaml_describe(node));
                return -EBADMSG;
        }
        if (!map_seedable(map, node->pos, diags) || !types_fit(&p, node->pos))
                return -EBADMSG;
        if (node->n > map->max_entries) {
                diag_error(diags, node->pos, "map '%s' has room for %u entries, not for %zu", map->name, map->max_entries,
                           node->n);
                return -EBADMSG;
        }
        p.record_size = (size_t)map->key_size + map->value_size;
        p.entries = new_array(node->n, sizeof(*p.entries));
        p.bytes = new_array(node->n, p.record_size);
        if (!p.entries || !p.bytes)
                return -ENOMEM;
        if (node->kind == YAML_MAP)
                pack_mapping(&p, node);
        else if (is_array(map))
                pack_array(&p, node);
        else
                pack_set(&p, node);
        if (diags->n_errors > before)
                return -EBADMSG;
        e = records_write(&p, ret);
        if (e < 0)
                return e;
        return diags->n_errors > before ? -EBADMSG : 0;
}

/* ---- arrays that were made ----------------------------------------------------------------------------------------- */

static bool all_zero(const uint8_t *p, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (p[i] != 0)
                        return false;
        return true;
}

/* By their bytes, as all keys of seeds, which is not by number. */
static int index_cmp(const void *a, const void *b) {
        return memcmp(a, b, sizeof(uint32_t));
}

int seed_pack_array(const void *table, size_t value_size, size_t n, struct buf *ret) {
        cleanup_free uint32_t *indices = new_array(n, sizeof(*indices));
        const uint8_t *values = table;
        size_t kept = 0;
        int e = indices ? 0 : -ENOMEM;

        for (size_t i = 0; e == 0 && i < n; i++)
                if (!all_zero(values + i * value_size, value_size))
                        indices[kept++] = (uint32_t)i;
        if (e == 0) {
                qsort(indices, kept, sizeof(*indices), index_cmp);
                e = buf_reserve(ret, kept * (sizeof(*indices) + value_size));
        }
        for (size_t i = 0; e == 0 && i < kept; i++) {
                e = buf_append(ret, &indices[i], sizeof(*indices));
                if (e == 0)
                        e = buf_append(ret, values + indices[i] * value_size, value_size);
        }
        return e;
}
