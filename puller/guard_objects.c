/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what the agent has in the kernel: what is pinned, the programs that pinned arrays and links hold, and their maps. */
#include <bpf/bpf.h>
#include <stdio.h>
#include <sys/stat.h>

#include "guard.h"

#define PROG_MAPS_MAX 256

struct objects {
        struct lsm_guard_object *all;
        size_t n, room;
};

static int by_kind_and_id(const void *a, const void *b) {
        const struct lsm_guard_object *x = a, *y = b;

        return x->kind != y->kind ? (x->kind > y->kind) - (x->kind < y->kind) : (x->id > y->id) - (x->id < y->id);
}

static int object_add(struct objects *o, enum lsm_guard_kind kind, uint32_t id) {
        if (o->n == o->room) {
                size_t room = o->room ? 2 * o->room : 256;
                struct lsm_guard_object *more = reallocarray(o->all, room, sizeof(*more));

                if (!more)
                        return -ENOMEM;
                o->all = more;
                o->room = room;
        }
        o->all[o->n++] = (struct lsm_guard_object){.kind = kind, .id = id};
        return 0;
}

/* A program that goes away while one looks is no error. */
static int program_add(struct objects *o, uint32_t id) {
        uint32_t maps[PROG_MAPS_MAX], len = sizeof(struct bpf_prog_info);
        struct bpf_prog_info info = {.nr_map_ids = PROG_MAPS_MAX, .map_ids = (uintptr_t)maps};
        cleanup_fd int fd = bpf_prog_get_fd_by_id(id);
        int r;

        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
                return -errno;
        r = object_add(o, LSM_GUARD_PROG, id);
        for (uint32_t i = 0; r >= 0 && i < info.nr_map_ids && i < PROG_MAPS_MAX; i++)
                r = object_add(o, LSM_GUARD_MAP, maps[i]);
        return r;
}

static int link_add(struct objects *o, int fd) {
        struct bpf_link_info info = {0};
        uint32_t len = sizeof(info);
        int r;

        if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
                return -errno;
        r = object_add(o, LSM_GUARD_LINK, info.id);
        return r < 0 ? r : program_add(o, info.prog_id);
}

static int map_add(struct objects *o, int fd) {
        struct bpf_map_info info = {0};
        uint32_t len = sizeof(info), program;
        int r;

        if (bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
                return -errno;
        r = object_add(o, LSM_GUARD_MAP, info.id);
        for (uint32_t i = 0; r >= 0 && info.type == BPF_MAP_TYPE_PROG_ARRAY && i < info.max_entries; i++)
                if (bpf_map_lookup_elem(fd, &i, &program) == 0)
                        r = program_add(o, program);
        return r;
}

static int folder_add(struct objects *o, const char *dir, struct err *err) {
        char path[PATH_MAX], **names;
        struct stat st;
        size_t n;
        int r = pin_list(dir, &names, &n, err);

        if (r < 0)
                return r;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                cleanup_fd int fd = -1;

                r = pin_path(path, "%s/%s", dir, names[i]);
                if (r < 0 || lstat(path, &st) < 0)
                        continue;
                if (S_ISDIR(st.st_mode)) {
                        r = folder_add(o, path, err);
                        continue;
                }
                fd = pin_get(path);
                if (fd < 0)
                        continue; /* gone meanwhile */
                r = streq(names[i], "link") ? link_add(o, fd) : map_add(o, fd);
                if (r < 0)
                        err_errno(err, r, "%s", path);
        }
        strings_free(names, n);
        return r;
}

/* Those that are listed, and are not the agent's (any more). */
static int surplus_remove(const struct guard *g, const struct objects *o) {
        struct objects surplus = {0};
        struct lsm_guard_object key, next, *at = NULL;
        int r = 0;

        while (r >= 0 && bpf_map_get_next_key(g->objects, at, &next) == 0) {
                key = next;
                at = &key;
                if (!bsearch(&key, o->all, o->n, sizeof(key), by_kind_and_id))
                        r = object_add(&surplus, (enum lsm_guard_kind)key.kind, key.id);
        }
        for (size_t i = 0; r >= 0 && i < surplus.n; i++)
                bpf_map_delete_elem(g->objects, &surplus.all[i]);
        free(surplus.all);
        return r;
}

int guard_look(const struct guard *g, struct err *err) {
        struct objects o = {0};
        uint8_t one = 1;
        int r;

        if (g->objects < 0)
                return 0;
        r = folder_add(&o, g->dir, err);
        if (r >= 0 && o.n) {
                qsort(o.all, o.n, sizeof(*o.all), by_kind_and_id);
                r = surplus_remove(g, &o);
        }
        for (size_t i = 0; r >= 0 && i < o.n; i++)
                if (bpf_map_update_elem(g->objects, &o.all[i], &one, BPF_ANY) < 0)
                        r = -errno;
        free(o.all);
        return r < 0 ? err_errno(err, r, "cannot list what the agent has in the kernel") : 0;
}

void guard_prune(const struct guard *g) {
        struct lsm_guard_object first;

        if (g->objects >= 0 && bpf_map_get_next_key(g->objects, NULL, &first) == 0)
                guard_look(g, NULL);
}
