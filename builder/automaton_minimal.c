/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merging states. Those without a literal node can form cycles: they are told apart step by step (automaton_refine.c). The others
 * are a tree: taken from its leaves up, a state is another one when it says the same and leads to the same.
 */
#include "automaton_parts.h"

void dfa_done(struct dfa *dfa) {
        free(dfa->states);
        free(dfa->edges);
        *dfa = (struct dfa){};
}

int dfa_reserve(struct dfa *dfa, size_t n_edges) {
        size_t cap = dfa->cap_edges ? dfa->cap_edges * 2 : 4096;
        struct edge *edges;

        if (dfa->cap_edges - dfa->n_edges >= n_edges)
                return 0;
        edges = reallocarray(dfa->edges, cap, sizeof(*edges));
        if (!edges)
                return -ENOMEM;
        dfa->edges = edges;
        dfa->cap_edges = cap;
        return 0;
}

int dfa_add(struct dfa *dfa, struct dfa_state state) {
        if (dfa->n == dfa->cap) {
                size_t cap = dfa->cap ? dfa->cap * 2 : 1024;
                struct dfa_state *states = reallocarray(dfa->states, cap, sizeof(*states));

                if (!states)
                        return -ENOMEM;
                dfa->states = states;
                dfa->cap = cap;
        }
        state.edges = dfa->n_edges;
        dfa->n_edges += state.n;
        dfa->states[dfa->n++] = state;
        return 0;
}

int u32_cmp(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

/* `otherwise` is where most bytes lead; of several such, the one of the lowest byte. */
uint16_t edges_of_row(const uint32_t row[256], struct edge *ret, uint32_t *ret_otherwise) {
        struct {
                uint32_t to, n;
        } seen[255];
        size_t n_seen = 0, at = 0, most = 0;
        uint16_t n = 0;

        for (unsigned b = 1; b < 256; b++) {
                if (b == 1 || row[b] != row[b - 1])
                        for (at = 0; at < n_seen && seen[at].to != row[b];)
                                at++;
                if (at == n_seen)
                        seen[n_seen++] = (typeof(seen[0])){row[b], 0};
                seen[at].n++;
        }
        for (size_t i = 1; i < n_seen; i++)
                if (seen[i].n > seen[most].n)
                        most = i;
        *ret_otherwise = seen[most].to;
        for (unsigned b = 1; b < 256; b++)
                if (row[b] != seen[most].to)
                        ret[n++] = (struct edge){row[b], (uint8_t)b};
        return n;
}

uint16_t edges_by_class(const struct dfa *dfa, const struct dfa_state *state, const uint32_t *class_of, struct edge *ret,
                        uint32_t *ret_otherwise) {
        const struct edge *edges = dfa->edges + state->edges;
        uint32_t otherwise = class_of[state->otherwise], row[256];
        uint16_t n = 0;

        if (state->n < 128) { /* most bytes, as edges_of_row() has it, whatever becomes of the others */
                for (size_t i = 0; i < state->n; i++)
                        if (class_of[edges[i].to] != otherwise)
                                ret[n++] = (struct edge){class_of[edges[i].to], edges[i].byte};
                *ret_otherwise = otherwise;
                return n;
        }
        for (unsigned b = 1; b < 256; b++)
                row[b] = otherwise;
        for (size_t i = 0; i < state->n; i++)
                row[edges[i].byte] = class_of[edges[i].to];
        return edges_of_row(row, ret, ret_otherwise);
}

struct merge {
        const struct dfa *dfa;
        struct dfa *ret;
        uint32_t *class_of;
        struct intern *known; /* what a state says and where it leads; its number is that of the new state */
};

/* The state that is like this one, added when there is none. */
static int merge_state(struct merge *m, const struct dfa_state *state, uint32_t *ret) {
        uint32_t key[2 + 2 * 255];
        struct dfa_state merged = {.accept = state->accept, .literal = state->literal};
        struct edge *edges;
        int64_t number;
        int r = dfa_reserve(m->ret, 255);

        if (r < 0)
                return r;
        edges = m->ret->edges + m->ret->n_edges;
        merged.n = edges_by_class(m->dfa, state, m->class_of, edges, &merged.otherwise);
        key[0] = merged.accept;
        key[1] = merged.otherwise;
        for (size_t i = 0; i < merged.n; i++) {
                key[2 + 2 * i] = edges[i].to;
                key[3 + 2 * i] = edges[i].byte;
        }
        number = intern_add(m->known, key, (2 + 2 * (size_t)merged.n) * sizeof(*key));
        if (number < 0)
                return -ENOMEM;
        *ret = (uint32_t)number;
        return (size_t)number == m->ret->n ? dfa_add(m->ret, merged) : 0;
}

static int merge_globs(struct merge *m) {
        cleanup_free uint32_t *example = NULL;
        uint32_t n, dead;
        int r = dfa_refine(m->dfa, m->class_of, &n);

        if (r < 0)
                return r;
        example = new_array(n, sizeof(*example));
        if (!example)
                return -ENOMEM;
        dead = m->class_of[DEAD];
        for (size_t s = m->dfa->n; s-- > 0;) {
                uint32_t *class = &m->class_of[s];

                if (m->dfa->states[s].literal)
                        continue;
                *class = *class == dead ? DEAD : *class == DEAD ? dead : *class;
                example[*class] = (uint32_t)s;
        }
        for (uint32_t c = 0; c < n; c++) {
                uint32_t number;

                r = merge_state(m, &m->dfa->states[example[c]], &number);
                if (r < 0)
                        return r;
                if (number != c)
                        return -ENOTRECOVERABLE; /* two classes alike: the refinement is wrong */
        }
        return 0;
}

int dfa_minimise(const struct dfa *dfa, struct dfa *ret) {
        cleanup_free uint32_t *class_of = new_array(dfa->n, sizeof(*class_of));
        cleanup_intern struct intern *known = intern_new();
        struct dfa minimal = {};
        struct merge m = {dfa, &minimal, class_of, known};
        int r = class_of && known ? merge_globs(&m) : -ENOMEM;

        /* A literal state is found after the one that leads to it. */
        for (size_t s = dfa->n; r == 0 && s-- > 0;)
                if (dfa->states[s].literal)
                        r = merge_state(&m, &dfa->states[s], &class_of[s]);
        if (r < 0) {
                dfa_done(&minimal);
                return r;
        }
        minimal.start = class_of[dfa->start];
        *ret = minimal;
        return 0;
}
