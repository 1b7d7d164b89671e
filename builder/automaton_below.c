/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can still match from a state on: what its state accepts, and all that it leads to. States that lead to each other have the
 * same; so they are taken by strongly connected components, those that are led to first (Tarjan's algorithm, without recursion: a
 * path is thousands of states deep).
 */
#include "automaton_parts.h"

struct frame {
        uint32_t state;
        uint32_t at; /* the next edge to look at; n: the default; n + 1: done */
};

struct below {
        const struct dfa *dfa;
        struct intern *sets;
        uint32_t *below; /* known, or NONE */
        uint32_t *order, *low, n_order;
        uint32_t *stack;
        struct frame *frames;
        size_t n_stack, n_frames;
        /* of the component in hand */
        uint32_t *parts; /* sets that are united */
        size_t n_parts, cap_parts;
        uint32_t *members, *mark, stamp;
        size_t total, max_total;
};

static int part_add(struct below *b, uint32_t set) {
        if (set == NONE || set == 0) /* NONE: of this very component */
                return 0;
        if (b->n_parts > 0 && b->parts[b->n_parts - 1] == set)
                return 0;
        if (b->n_parts == b->cap_parts) {
                size_t cap = b->cap_parts ? b->cap_parts * 2 : 1024;
                uint32_t *parts = reallocarray(b->parts, cap, sizeof(*parts));

                if (!parts)
                        return -ENOMEM;
                b->parts = parts;
                b->cap_parts = cap;
        }
        b->parts[b->n_parts++] = set;
        return 0;
}

static int parts_unite(struct below *b, uint32_t *ret) {
        size_t n = 0, n_members = 0, known = intern_count(b->sets);
        int64_t number;

        if (b->n_parts > 1)
                qsort(b->parts, b->n_parts, sizeof(*b->parts), u32_cmp);
        for (size_t i = 0; i < b->n_parts; i++)
                if (i == 0 || b->parts[i] != b->parts[i - 1])
                        b->parts[n++] = b->parts[i];
        if (n <= 1) {
                *ret = n ? b->parts[0] : 0;
                return 0;
        }
        b->stamp++;
        for (size_t i = 0; i < n; i++) {
                size_t size;
                const uint32_t *set = intern_get(b->sets, b->parts[i], &size);

                for (size_t j = 0; j < size / sizeof(*set); j++)
                        if (b->mark[set[j]] != b->stamp) {
                                b->mark[set[j]] = b->stamp;
                                b->members[n_members++] = set[j];
                        }
        }
        qsort(b->members, n_members, sizeof(*b->members), u32_cmp);
        number = intern_add(b->sets, b->members, n_members * sizeof(*b->members));
        if (number < 0)
                return -ENOMEM;
        if ((size_t)number == known)
                b->total += n_members;
        *ret = (uint32_t)number;
        return b->total > b->max_total ? -E2BIG : 0;
}

/* The component whose first state is `state`: it is what is above it on the stack. */
static int component_end(struct below *b, uint32_t state) {
        size_t from = b->n_stack;
        uint32_t set = 0;
        int r = 0;

        while (b->stack[--from] != state)
                ;
        b->n_parts = 0;
        for (size_t i = from; r == 0 && i < b->n_stack; i++) {
                const struct dfa_state *s = &b->dfa->states[b->stack[i]];

                r = part_add(b, s->accept) ?: part_add(b, b->below[s->otherwise]);
                for (size_t j = 0; r == 0 && j < s->n; j++)
                        r = part_add(b, b->below[b->dfa->edges[s->edges + j].to]);
        }
        if (r == 0)
                r = parts_unite(b, &set);
        if (r < 0)
                return r;
        for (size_t i = from; i < b->n_stack; i++)
                b->below[b->stack[i]] = set;
        b->n_stack = from;
        return 0;
}

static void enter(struct below *b, uint32_t state) {
        b->order[state] = b->low[state] = ++b->n_order;
        b->stack[b->n_stack++] = state;
        b->frames[b->n_frames++] = (struct frame){.state = state};
}

/* From a state that nothing has led to yet. */
static int visit(struct below *b, uint32_t root) {
        enter(b, root);
        while (b->n_frames > 0) {
                struct frame *f = &b->frames[b->n_frames - 1];
                const struct dfa_state *s = &b->dfa->states[f->state];

                if (f->at <= s->n) {
                        uint32_t to = f->at < s->n ? b->dfa->edges[s->edges + f->at].to : s->otherwise;

                        f->at++;
                        if (!b->order[to])
                                enter(b, to);
                        else if (b->below[to] == NONE && b->order[to] < b->low[f->state])
                                b->low[f->state] = b->order[to];
                        continue;
                }
                if (b->low[f->state] == b->order[f->state]) {
                        int r = component_end(b, f->state);

                        if (r < 0)
                                return r;
                }
                b->n_frames--;
                if (b->n_frames > 0 && b->low[f->state] < b->low[f[-1].state])
                        b->low[f[-1].state] = b->low[f->state];
        }
        return 0;
}

int dfa_below(const struct dfa *dfa, size_t n_patterns, size_t max_members, struct intern *sets, uint32_t **ret,
              struct err *err) {
        struct below b = {
                .dfa = dfa,
                .sets = sets,
                .below = new_array(dfa->n, sizeof(*b.below)),
                .order = new_array(dfa->n, sizeof(*b.order)),
                .low = new_array(dfa->n, sizeof(*b.low)),
                .stack = new_array(dfa->n, sizeof(*b.stack)),
                .frames = new_array(dfa->n, sizeof(*b.frames)),
                .members = new_array(n_patterns, sizeof(*b.members)),
                .mark = new_array(n_patterns, sizeof(*b.mark)),
                .max_total = max_members,
        };
        int r = b.below && b.order && b.low && b.stack && b.frames && b.members && b.mark ? 0 : -ENOMEM;

        if (r == 0)
                memset(b.below, 0xff, dfa->n * sizeof(*b.below));
        for (uint32_t s = 0; r == 0 && s < dfa->n; s++)
                if (!b.order[s])
                        r = visit(&b, s);
        if (r == -E2BIG)
                err_set(err, r, REASON_TOO_LARGE,
                        "too many combinations of paths: below %u folders, more than %zu matches would have to be listed",
                        b.n_order, max_members);
        else if (r < 0)
                err_errno(err, r, "automaton");
        else
                *ret = steal_pointer(b.below);
        free(b.below);
        free(b.order);
        free(b.low);
        free(b.stack);
        free(b.frames);
        free(b.parts);
        free(b.members);
        free(b.mark);
        return r;
}
