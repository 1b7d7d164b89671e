/* SPDX-License-Identifier: Apache-2.0 */
/* From patterns to cells, step by step. */
#include "automaton_parts.h"

#define MEMBERS_MAX (1u << 25)

void automaton_done(struct automaton *a) {
        free(a->cells);
        free(a->states);
        if (a->sets)
                free(a->sets[0].patterns); /* all of them are one block */
        free(a->sets);
        *a = (struct automaton){};
}

/* A record for each pair of what is accepted and what is below; of[s] is that of a state. */
static int records_make(const struct dfa *dfa, const uint32_t *below, uint32_t *of, struct automaton *ret) {
        cleanup_intern struct intern *records = intern_new();

        if (!records)
                return -ENOMEM;
        for (size_t s = 0; s < dfa->n; s++) {
                struct automaton_state state = {dfa->states[s].accept, below[s]};
                int64_t number = intern_add(records, &state, sizeof(state));

                if (number < 0)
                        return -ENOMEM;
                of[s] = (uint32_t)number;
        }
        ret->n_states = intern_count(records);
        ret->states = new_array(ret->n_states, sizeof(*ret->states));
        if (!ret->states)
                return -ENOMEM;
        for (size_t i = 0; i < ret->n_states; i++) {
                size_t n;
                const void *record = intern_get(records, i, &n);

                memcpy(&ret->states[i], record, n);
        }
        return 0;
}

static int sets_make(const struct intern *sets, struct automaton *ret) {
        size_t total = 0, n;
        uint32_t *all;

        for (size_t i = 0; i < intern_count(sets); i++) {
                intern_get(sets, i, &n);
                total += n;
        }
        ret->sets = new_array(intern_count(sets), sizeof(*ret->sets));
        all = new_array(total, 1);
        if (!ret->sets || !all) {
                free(all);
                return -ENOMEM;
        }
        ret->n_sets = intern_count(sets);
        for (size_t i = 0; i < ret->n_sets; i++) {
                const void *set = intern_get(sets, i, &n);

                ret->sets[i].patterns = all;
                ret->sets[i].n = n / sizeof(*all);
                if (n > 0)
                        memcpy(all, set, n);
                all += ret->sets[i].n;
        }
        return 0;
}

static size_t cells_max(const struct automaton_limits *limits) {
        return limits->cells && limits->cells < LSM_CELLS_MAX ? limits->cells : LSM_CELLS_MAX;
}

static int minimal_make(const struct path_pattern *patterns, size_t n, const struct automaton_limits *limits, struct intern *sets,
                        struct dfa *ret, struct err *err) {
        struct nfa nfa = {};
        struct dfa dfa = {};
        /* A node of the tree becomes a state, and that has a cell and another one that leads to it. */
        int r = nfa_make(patterns, n, (cells_max(limits)) / 2, &nfa, err);

        if (r < 0)
                return r;
        r = dfa_make(&nfa, limits, sets, &dfa, err);
        nfa_done(&nfa);
        if (r < 0)
                return r;
        r = dfa_minimise(&dfa, ret);
        dfa_done(&dfa);
        return r < 0 ? err_errno(err, r, "automaton") : 0;
}

int automaton_make_within(const struct path_pattern *patterns, size_t n, const struct automaton_limits *limits,
                          struct automaton *ret, struct err *err) {
        cleanup_automaton struct automaton a = {};
        cleanup_intern struct intern *sets = intern_new();
        cleanup_free uint32_t *below = NULL, *records = NULL;
        struct dfa dfa = {};
        int r;

        if (!sets)
                return err_errno(err, -ENOMEM, "automaton");
        r = minimal_make(patterns, n, limits, sets, &dfa, err);
        if (r < 0)
                return r;
        r = dfa_below(&dfa, n, limits->members ?: MEMBERS_MAX, sets, &below, err);
        if (r == 0) {
                a.n_nodes = dfa.n;
                records = new_array(dfa.n, sizeof(*records));
                r = records ? records_make(&dfa, below, records, &a) ?: sets_make(sets, &a) : -ENOMEM;
                r = r < 0 ? err_errno(err, r, "automaton") : cells_pack(&dfa, records, cells_max(limits), &a, err);
        }
        dfa_done(&dfa);
        if (r < 0)
                return r;
        *ret = a;
        a = (struct automaton){};
        return 0;
}

int automaton_make(const struct path_pattern *patterns, size_t n, struct automaton *ret, struct err *err) {
        return automaton_make_within(patterns, n, &(struct automaton_limits){}, ret, err);
}
