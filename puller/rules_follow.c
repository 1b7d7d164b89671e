/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_follow.h"

#include <bpf/bpf.h>

#include "bpffs.h"
#include "node_pins.h"
#include "rules_counts.h"

/* ---- what changes ------------------------------------------------------------------------------------------------------- */

void rules_change_done(struct rules_change *c) {
        free(c->gone);
        free(c->room);
        *c = (struct rules_change){0};
}

static int place_compare(const void *a, const void *b) {
        const struct rules_place *x = a, *y = b;

        return (x->dev > y->dev) - (x->dev < y->dev);
}

static struct rules_place *sorted(const struct rules_roots *r, size_t *ret_n) {
        struct rules_place *list = new_array(r->n + r->n_special, sizeof(*list));

        if (!list)
                return NULL;
        if (r->n > 0)
                memcpy(list, r->list, r->n * sizeof(*list));
        memcpy(list + r->n, r->special, r->n_special * sizeof(*list));
        *ret_n = r->n + r->n_special;
        qsort(list, *ret_n, sizeof(*list), place_compare);
        return list;
}

static const struct rules_place *find(const struct rules_place *list, size_t n, uint32_t dev) {
        const struct rules_place wanted = {.dev = dev};

        return n > 0 ? bsearch(&wanted, list, n, sizeof(*list), place_compare) : NULL;
}

int rules_change_find(const struct rules_roots *before, const struct rules_roots *after, struct rules_change *ret) {
        size_t n_old, n_new;
        cleanup_free struct rules_place *old = sorted(before, &n_old);
        struct rules_place *new = sorted(after, &n_new);
        uint32_t *gone = new_array(old ? n_old : 0, sizeof(*gone));

        *ret = (struct rules_change){.put = new, .gone = gone, .room = new};
        if (!old || !new || !gone) {
                rules_change_done(ret);
                return -ENOMEM;
        }
        for (size_t i = 0; i < n_old; i++)
                if (!find(new, n_new, old[i].dev))
                        gone[ret->n_gone++] = old[i].dev;
        for (size_t i = 0; i < n_new; i++) {
                const struct rules_place *was = find(old, n_old, new[i].dev);

                if (!was || was->root.state != new[i].root.state)
                        new[ret->n_put++] = new[i];
        }
        return 0;
}

/* ---- an engine's table ------------------------------------------------------------------------------------------------------ */

static int table_open(const char *dir) {
        struct bpf_map_info info = {0};
        uint32_t len = sizeof(info);
        char path[PATH_MAX];
        cleanup_fd int fd = -1;
        int r = pin_path(path, "%s/roots", dir);

        if (r < 0)
                return r;
        fd = pin_get(path);
        if (fd < 0)
                return fd;
        if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
                return -errno;
        if (info.type != BPF_MAP_TYPE_HASH || info.key_size != sizeof(uint32_t) ||
            info.value_size != sizeof(struct lsm_rules_root) || info.max_entries > LSM_ROOTS_MAX + LSM_ROOTS_SPECIAL)
                return -EBADMSG;
        return steal_fd(&fd);
}

static int table_read(int fd, struct rules_roots *ret) {
        cleanup_rules_roots struct rules_roots roots = {.list = new_array(LSM_ROOTS_MAX, sizeof(*roots.list))};
        uint32_t key, *previous = NULL;

        if (!roots.list)
                return -ENOMEM;
        /* Nobody else writes it: should somebody, there is an end all the same. */
        for (size_t i = 0; i < LSM_ROOTS_MAX + LSM_ROOTS_SPECIAL && bpf_map_get_next_key(fd, previous, &key) == 0; i++) {
                struct rules_place place = {.dev = key};
                bool special = key >= LSM_ROOT_PROC;

                previous = &key;
                if (bpf_map_lookup_elem(fd, &key, &place.root) < 0)
                        continue;
                if (special && roots.n_special < LSM_ROOTS_SPECIAL)
                        roots.special[roots.n_special++] = place;
                else if (!special && roots.n < LSM_ROOTS_MAX)
                        roots.list[roots.n++] = place;
        }
        *ret = roots;
        roots = (struct rules_roots){0};
        return 0;
}

static int table_write(int fd, const struct rules_change *c) {
        for (size_t i = 0; i < c->n_gone; i++)
                if (bpf_map_delete_elem(fd, &c->gone[i]) < 0 && errno != ENOENT)
                        return -errno;
        for (size_t i = 0; i < c->n_put; i++)
                if (bpf_map_update_elem(fd, &c->put[i].dev, &c->put[i].root, BPF_ANY) < 0)
                        return -errno;
        return c->n_gone + c->n_put > 0;
}

static uint32_t start_of(const struct rules_roots *r) {
        for (size_t i = 0; i < r->n_special; i++)
                if (r->special[i].dev == LSM_ROOT_START)
                        return r->special[i].root.state;
        return 0;
}

/* dir: of an engine's pins. */
static int engine_follow(const char *dir, const struct mounts *m, struct loader_roots *ret, struct err *err) {
        cleanup_rules_roots struct rules_roots before = {0}, after = {0};
        cleanup_rules_change struct rules_change change = {0};
        cleanup_free char *cells = NULL;
        cleanup_fd int fd = table_open(dir);
        uint32_t n_cells, start;
        int r;

        if (fd == -ENOENT) /* no rules */
                return 0;
        r = fd < 0 ? fd : table_read(fd, &before);
        if (r < 0)
                return err_errno(err, r, "%s: where file systems are", dir);
        start = start_of(&before);
        if (!start) /* no rule names a path */
                return 0;
        r = rules_array_read(dir, "cells", sizeof(struct lsm_rules_cell), &cells, &n_cells);
        if (r < 0)
                return err_errno(err, r, "%s: the automaton", dir);
        r = rules_roots_find(m, (const struct lsm_rules_cell *)cells, n_cells, start, &before, &after, err);
        if (r < 0)
                return r;
        r = rules_change_find(&before, &after, &change);
        if (r >= 0)
                r = table_write(fd, &change);
        if (r < 0)
                return err_errno(err, r, "%s: where file systems are", dir);
        *ret = (struct loader_roots){
                .n = (uint32_t)after.n,
                .parts = (uint32_t)after.parts,
                .full = (uint32_t)after.full,
                .unreadable = (uint32_t)m->unreadable,
        };
        return r;
}

/* ---- all of them ------------------------------------------------------------------------------------------------------------ */

struct follow {
        const struct mounts *mounts;
        struct loader_roots roots;
        int changed, r;
        struct err *err; /* of the first failure */
};

static void follow_one(void *ctx, const char *dir) {
        struct follow *f = ctx;
        int r = engine_follow(dir, f->mounts, &f->roots, f->r < 0 ? NULL : f->err);

        if (r < 0 && f->r >= 0)
                f->r = r;
        f->changed |= r > 0;
}

int rules_follow(struct node *n, int fd, struct err *err) {
        cleanup_mounts struct mounts mounts = {0};
        struct follow f = {.mounts = &mounts, .roots = n->loader.roots, .err = err};
        struct loader_facts facts;
        int r = mounts_read(fd, &mounts);

        if (r < 0)
                return err_errno(err, r, "the node's mount table");
        node_pins_each(n, "rules", follow_one, &f);
        if (f.changed) {
                facts = n->loader;
                facts.roots = f.roots;
                node_loader_set(n, &facts); /* which ends in a rename */
        }
        return f.r < 0 ? f.r : f.changed;
}
