/* SPDX-License-Identifier: Apache-2.0 */
/*
 * States laid over each other in one array, like combs: each where its own cell and those of its bytes are free. The ones with the
 * most bytes come first, the small ones fill the gaps. What is free is a bit each, so 64 places are tried at a time.
 */
#include "automaton_parts.h"

#define BITS_BEYOND 512 /* what is read beyond the last place is free */
#define HINTS 4096      /* power of two */

struct packer {
        const struct dfa *dfa;
        uint64_t *taken;
        uint32_t *base; /* of each state */
        size_t end;     /* of the last state's reach */
        size_t low;     /* nothing is free in front of it */
        size_t max;
        /* States with the same bytes: what is in front of where the last one went need not be tried again. */
        struct {
                uint64_t key;
                size_t from;
        } * hints;
};

static uint64_t taken_at(const struct packer *p, size_t bit) {
        const uint64_t *w = p->taken + bit / 64;
        unsigned shift = bit % 64;

        return shift ? w[0] >> shift | w[1] << (64 - shift) : w[0];
}

static void take(struct packer *p, size_t bit) {
        p->taken[bit / 64] |= 1ULL << bit % 64;
}

/* The first place where all is free; p->max: there is none. */
static size_t place_find(struct packer *p, const struct edge *edges, size_t n, size_t from) {
        while (p->low < p->max && !~p->taken[p->low / 64])
                p->low += 64;
        for (size_t at = from > p->low ? from / 64 * 64 : p->low; at < p->max; at += 64) {
                uint64_t taken = p->taken[at / 64];

                for (size_t i = 0; i < n && ~taken; i++)
                        taken |= taken_at(p, at + edges[i].byte);
                if (~taken) {
                        at += (size_t)__builtin_ctzll(~taken);
                        return at < p->max ? at : p->max;
                }
        }
        return p->max;
}

static int state_place(struct packer *p, uint32_t s) {
        const struct dfa_state *state = &p->dfa->states[s];
        const struct edge *edges = p->dfa->edges + state->edges;
        uint64_t key = 0xcbf29ce484222325;
        size_t slot, at;

        for (size_t i = 0; i < state->n; i++)
                key = (key ^ edges[i].byte) * 0x100000001b3;
        slot = (key ^ key >> 32) & (HINTS - 1);
        at = place_find(p, edges, state->n, p->hints[slot].key == key ? p->hints[slot].from : 0);
        if (at + 256 > p->max)
                return -E2BIG;
        p->hints[slot].key = key;
        p->hints[slot].from = at;
        p->base[s] = (uint32_t)at;
        take(p, at);
        for (size_t i = 0; i < state->n; i++)
                take(p, at + edges[i].byte);
        if (at + 256 > p->end)
                p->end = at + 256;
        return 0;
}

static int all_place(struct packer *p) {
        uint32_t by_n[257] = {};
        cleanup_free uint32_t *order = new_array(p->dfa->n, sizeof(*order));

        if (!order)
                return -ENOMEM;
        for (size_t s = 0; s < p->dfa->n; s++)
                by_n[255 - p->dfa->states[s].n + 1]++;
        for (size_t i = 1; i < 257; i++)
                by_n[i] += by_n[i - 1];
        for (uint32_t s = 0; s < p->dfa->n; s++)
                order[by_n[255 - p->dfa->states[s].n]++] = s;
        p->base[DEAD] = 0;
        p->end = 256;
        take(p, 0);
        for (size_t i = 0; i < p->dfa->n; i++) {
                int r = order[i] == DEAD ? 0 : state_place(p, order[i]);

                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_sink(const struct dfa *dfa, uint32_t s) {
        return dfa->states[s].n == 0 && dfa->states[s].otherwise == s;
}

static uint32_t next_of(const struct packer *p, uint32_t to) {
        return p->base[to] | (to != DEAD && is_sink(p->dfa, to) ? LSM_STATE_SINK : 0);
}

static void cells_fill(const struct packer *p, const uint32_t *records, struct lsm_rules_cell *cells) {
        for (uint32_t s = 0; s < p->dfa->n; s++) {
                const struct dfa_state *state = &p->dfa->states[s];
                const struct edge *edges = p->dfa->edges + state->edges;
                struct lsm_rules_cell *own = cells + p->base[s];

                *own = (struct lsm_rules_cell){LSM_CELL_OWN | records[s], next_of(p, state->otherwise)};
                for (size_t i = 0; i < state->n; i++)
                        own[edges[i].byte] = (struct lsm_rules_cell){p->base[s], next_of(p, edges[i].to)};
        }
}

int cells_pack(const struct dfa *dfa, const uint32_t *records, size_t max_cells, struct automaton *ret, struct err *err) {
        struct packer p = {
                .dfa = dfa,
                .taken = new_array((max_cells + BITS_BEYOND) / 64, sizeof(*p.taken)),
                .base = new_array(dfa->n, sizeof(*p.base)),
                .hints = new_array(HINTS, sizeof(*p.hints)),
                .max = max_cells,
        };
        int r = p.taken && p.base && p.hints ? all_place(&p) : -ENOMEM;

        if (r == 0) {
                ret->cells = new_array(p.end, sizeof(*ret->cells));
                if (ret->cells) {
                        ret->n_cells = p.end;
                        ret->start = p.base[dfa->start];
                        cells_fill(&p, records, ret->cells);
                } else
                        r = -ENOMEM;
        }
        if (r == -E2BIG)
                err_set(err, r, REASON_TOO_LARGE, "the paths of the rules need more than %zu cells", max_cells);
        else if (r < 0)
                err_errno(err, r, "automaton");
        free(p.taken);
        free(p.base);
        free(p.hints);
        return r;
}
