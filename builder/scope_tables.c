/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <linux/types.h>

#include "lsm_abi.h"
#include "scope.h"

_Static_assert(sizeof(struct lsm_scope_cell) == sizeof(struct lsm_rules_cell) && LSM_SCOPE_OWN == LSM_CELL_OWN &&
                       LSM_SCOPE_SINK == LSM_STATE_SINK,
               "one kind of automaton");

void scope_tables_done(struct scope_tables *t) {
        automaton_done(&t->automaton);
        buf_done(&t->masks);
        *t = (struct scope_tables){};
}

static size_t patterns_count(const struct scope *const *scopes, size_t n) {
        size_t count = 0;

        for (size_t i = 0; i < n; i++)
                count += scopes[i]->n;
        return count;
}

/* For each of the automaton's states: whose patterns match a path that ends there? bits: of each pattern. */
static int masks_make(struct scope_tables *t, const uint64_t *bits) {
        int e = 0;

        for (size_t i = 0; e == 0 && i < t->automaton.n_states; i++) {
                const struct automaton_set *set = &t->automaton.sets[t->automaton.states[i].accept];
                uint64_t mask = 0;

                for (size_t k = 0; k < set->n; k++)
                        mask |= bits[set->patterns[k]];
                e = buf_append(&t->masks, &mask, sizeof(mask));
        }
        return e;
}

int scope_tables_make(const struct scope *const *scopes, size_t n, struct scope_tables *ret, struct err *err) {
        size_t count = patterns_count(scopes, n), at = 0;
        cleanup_free struct path_pattern *patterns = new_array(count, sizeof(*patterns)); /* borrowed */
        cleanup_free uint64_t *bits = new_array(count, sizeof(*bits));
        int e;

        if (!patterns || !bits)
                return err_errno(err, -ENOMEM, "scopes");
        for (size_t i = 0; i < n; i++) {
                uint64_t bit = 1ULL << i;

                for (size_t k = 0; k < scopes[i]->n; k++) {
                        bits[at] = bit;
                        patterns[at++] = scopes[i]->patterns[k];
                }
                ret->namespaced |= scopes[i]->namespaced ? bit : 0;
                /* Without a scope: what no pattern matches is everything. */
                ret->inverted |= scopes[i]->inverted || !scopes[i]->key ? bit : 0;
                ret->used = ret->used || scopes[i]->key;
        }
        if (!ret->used)
                return 0;
        e = automaton_make(patterns, count, &ret->automaton, err);
        if (e < 0)
                return e;
        e = masks_make(ret, bits);
        return e < 0 ? err_errno(err, e, "scopes") : 0;
}

int scope_tables_defines(const struct scope_tables *t, struct strv *ret) {
        int e;

        if (!t->used)
                return 0;
        e = strv_addf(ret, "LSM_SCOPE_CELLS=%zu", t->automaton.n_cells);
        if (e == 0)
                e = strv_addf(ret, "LSM_SCOPE_STATES=%zu", t->automaton.n_states);
        if (e == 0)
                e = strv_addf(ret, "LSM_SCOPE_START=%" PRIu32, t->automaton.start);
        if (e == 0)
                e = strv_addf(ret, "LSM_SCOPE_NAMESPACED=0x%" PRIx64 "ULL", t->namespaced);
        return e < 0 ? e : strv_addf(ret, "LSM_SCOPE_INVERTED=0x%" PRIx64 "ULL", t->inverted);
}
