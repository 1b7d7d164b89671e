/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of cgroups, from the ids that events carry. */
#pragma once

#include <limits.h>
#include <stdint.h>

#include "util.h"

struct cgroup_mount {
        char path[32];
        int fd; /* -1: no cgroup v2 where it is looked for */
};
struct cgroup_mount cgroup_mount_open(void);
void cgroup_mount_close(struct cgroup_mount *m);
#define cleanup_cgroup_mount cleanup(cgroup_mount_close)
/* The cgroup's path below the mount, "/" for the root; as named by whoever made it. -ESTALE: it is gone. Needs
 * CAP_DAC_READ_SEARCH. */
int cgroup_path_of(const struct cgroup_mount *m, uint64_t id, char ret[static PATH_MAX]);
/* The id, or the name, of the container that a cgroup is, or is within: what stands for it in the name that its runtime gave. The innermost
 * one, borrowed from path; *ret_len bytes. False: there is none. What it is called was said by whoever made the cgroup: a name proves
 * nothing, and decides nothing. */
bool cgroup_container(const char *path, const char **ret, size_t *ret_len);
/* 1: there is no such cgroup (any more); 0: there is; or -errno: it cannot be known. Needs CAP_DAC_READ_SEARCH. */
int cgroup_gone(const struct cgroup_mount *m, uint64_t id);
