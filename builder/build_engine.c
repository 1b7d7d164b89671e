/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of a bundle, together, as one more policy: a source of a few lines for the compiler, and tables as seeds. */
#include "build.h"
#include "rules_source.h"

struct build_engine {
        struct policy_source source;
        struct rules_tables tables;
        struct rules_seed seeds[RULES_SEEDS];
        struct buf text;
};

void build_engine_free(struct build_engine *engine) {
        if (!engine)
                return;
        rules_tables_done(&engine->tables);
        rules_seeds_done(engine->seeds);
        buf_done(&engine->text);
        free(engine);
}

/* It enforces when any of them does; the others' modes are in its tables. */
static enum policy_mode mode_of(const struct rules_set *rules) {
        for (size_t i = 0; i < rules->n; i++)
                if (rules->policies[i].source->mode == MODE_ENFORCE)
                        return MODE_ENFORCE;
        return MODE_AUDIT;
}

int build_engine_make(struct build *b, struct diags *diags, struct err *err) {
        struct build_engine *engine;
        int e;

        if (b->rules->n == 0)
                return 0;
        b->engine = engine = new_array(1, sizeof(*engine));
        if (!engine)
                return err_errno(err, -ENOMEM, "rules");
        engine->source = (struct policy_source){
                .name = (char *)RULES_POLICY,
                .pos = b->rules->policies[0].source->pos,
                .path = (char *)RULES_SOURCE,
                .shown = (char *)RULES_SOURCE,
                .mode = mode_of(b->rules),
                .rules = true,
        };
        e = rules_tables_make(b->rules, diags, &engine->tables, err);
        if (e < 0)
                return e;
        e = rules_source_make(&engine->tables, &engine->text);
        if (e == 0)
                e = rules_seeds_make(&engine->tables, engine->seeds);
        return e < 0 ? err_errno(err, e, "rules") : 0;
}

const struct policy_source *build_engine_source(const struct build_engine *engine) {
        return &engine->source;
}

const struct buf *build_engine_text(const struct build_engine *engine) {
        return &engine->text;
}

/* A hook that has no program would be rules that are not in force, and nobody would notice. */
static int check_hooks(const struct build_engine *engine, const struct object *o, struct err *err) {
        for (size_t i = 0; i < engine->tables.hooks.n; i++) {
                bool found = false;

                for (size_t k = 0; k < o->n_programs; k++)
                        found = found || streq(o->programs[k].hook, engine->tables.hooks.v[i]);
                if (!found)
                        return err_set(err, -ENOTSUP, REASON_NONE, "the engine of rules has no program for hook '%s'",
                                       engine->tables.hooks.v[i]);
        }
        return 0;
}

static int check_map(const struct object *o, const struct rules_seed *seed, struct err *err) {
        const struct object_map *map = object_map_find(o, seed->map);
        size_t n = seed->records.len / (seed->key_size + seed->value_size);

        if (!map || map->key_size != seed->key_size || map->value_size != seed->value_size || n > map->max_entries)
                return err_set(err, -ENOTSUP, REASON_NONE,
                               "the engine of rules has no map '%s' for %zu entries of %zu and %zu bytes", seed->map, n,
                               seed->key_size, seed->value_size);
        return 0;
}

int build_engine_seed(struct build *b, struct build_policy *p, struct err *err) {
        struct build_engine *engine = b->engine;
        int e = check_hooks(engine, p->object, err);

        p->seeds = new_array(RULES_SEEDS, sizeof(*p->seeds));
        if (!p->seeds)
                return err_errno(err, -ENOMEM, "seeds");
        for (size_t i = 0; e == 0 && i < RULES_SEEDS; i++) {
                if (!engine->seeds[i].map)
                        continue;
                e = check_map(p->object, &engine->seeds[i], err);
                if (e < 0)
                        break;
                p->seeds[p->n_seeds++] = (struct build_seed){engine->seeds[i].map, engine->seeds[i].records};
                engine->seeds[i].records = (struct buf){};
        }
        return e;
}
