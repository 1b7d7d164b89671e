/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes of a bundle's policies: of one written in C its own, of the rules' engine those of all policies that are written as rules. */
#include <linux/types.h>

#include "build.h"
#include "lsm_abi.h"
#include "seeds.h"

_Static_assert(RULES_POLICIES_MAX <= LSM_SCOPES_MAX, "each has a bit");

static int engine_scopes(const struct rules_set *rules, struct scope_tables *ret, struct err *err) {
        const struct scope *scopes[RULES_POLICIES_MAX];

        for (size_t i = 0; i < rules->n; i++)
                scopes[i] = rules_policy_scope(&rules->policies[i]);
        return scope_tables_make(scopes, rules->n, ret, err);
}

int build_scope_make(struct build *b, struct build_policy *p, struct err *err) {
        const struct scope *own = &p->source->scope;
        int e = p->source->rules ? engine_scopes(b->rules, &p->scope, err) : scope_tables_make(&own, 1, &p->scope, err);

        if (e < 0)
                return err_wrap(err, e, "scope of policy '%s'", p->source->name);
        e = scope_tables_defines(&p->scope, &p->defines);
        if (e == 0 && p->scope.used && p->source->rules)
                e = strv_add(&p->defines, "LSM_SCOPE_MANY=1");
        return e < 0 ? err_errno(err, e, "scope") : 0;
}

int build_scope_seed(struct build_policy *p, struct err *err) {
        const struct scope_tables *t = &p->scope;
        const struct {
                const char *map;
                const void *table;
                size_t value_size, n;
        } tables[] = {
                {"lsm_scope_cells", t->automaton.cells, sizeof(struct lsm_scope_cell), t->automaton.n_cells},
                {"lsm_scope_masks", t->masks.data, sizeof(uint64_t), t->masks.len / sizeof(uint64_t)},
        };
        struct build_seed *seeds;

        if (!t->used)
                return 0;
        seeds = reallocarray(p->seeds, p->n_seeds + ARRAY_SIZE(tables), sizeof(*seeds));
        if (!seeds)
                return err_errno(err, -ENOMEM, "scope");
        p->seeds = seeds;
        for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
                const struct object_map *map = object_map_find(p->object, tables[i].map);
                struct build_seed *seed = &p->seeds[p->n_seeds++];
                int e;

                *seed = (struct build_seed){.map = tables[i].map};
                if (!map || map->value_size != tables[i].value_size || map->max_entries < tables[i].n)
                        return err_set(err, -ENOTSUP, REASON_NONE, "policy '%s' has no map '%s' for its scope", p->source->name,
                                       tables[i].map);
                e = seed_pack_array(tables[i].table, tables[i].value_size, tables[i].n, &seed->records);
                if (e < 0)
                        return err_errno(err, e, "scope");
        }
        return 0;
}
