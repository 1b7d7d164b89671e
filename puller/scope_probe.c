/* SPDX-License-Identifier: Apache-2.0 */
#include "scope_probe.h"

#include <bpf/bpf.h>
#include <linux/types.h>

#include "bpffs.h"
#include "json.h"
#include "lsm_abi.h"

/* ---- which ------------------------------------------------------------------------------------------------------------------- */

/* Of the sets of an engine, which the manifest lists in their order. */
static int set_number(const json_t *policy, const char *name) {
        const json_t *set;
        size_t i;

        json_array_foreach(json_object_get(policy, "rulesets"), i, set) {
                const char *own = json_string_value(json_object_get(set, "name"));

                if (i < LSM_SCOPES_MAX && own && streq(own, name))
                        return json_object_size(json_object_get(set, "scope")) > 0 ? (int)i : -ENOENT;
        }
        return -ENOENT;
}

int scope_probe_place(const struct manifest *m, const char *policy, size_t *ret_object, unsigned *ret_number) {
        const json_t *docs = json_object_get(m->doc, "policies");

        for (size_t i = 0; i < m->n_policies; i++) {
                const struct manifest_policy *p = &m->policies[i];
                int number = policy_is_engine(p)                   ? set_number(json_array_get(docs, i), policy)
                             : p->scoped && streq(p->name, policy) ? 0
                                                                   : -ENOENT;

                if (number >= 0) {
                        *ret_object = i;
                        *ret_number = (unsigned)number;
                        return 0;
                }
        }
        return -ENOENT;
}

/* ---- cgroups ------------------------------------------------------------------------------------------------------------------ */

static int probes_open(const char *path) {
        struct bpf_map_info info = {0};
        uint32_t len = sizeof(info);
        cleanup_fd int fd = pin_get(path);

        if (fd < 0)
                return fd;
        if (bpf_map_get_info_by_fd(fd, &info, &len) < 0)
                return -errno;
        if (info.type != BPF_MAP_TYPE_HASH || info.key_size != sizeof(uint64_t) || info.value_size != sizeof(uint64_t))
                return -EBADMSG;
        return steal_fd(&fd);
}

static int probes_clear(const char *path) {
        cleanup_fd int fd = probes_open(path);
        uint64_t id;

        if (fd < 0)
                return fd;
        /* One pass more than there may be entries: somebody else might go on adding. */
        for (int i = 0; i <= LSM_SCOPE_PROBES_MAX; i++) {
                if (bpf_map_get_next_key(fd, NULL, &id) < 0)
                        return errno == ENOENT ? 0 : -errno;
                if (bpf_map_delete_elem(fd, &id) < 0 && errno != ENOENT)
                        return -errno;
        }
        return -EBUSY;
}

int scope_probe_leave(const char *dir, struct err *err) {
        char path[PATH_MAX], **names = NULL;
        size_t n = 0;
        int r = pin_list(dir, &names, &n, err);

        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = pin_path(path, "%s/%s", dir, names[i]);
                if (r >= 0)
                        r = probes_clear(path);
                if (r < 0)
                        err_errno(err, r, "cgroups of self-tests in %s", dir);
        }
        strings_free(names, n);
        return r;
}

static int enter(const char *dir, const struct manifest_policy *object, unsigned number, uint64_t cgroup_id) {
        cleanup_fd int fd = -1;
        uint64_t mask = 1ULL << number;
        char path[PATH_MAX];
        int r = pin_path(path, "%s/%s", dir, object->name);

        if (r < 0)
                return r;
        fd = probes_open(path);
        if (fd < 0)
                return fd;
        return bpf_map_update_elem(fd, &cgroup_id, &mask, BPF_ANY) < 0 ? -errno : 0;
}

int scope_probe_enter(const char *dir, const struct manifest *m, const char *policy, uint64_t cgroup_id, struct err *err) {
        size_t object;
        unsigned number;
        int r;

        if (scope_probe_place(m, policy, &object, &number) < 0)
                return err_set(err, -EBADE, REASON_SELFTEST_FAILED, "the bundle has no policy '%s' with a scope", policy);
        r = scope_probe_leave(dir, err);
        if (r < 0)
                return r;
        r = enter(dir, &m->policies[object], number, cgroup_id);
        if (r == -ENOENT) /* an object that remembers nothing of its scopes */
                return err_set(err, -EBADE, REASON_SELFTEST_FAILED, "policy '%s' takes no cgroup of a self-test into its scope",
                               policy);
        return r < 0 ? err_errno(err, r, "the scope of policy '%s'", policy) : 0;
}
