/* SPDX-License-Identifier: Apache-2.0 */
#include "scope_collect.h"

#include <bpf/bpf.h>

#include "bpffs.h"
#include "event_cgroup.h"
#include "node_pins.h"

struct found {
        uint64_t mask, done;
};

/* ---- one hash ---------------------------------------------------------------------------------------------------------------- */

static int hash_open(const char *path) {
        struct bpf_map_info info = {0};
        uint32_t len = sizeof(info);
        cleanup_fd int fd = pin_get(path);

        if (fd < 0)
                return fd;
        if (bpf_map_get_info_by_fd(fd, &info, &len) < 0)
                return -errno;
        if (info.type != BPF_MAP_TYPE_LRU_HASH || info.key_size != sizeof(uint64_t) || info.value_size != sizeof(struct found) ||
            info.max_entries > LSM_SCOPE_HASH_MAX)
                return -EBADMSG;
        return steal_fd(&fd);
}

/* An id is given to no other cgroup of the same boot (fs/kernfs/dir.c: 32 bits that count up, and 32 more for each time they have come
 * round), so there is no cgroup about which the entry could be true again. */
static int hash_collect(const char *path, const struct cgroup_mount *m) {
        cleanup_free struct found *values = new_array(LSM_SCOPE_HASH_MAX, sizeof(*values));
        cleanup_free uint64_t *ids = new_array(LSM_SCOPE_HASH_MAX, sizeof(*ids));
        cleanup_fd int fd = hash_open(path);
        uint32_t n = LSM_SCOPE_HASH_MAX, next;
        int taken = 0;

        if (fd < 0)
                return fd == -ENOENT ? 0 : fd; /* retired meanwhile */
        if (!values || !ids)
                return -ENOMEM;
        /* The last batch of a map ends in -ENOENT. */
        if (bpf_map_lookup_batch(fd, NULL, &next, ids, values, &n, NULL) < 0 && errno != ENOENT)
                return -errno;
        for (uint32_t i = 0; i < n; i++) {
                int gone = cgroup_gone(m, ids[i]);

                if (gone < 0)
                        return gone;
                if (gone && bpf_map_delete_elem(fd, &ids[i]) == 0)
                        taken++;
        }
        return taken;
}

/* ---- all of them --------------------------------------------------------------------------------------------------------------- */

struct walk {
        const struct cgroup_mount *mount;
        int taken, r;
};

static void collect_one(void *ctx, const char *dir) {
        struct walk *w = ctx;
        char path[PATH_MAX], **names = NULL;
        size_t n = 0;

        if (pin_list(dir, &names, &n, NULL) < 0)
                return;
        for (size_t i = 0; i < n; i++) {
                int r = 0;

                if (pin_path(path, "%s/%s", dir, names[i]) >= 0)
                        r = hash_collect(path, w->mount);
                if (r > 0)
                        w->taken += r;
                else if (r < 0 && w->r >= 0)
                        w->r = r;
        }
        strings_free(names, n);
}

int scopes_collect(const struct node *n) {
        cleanup_cgroup_mount struct cgroup_mount mount = cgroup_mount_open();
        struct walk w = {.mount = &mount};

        if (mount.fd < 0)
                return -ENOENT;
        node_pins_each(n, "scopes", collect_one, &w);
        return w.r < 0 ? w.r : w.taken;
}
