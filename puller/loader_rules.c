/* SPDX-License-Identifier: Apache-2.0 */
#include "loader_rules.h"

#include <bpf/bpf.h>

#include "child.h"
#include "fileio.h"
#include "loader_parts.h"
#include "rules_roots.h"

#define CELLS "lsm_rules_cells"
#define ROOTS "lsm_rules_roots"

static const struct manifest_map *map_of(const struct manifest_policy *p, const char *name) {
        for (size_t i = 0; i < p->n_maps; i++)
                if (streq(p->maps[i].name, name))
                        return &p->maps[i];
        return NULL;
}

int engine_prepare(const struct lsm_rules_kernel *kernel, struct bpf_object *obj, struct err *err) {
        struct lsm_rules_kernel *k = rodata_variable(obj, "lsm_rules_kernel", sizeof(*k));

        if (!k || !rodata_variable(obj, "lsm_rules_start", sizeof(uint32_t)))
                return err_set(err, -EINVAL, REASON_UNSUPPORTED_FORMAT, "the rules were not built for this agent");
        *k = *kernel;
        return 0;
}

static int cells_of(const struct manifest_policy *p, const int *members, struct lsm_rules_cell **ret, size_t *ret_n,
                    struct err *err) {
        const struct manifest_map *cells = map_of(p, CELLS);
        cleanup_buf struct buf seed = {0};
        int r;

        if (!cells || cells->seed < 0)
                return err_set(err, -EINVAL, REASON_MALFORMED, "the rules name paths and have no automaton");
        r = memfd_read(members[cells->seed], OBJECT_MAX, &seed, err);
        if (r < 0)
                return r;
        *ret_n = cells->max_entries;
        return rules_cells_read(seed.data, seed.len, cells->max_entries, ret, err);
}

static int places_put(int map, const struct rules_place *list, size_t n, struct err *err) {
        for (size_t i = 0; i < n; i++)
                if (bpf_map_update_elem(map, &list[i].dev, &list[i].root, BPF_ANY) < 0)
                        return err_errno(err, -errno, "map '%s'", ROOTS);
        return 0;
}

int engine_fill(const struct manifest_policy *p, struct bpf_object *obj, const int *members, int mounts, struct loader_roots *ret,
                struct err *err) {
        const uint32_t *start = rodata_variable(obj, "lsm_rules_start", sizeof(*start));
        struct bpf_map *map = bpf_object__find_map_by_name(obj, ROOTS);
        cleanup_free struct lsm_rules_cell *cells = NULL;
        cleanup_rules_roots struct rules_roots roots = {0};
        cleanup_mounts struct mounts table = {0};
        size_t n_cells = 0;
        int r;

        *ret = (struct loader_roots){0};
        if (!start || !map || bpf_map__key_size(map) != sizeof(uint32_t) ||
            bpf_map__value_size(map) != sizeof(struct lsm_rules_root))
                return err_set(err, -EINVAL, REASON_MALFORMED, "the rules have no map '%s'", ROOTS);
        if (LSM_STATE_NUMBER(*start) == 0) /* no rule names a path */
                return 0;
        r = mounts_read(mounts, &table);
        if (r < 0)
                return err_errno(err, r, "the node's mount table");
        r = cells_of(p, members, &cells, &n_cells, err);
        if (r >= 0)
                r = rules_roots_find(&table, cells, n_cells, LSM_STATE_NUMBER(*start), NULL, &roots, err);
        if (r >= 0)
                r = places_put(bpf_map__fd(map), roots.list, roots.n, err);
        if (r >= 0)
                r = places_put(bpf_map__fd(map), roots.special, roots.n_special, err);
        if (r < 0)
                return r;
        *ret = (struct loader_roots){
                .n = (uint32_t)roots.n,
                .parts = (uint32_t)roots.parts,
                .full = (uint32_t)roots.full,
                .unreadable = (uint32_t)table.unreadable,
        };
        return 0;
}
