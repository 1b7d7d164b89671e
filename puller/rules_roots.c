/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_roots.h"

#include "rules_walk.h"

void rules_roots_done(struct rules_roots *r) {
        free(r->list);
        *r = (struct rules_roots){0};
}

int rules_cells_read(const void *p, size_t n, size_t n_cells, struct lsm_rules_cell **ret, struct err *err) {
        struct record {
                uint32_t index;
                struct lsm_rules_cell cell;
        } r;
        cleanup_free struct lsm_rules_cell *cells = NULL;

        if (n_cells == 0 || n_cells > LSM_CELLS_MAX || n % sizeof(r) != 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "the cells of the rules are not an automaton's");
        cells = new_array(n_cells, sizeof(*cells));
        if (!cells)
                return err_errno(err, -ENOMEM, "cells of the rules");
        for (size_t at = 0; at < n; at += sizeof(r)) {
                memcpy(&r, (const char *)p + at, sizeof(r));
                if (r.index >= n_cells)
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "the rules have %zu cells, and one at %u", n_cells,
                                       r.index);
                cells[r.index] = r.cell;
        }
        *ret = steal_pointer(cells);
        return 0;
}

/* ---- one place for each file system ------------------------------------------------------------------------------------ */

struct candidate {
        const struct mount_entry *at;
        uint32_t state; /* 0: no rule is about what is there, nor below */
        bool rooted;    /* a path leads to its root */
};

/* By file system, the one to take first. */
static int candidate_compare(const void *a, const void *b) {
        const struct candidate *x = a, *y = b;
        size_t n = strlen(x->at->path), k = strlen(y->at->path);

        if (x->at->dev != y->at->dev)
                return x->at->dev < y->at->dev ? -1 : 1;
        if (x->rooted != y->rooted)
                return x->rooted ? -1 : 1;
        if (!x->state != !y->state)
                return x->state ? -1 : 1;
        if (n != k)
                return n < k ? -1 : 1;
        return (x->at > y->at) - (x->at < y->at); /* where they stand in the table */
}

static int candidates_find(const struct mounts *m, const struct lsm_rules_cell *cells, size_t n_cells, uint32_t start,
                           struct candidate *ret, struct err *err) {
        for (size_t i = 0; i < m->n; i++) {
                const struct mount_entry *e = &m->list[i];

                ret[i] = (struct candidate){.at = e, .rooted = e->whole && e->seen};
                if (!ret[i].rooted)
                        continue;
                ret[i].state = rules_walk(cells, n_cells, start, e->path);
                if (ret[i].state == RULES_STATE_BAD)
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "the cells of the rules are not an automaton's");
        }
        qsort(ret, m->n, sizeof(*ret), candidate_compare);
        return 0;
}

/* ---- and what was known before ------------------------------------------------------------------------------------------ */

static int place_compare(const void *a, const void *b) {
        const struct rules_place *x = a, *y = b;

        return (x->dev > y->dev) - (x->dev < y->dev);
}

static const struct rules_place *place_of(const struct rules_place *sorted, size_t n, uint32_t dev) {
        const struct rules_place wanted = {.dev = dev};

        return n > 0 ? bsearch(&wanted, sorted, n, sizeof(*sorted), place_compare) : NULL;
}

struct places {
        struct rules_place *list;
        size_t n;
};

/* candidates: sorted. before: sorted, as the list is then. */
static size_t places_choose(const struct candidate *candidates, size_t n, const struct places *before, struct places *ret) {
        size_t parts = 0;

        for (size_t i = 0; i < n; i++) {
                const struct candidate *c = &candidates[i];
                const struct rules_place *known = place_of(before->list, before->n, c->at->dev);

                if (i > 0 && candidates[i - 1].at->dev == c->at->dev)
                        continue;
                if (known && known->root.state)
                        ret->list[ret->n++] = *known;
                else if (c->rooted)
                        ret->list[ret->n++] = (struct rules_place){.dev = c->at->dev, .root.state = c->state};
                else
                        parts++;
        }
        return parts;
}

#define MAJOR(dev) ((dev) >> 20)

/* Disks that are mounted nowhere. */
static void places_keep(const struct places *before, struct places *ret) {
        size_t mounted = ret->n;

        for (size_t i = 0; i < before->n; i++) {
                const struct rules_place *p = &before->list[i];

                if (MAJOR(p->dev) && p->root.state && !place_of(ret->list, mounted, p->dev))
                        ret->list[ret->n++] = *p;
        }
}

/* Every proc shows the same, and every sysfs nearly so. */
static void special_find(const struct candidate *candidates, size_t n, uint32_t start, struct rules_roots *ret) {
        static const struct {
                const char *type;
                uint32_t key;
        } types[] = {{"proc", LSM_ROOT_PROC}, {"sysfs", LSM_ROOT_SYS}};

        for (size_t k = 0; k < ARRAY_SIZE(types); k++) {
                const struct candidate *best = NULL;

                for (size_t i = 0; i < n; i++) {
                        const struct candidate *c = &candidates[i];

                        if (c->rooted && streq(c->at->type, types[k].type) &&
                            (!best || strlen(c->at->path) < strlen(best->at->path)))
                                best = c;
                }
                if (best)
                        ret->special[ret->n_special++] = (struct rules_place){.dev = types[k].key, .root.state = best->state};
        }
        ret->special[ret->n_special++] = (struct rules_place){.dev = LSM_ROOT_START, .root.state = start};
}

static void roots_fill(const struct places *places, struct rules_roots *ret) {
        for (int dead = 0; dead <= 1; dead++)
                for (size_t i = 0; i < places->n; i++) {
                        if (dead != !places->list[i].root.state)
                                continue;
                        if (ret->n == LSM_ROOTS_MAX)
                                ret->full++;
                        else
                                ret->list[ret->n++] = places->list[i];
                }
}

int rules_roots_find(const struct mounts *m, const struct lsm_rules_cell *cells, size_t n_cells, uint32_t start,
                     const struct rules_roots *before, struct rules_roots *ret, struct err *err) {
        const size_t n_before = before ? before->n : 0;
        cleanup_rules_roots struct rules_roots roots = {.list = new_array(LSM_ROOTS_MAX, sizeof(*roots.list))};
        cleanup_free struct candidate *candidates = new_array(m->n, sizeof(*candidates));
        cleanup_free struct rules_place *chosen = new_array(m->n + n_before, sizeof(*chosen)),
                                        *known = new_array(n_before, sizeof(*known));
        struct places places = {chosen, 0}, old = {known, n_before};
        int r;

        if (!candidates || !roots.list || !chosen || !known)
                return err_errno(err, -ENOMEM, "places of file systems");
        r = candidates_find(m, cells, n_cells, start, candidates, err);
        if (r < 0)
                return r;
        if (n_before > 0) {
                memcpy(known, before->list, n_before * sizeof(*known));
                qsort(known, n_before, sizeof(*known), place_compare);
        }
        roots.parts = places_choose(candidates, m->n, &old, &places);
        places_keep(&old, &places);
        special_find(candidates, m->n, start, &roots);
        roots_fill(&places, &roots);
        *ret = roots;
        roots = (struct rules_roots){0};
        return 0;
}
