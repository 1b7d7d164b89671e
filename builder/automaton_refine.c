/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partition refinement: states that accept the same are one class, until it is found that they lead to different classes. When a
 * class is split its largest part keeps the number, so a state is renumbered at most log2(n) times, and only those that lead to
 * renumbered ones are looked at again (Hopcroft's idea, for rows with a default instead of single bytes).
 */
#include "automaton_parts.h"

#define DIRTY 1 /* to be looked at in this round */
#define NEXT 2  /* in the next one */

/* A state that is looked at; or, `weight` above 1 or `clean`, one that stands for all of its class that need not be. */
struct item {
        uint64_t key[2]; /* of where it leads: 128 bits, so that no two are equal by chance */
        uint32_t class, state, weight;
        bool clean;
};

struct partition {
        const struct dfa *dfa;
        uint32_t *class_of, n;
        uint32_t *members, *place; /* by class; and where each state is among them */
        uint32_t *first, *size;    /* of each class */
        uint32_t *dirty_in, *touched;
        uint32_t *before_at, *before; /* which states lead to each */
        uint32_t *queue[2];
        size_t n_queue[2];
        uint8_t *flags;
        struct item *items;
};

static void partition_done(struct partition *p) {
        free(p->members);
        free(p->place);
        free(p->first);
        free(p->size);
        free(p->dirty_in);
        free(p->touched);
        free(p->before_at);
        free(p->before);
        free(p->queue[0]);
        free(p->queue[1]);
        free(p->flags);
        free(p->items);
}

static uint64_t mix(uint64_t h, uint64_t value, uint64_t factor) {
        h = (h ^ value) * factor;
        return h ^ h >> 29;
}

static struct item item_of(const struct partition *p, uint32_t state, uint32_t weight, bool clean) {
        struct item item = {.class = p->class_of[state], .state = state, .weight = weight, .clean = clean};
        struct edge edges[255];
        uint32_t otherwise;
        uint16_t n = edges_by_class(p->dfa, &p->dfa->states[state], p->class_of, edges, &otherwise);

        item.key[0] = mix(0x243f6a8885a308d3, otherwise, 0x9e3779b97f4a7c15);
        item.key[1] = mix(0x13198a2e03707344, otherwise, 0xd6e8feb86659fd93);
        for (size_t i = 0; i < n; i++) {
                uint64_t value = (uint64_t)edges[i].byte << 32 | edges[i].to;

                item.key[0] = mix(item.key[0], value, 0x9e3779b97f4a7c15);
                item.key[1] = mix(item.key[1], value, 0xd6e8feb86659fd93);
        }
        return item;
}

static int item_cmp(const void *x, const void *y) {
        const struct item *a = x, *b = y;

        if (a->class != b->class)
                return a->class < b->class ? -1 : 1;
        for (int i = 0; i < 2; i++)
                if (a->key[i] != b->key[i])
                        return a->key[i] < b->key[i] ? -1 : 1;
        return (a->state > b->state) - (a->state < b->state);
}

/* ---- splitting ----------------------------------------------------------------------------------------------------- */

/* To the end of its class, which then ends in front of it; those that lead to it are looked at again. */
static void move_out(struct partition *p, uint32_t state, uint32_t to) {
        uint32_t class = p->class_of[state], last = p->first[class] + --p->size[class], at = p->place[state];
        uint32_t other = p->members[last];

        p->members[last] = state;
        p->members[at] = other;
        p->place[state] = last;
        p->place[other] = at;
        p->class_of[state] = to;
        p->size[to]++;
        p->first[to] = last;
        for (uint32_t i = p->before_at[state]; i < p->before_at[state + 1]; i++) {
                uint32_t b = p->before[i];

                if (p->flags[b] & NEXT)
                        continue;
                p->flags[b] |= NEXT;
                p->queue[1][p->n_queue[1]++] = b;
        }
}

static void move_clean(struct partition *p, uint32_t class, uint32_t to) {
        for (uint32_t i = p->first[class]; i < p->first[class] + p->size[class];)
                if (p->flags[p->members[i]] & DIRTY)
                        i++;
                else
                        move_out(p, p->members[i], to);
}

static size_t group_end(const struct item *items, size_t i, size_t n, uint32_t *ret_weight) {
        size_t from = i;

        *ret_weight = 0;
        for (; i < n && memcmp(items[i].key, items[from].key, sizeof(items[i].key)) == 0; i++)
                *ret_weight += items[i].weight;
        return i;
}

/* items: all of one class, equal ones side by side. */
static void split(struct partition *p, const struct item *items, size_t n) {
        uint32_t class = items[0].class, most = 0, weight;
        size_t stays = 0;

        for (size_t i = 0, end; i < n; i = end) {
                end = group_end(items, i, n, &weight);
                if (weight > most) {
                        most = weight;
                        stays = i;
                }
        }
        for (size_t i = 0, end; i < n; i = end) {
                uint32_t to = p->n;

                end = group_end(items, i, n, &weight);
                if (i == stays)
                        continue;
                p->n++;
                for (size_t j = i; j < end; j++)
                        if (items[j].clean)
                                move_clean(p, class, to);
                        else
                                move_out(p, items[j].state, to);
        }
}

static void partition_round(struct partition *p) {
        size_t n = 0, n_touched = 0, n_queue = p->n_queue[0];
        uint32_t *queue = p->queue[0];

        for (size_t i = 0; i < n_queue; i++) {
                struct item item = item_of(p, queue[i], 1, false);

                if (p->dirty_in[item.class]++ == 0)
                        p->touched[n_touched++] = item.class;
                p->items[n++] = item;
        }
        for (size_t i = 0; i < n_touched; i++) {
                uint32_t class = p->touched[i], clean = p->size[class] - p->dirty_in[class], at = p->first[class];

                p->dirty_in[class] = 0;
                if (!clean)
                        continue;
                while (p->flags[p->members[at]] & DIRTY)
                        at++;
                p->items[n++] = item_of(p, p->members[at], clean, true);
        }
        qsort(p->items, n, sizeof(*p->items), item_cmp);
        p->n_queue[1] = 0;
        for (size_t i = 0, end; i < n; i = end) {
                for (end = i + 1; end < n && p->items[end].class == p->items[i].class;)
                        end++;
                split(p, p->items + i, end - i);
        }
        for (size_t i = 0; i < n_queue; i++)
                p->flags[queue[i]] &= (uint8_t)~DIRTY;
        for (size_t i = 0; i < p->n_queue[1]; i++)
                p->flags[p->queue[1][i]] = DIRTY;
        p->queue[0] = p->queue[1];
        p->n_queue[0] = p->n_queue[1];
        p->queue[1] = queue;
}

/* ---- the beginning -------------------------------------------------------------------------------------------------- */

static void lead(struct partition *p, uint32_t from, uint32_t to, bool count) {
        if (count)
                p->before_at[to + 1]++;
        else
                p->before[p->before_at[to]++] = from;
}

static int before_fill(struct partition *p) {
        const struct dfa *dfa = p->dfa;

        for (int count = 1; count >= 0; count--) {
                for (uint32_t s = 0; s < dfa->n; s++) {
                        const struct dfa_state *state = &dfa->states[s];

                        if (state->literal)
                                continue;
                        lead(p, s, state->otherwise, count);
                        for (size_t i = 0; i < state->n; i++)
                                lead(p, s, dfa->edges[state->edges + i].to, count);
                }
                if (!count)
                        break;
                for (size_t s = 0; s < dfa->n; s++)
                        p->before_at[s + 1] += p->before_at[s];
                p->before = new_array(p->before_at[dfa->n], sizeof(*p->before));
                if (!p->before)
                        return -ENOMEM;
        }
        /* each stands at the end of its part now, which is the beginning of the next one's */
        memmove(p->before_at + 1, p->before_at, dfa->n * sizeof(*p->before_at));
        p->before_at[0] = 0;
        return 0;
}

/* Classes by what is accepted. */
static void classes_fill(struct partition *p, size_t n) {
        for (size_t i = 0; i < n; i++) {
                uint32_t s = p->items[i].state;

                if (i == 0 || p->items[i].class != p->items[i - 1].class)
                        p->first[p->n++] = (uint32_t)i;
                p->members[i] = s;
                p->place[s] = (uint32_t)i;
                p->class_of[s] = p->n - 1;
                p->size[p->n - 1]++;
                p->flags[s] = DIRTY;
                p->queue[0][p->n_queue[0]++] = s;
        }
}

int dfa_refine(const struct dfa *dfa, uint32_t *class_of, uint32_t *ret_n) {
        struct partition p = {.dfa = dfa, .class_of = class_of};
        size_t n = 0;
        int r = -ENOMEM;

        for (size_t s = 0; s < dfa->n; s++)
                n += !dfa->states[s].literal;
        p.members = new_array(n, sizeof(*p.members));
        p.place = new_array(dfa->n, sizeof(*p.place));
        p.first = new_array(n, sizeof(*p.first));
        p.size = new_array(n, sizeof(*p.size));
        p.dirty_in = new_array(n, sizeof(*p.dirty_in));
        p.touched = new_array(n, sizeof(*p.touched));
        p.before_at = new_array(dfa->n + 1, sizeof(*p.before_at));
        p.queue[0] = new_array(n, sizeof(*p.queue[0]));
        p.queue[1] = new_array(n, sizeof(*p.queue[1]));
        p.flags = new_array(dfa->n, sizeof(*p.flags));
        p.items = new_array(2 * n, sizeof(*p.items));
        if (p.members && p.place && p.first && p.size && p.dirty_in && p.touched && p.before_at && p.queue[0] && p.queue[1] &&
            p.flags && p.items)
                r = before_fill(&p);
        if (r == 0) {
                n = 0;
                for (uint32_t s = 0; s < dfa->n; s++)
                        if (!dfa->states[s].literal)
                                p.items[n++] = (struct item){.class = dfa->states[s].accept, .state = s};
                qsort(p.items, n, sizeof(*p.items), item_cmp);
                classes_fill(&p, n);
                while (p.n_queue[0] > 0)
                        partition_round(&p);
                *ret_n = p.n;
        }
        partition_done(&p);
        return r;
}
