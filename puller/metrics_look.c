/* SPDX-License-Identifier: Apache-2.0 */
/* Figures that only the kernel has: how full the policies' maps are, and how much room their hooks have. */
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdio.h>

#include "bpffs.h"
#include "hooks.h"
#include "metrics.h"
#include "text.h"

#define MAPS_MAX (4 * 256)     /* of a bundle */
#define COUNTED_MAX (1u << 20) /* entries of a map; beyond, it is as good as full */

/* ---- maps ----------------------------------------------------------------------------------------------------------- */

struct look {
        struct metrics_bundle *bundle;
        uint32_t *ids; /* of maps that were counted already: policies share some */
        size_t n_ids;
};

/* Maps that fill up while they are used. In an array all entries are there from the start. */
static bool fills(uint32_t type) {
        return type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_PERCPU_HASH ||
               type == BPF_MAP_TYPE_LRU_PERCPU_HASH || type == BPF_MAP_TYPE_LPM_TRIE;
}

/* The kernel keeps no number. By keys, since a batch of values would have to be allocated; bounded, since tasks may add entries as
 * fast as they are counted. */
static uint32_t entries_count(int fd, const struct bpf_map_info *info) {
        uint32_t most = info->max_entries < COUNTED_MAX ? info->max_entries : COUNTED_MAX, n = 0;
        cleanup_free void *key = calloc(2, info->key_size);
        void *next = (char *)key + info->key_size, *at = NULL;

        while (key && n < most && bpf_map_get_next_key(fd, at, next) == 0) {
                memcpy(key, next, info->key_size);
                at = key;
                n++;
        }
        return n;
}

static bool seen(struct look *l, uint32_t id) {
        uint32_t *more;

        for (size_t i = 0; i < l->n_ids; i++)
                if (l->ids[i] == id)
                        return true;
        more = l->n_ids < MAPS_MAX ? reallocarray(l->ids, l->n_ids + 1, sizeof(*more)) : NULL;
        if (!more) /* too many, or no memory: left out */
                return true;
        l->ids = more;
        more[l->n_ids++] = id;
        return false;
}

/* Two policies may have maps of one name: the fuller one is told. */
static void map_add(struct metrics_bundle *b, const char *name, uint32_t entries, uint32_t max_entries) {
        struct metrics_map *more, m = {.entries = entries, .max_entries = max_entries};

        text_clean(m.name, sizeof(m.name), name);
        for (size_t i = 0; i < b->n_maps; i++)
                if (streq(b->maps[i].name, m.name)) {
                        if ((uint64_t)entries * b->maps[i].max_entries > (uint64_t)b->maps[i].entries * max_entries)
                                b->maps[i] = m;
                        return;
                }
        more = reallocarray(b->maps, b->n_maps + 1, sizeof(*more));
        if (!more)
                return;
        b->maps = more;
        more[b->n_maps++] = m;
}

static void map_look(struct look *l, uint32_t id) {
        struct bpf_map_info info = {0};
        uint32_t len = sizeof(info);
        cleanup_fd int fd = -1;

        if (seen(l, id))
                return;
        fd = bpf_map_get_fd_by_id(id);
        if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0 || !fills(info.type) || info.max_entries == 0)
                return;
        map_add(l->bundle, info.name, entries_count(fd, &info), info.max_entries);
}

static void program_look(struct look *l, uint32_t id) {
        struct bpf_prog_info info = {0};
        uint32_t len = sizeof(info), ids[64], n;
        cleanup_fd int fd = bpf_prog_get_fd_by_id(id);

        info.map_ids = (uintptr_t)ids;
        info.nr_map_ids = ARRAY_SIZE(ids);
        if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
                return;
        n = info.nr_map_ids < ARRAY_SIZE(ids) ? info.nr_map_ids : ARRAY_SIZE(ids);
        for (uint32_t i = 0; i < n; i++)
                map_look(l, ids[i]);
}

static void maps_look(struct metrics_bundle *mb, const struct bundle *b) {
        struct look l = {.bundle = mb};
        uint32_t slot = LSM_GATE_ACTIVE(gate_word(&b->kernel.gate));

        for (size_t i = 0; slot > 0 && i < b->kernel.n_hooks; i++) {
                uint32_t at = slot * LSM_SLOT_SIZE, id;

                /* Programs stand at 0, 1, ...: the first empty place ends them. User space reads a program's id there. */
                for (uint32_t k = 0; k < LSM_SLOT_SIZE; k++, at++) {
                        if (bpf_map_lookup_elem(b->kernel.hooks[i].slots, &at, &id) < 0)
                                break;
                        program_look(&l, id);
                }
        }
        free(l.ids);
}

/* ---- hooks ---------------------------------------------------------------------------------------------------------- */

static bool hook_known(const struct metrics *m, const char *name) {
        for (size_t i = 0; i < m->n_hooks; i++)
                if (streq(m->hooks[i].name, name))
                        return true;
        return false;
}

/* Which hook a dispatcher stands on, its own link says: the kernel's BTF is some MiB. */
static void hook_look(struct metrics *m, const struct bundle *b, const char *name) {
        struct bpf_link_info info = {0};
        uint32_t len = sizeof(info);
        struct metrics_hook *more;
        cleanup_fd int fd = -1;
        char path[PATH_MAX];
        int taken;

        if (hook_known(m, name) || pin_path(path, "%s/hook/%s/link", b->kernel.dir, name) < 0)
                return;
        fd = pin_get(path);
        if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) < 0)
                return;
        taken = hook_programs_count(info.tracing.target_btf_id, NULL);
        more = taken < 0 ? NULL : reallocarray(m->hooks, m->n_hooks + 1, sizeof(*more));
        if (!more)
                return;
        m->hooks = more;
        more[m->n_hooks] =
                (struct metrics_hook){.free_slots = taken < HOOK_PROGRAMS_MAX ? (uint32_t)(HOOK_PROGRAMS_MAX - taken) : 0};
        snprintf(more[m->n_hooks++].name, sizeof(more->name), "%s", name);
}

void metrics_look(struct metrics *m, const struct node *n) {
        for (size_t i = 0; i < m->n_bundles; i++) {
                const struct bundle *b = node_bundle(n, m->bundles[i].name);

                if (m->bundles[i].rollout.why && !m->bundles[i].rollout.ring)
                        m->bundles[i].rollout.ring = n->config->ring;
                if (!b)
                        continue;
                m->bundles[i].swaps = b->swaps;
                if (b->kernel.gate_fd < 0)
                        continue;
                maps_look(&m->bundles[i], b);
                for (size_t k = 0; k < b->kernel.n_hooks; k++)
                        hook_look(m, b, b->kernel.hooks[k].name);
        }
}
