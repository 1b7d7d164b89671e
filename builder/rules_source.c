/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_source.h"

#include "seeds.h"

static int define(struct buf *out, const char *name, size_t n) {
        return buf_printf(out, "#define RULES_%s %zu\n", name, n);
}

static size_t at_least_one(size_t n) {
        return n > 0 ? n : 1;
}

int rules_source_make(const struct rules_tables *t, struct buf *ret) {
        const struct {
                const char *name;
                size_t n;
        } sizes[] = {
                {"CELLS", at_least_one(t->automaton.n_cells)},
                {"STATES", at_least_one(t->states.len / sizeof(struct lsm_rules_state))},
                {"CLASSES", at_least_one(t->classes.len / sizeof(struct lsm_rules_class))},
                {"REFS", at_least_one(t->refs.len / sizeof(uint32_t))},
                {"RULES", at_least_one(t->rules.len / sizeof(struct lsm_rules_rule))},
                {"SETS", at_least_one(t->sets.len / sizeof(struct lsm_rules_set))},
                {"MEMBERS", at_least_one(t->members.len / sizeof(struct lsm_rules_member))},
                {"START", t->automaton.start},
                {"OPS", t->ops},
                {"UNIX_SOCKETS", t->unix_sockets},
                {"DEVICES", t->devices},
                {"FS", t->fs.n},
        };
        int e = buf_printf(ret, "/* Made by lsmbundle from the rules of a bundle. */\n");

        for (size_t i = 0; e == 0 && i < ARRAY_SIZE(sizes); i++)
                e = define(ret, sizes[i].name, sizes[i].n);
        for (size_t i = 0; e == 0 && i < t->hooks.n; i++)
                e = buf_printf(ret, "#define RULES_ON_%s 1\n", t->hooks.v[i]);
        if (e == 0)
                e = buf_printf(ret, "#include <lsm_rules.h>\n\nchar LICENSE[] SEC(\"license\") = \"GPL\";\n");
        return e;
}

/* ---- seeds --------------------------------------------------------------------------------------------------------- */

void rules_seeds_done(struct rules_seed seeds[static RULES_SEEDS]) {
        for (size_t i = 0; i < RULES_SEEDS; i++)
                buf_done(&seeds[i].records);
}

static int set_pack(struct rules_seed *seed, const struct buf *members) {
        static const uint8_t one = 1;
        int e = 0;

        for (size_t at = 0; e == 0 && at < members->len; at += seed->key_size) {
                e = buf_append(&seed->records, members->data + at, seed->key_size);
                if (e == 0)
                        e = buf_append(&seed->records, &one, sizeof(one));
        }
        return e;
}

static int fs_pack(struct rules_seed *seed, const struct strv *names) {
        int e = 0;

        for (uint32_t i = 0; e == 0 && i < names->n; i++) {
                struct {
                        struct lsm_rules_fs key;
                        uint32_t number;
                } record = {.number = i + 1};

                memcpy(record.key.name, names->v[i], strlen(names->v[i]));
                e = buf_append(&seed->records, &record, sizeof(record));
        }
        return e;
}

int rules_seeds_make(const struct rules_tables *t, struct rules_seed ret[static RULES_SEEDS]) {
        const struct {
                const char *map;
                size_t value_size;
                const void *table;
                size_t len; /* in bytes */
        } arrays[] = {
                {"lsm_rules_cells", sizeof(struct lsm_rules_cell), t->automaton.cells,
                 t->automaton.n_cells * sizeof(struct lsm_rules_cell)},
                {"lsm_rules_states", sizeof(struct lsm_rules_state), t->states.data, t->states.len},
                {"lsm_rules_classes", sizeof(struct lsm_rules_class), t->classes.data, t->classes.len},
                {"lsm_rules_refs", sizeof(uint32_t), t->refs.data, t->refs.len},
                {"lsm_rules_rules", sizeof(struct lsm_rules_rule), t->rules.data, t->rules.len},
                {"lsm_rules_sets", sizeof(struct lsm_rules_set), t->sets.data, t->sets.len},
        };
        struct rules_seed *members = &ret[ARRAY_SIZE(arrays)], *fs = members + 1;
        int e = 0;

        for (size_t i = 0; e == 0 && i < ARRAY_SIZE(arrays); i++) {
                ret[i] = (struct rules_seed){arrays[i].map, sizeof(uint32_t), arrays[i].value_size, {}};
                e = seed_pack_array(arrays[i].table, arrays[i].value_size, arrays[i].len / arrays[i].value_size, &ret[i].records);
        }
        *members = (struct rules_seed){"lsm_rules_members", sizeof(struct lsm_rules_member), 1, {}};
        if (e == 0)
                e = set_pack(members, &t->members);
        *fs = (struct rules_seed){t->fs.n > 0 ? "lsm_rules_fs" : NULL, sizeof(struct lsm_rules_fs), sizeof(uint32_t), {}};
        return e < 0 ? e : fs_pack(fs, &t->fs);
}
