/* SPDX-License-Identifier: Apache-2.0 */
#include "loader_scope.h"

#include <errno.h>
#include <linux/types.h>

#include "lsm_abi.h"

#define STORAGE "lsm_scope_storage"

bool scope_storage_there(const struct manifest *m) {
        for (size_t i = 0; i < m->n_policies; i++)
                for (size_t k = 0; k < m->policies[i].n_maps; k++)
                        if (streq(m->policies[i].maps[k].name, STORAGE))
                                return libbpf_probe_bpf_map_type(LSM_CGRP_STORAGE, NULL) == 1;
        return false;
}

int scope_prepare(bool cgroup_storage, struct bpf_object *obj, struct err *err) {
        struct bpf_map *storage = bpf_object__find_map_by_name(obj, STORAGE),
                       *hash = bpf_object__find_map_by_name(obj, "lsm_scope_hash");

        if (!storage && !hash)
                return 0;
        if (!storage || !hash)
                return err_set(err, -EINVAL, REASON_MALFORMED, "it has a scope, and no place to remember what it is about");
        if (bpf_map__set_autocreate(cgroup_storage ? hash : storage, false) < 0)
                return err_errno(err, -errno, "scope");
        return 0;
}
