/* SPDX-License-Identifier: Apache-2.0 */
/* The cgroup of the probe: the dispatchers know the probe by it, so nothing else may ever be in it. */
#pragma once

#include <limits.h>

#include "err.h"
#include "util.h"

#define PROBE_CGROUP_NAME "lsmpull-probe"

struct probe_cgroup {
        int fd;      /* its directory */
        uint64_t id; /* as bpf_get_current_cgroup_id() gives it */
        char path[PATH_MAX];
};
#define PROBE_CGROUP_INIT ((struct probe_cgroup){.fd = -1})

/* This process's own cgroup in the version 2 hierarchy, as a directory. */
int cgroup_own(char ret[static PATH_MAX], struct err *err);

/* Makes the cgroup below `parent` (NULL: the own one), or takes over one that an earlier agent has left and empties it.
 * -EBUSY (busy) while another living agent uses it. */
int probe_cgroup_open(const char *parent, struct probe_cgroup *ret, struct err *err);
/* Replaces it by another one of the same name, of which nobody has asked anything yet: in which scopes a cgroup is, is remembered.
 * On failure it is closed. */
int probe_cgroup_renew(struct probe_cgroup *cg, struct err *err);
/* Kills what is in it and removes it; then as PROBE_CGROUP_INIT. Harmless on that. */
void probe_cgroup_close(struct probe_cgroup *cg);
#define cleanup_probe_cgroup cleanup(probe_cgroup_close)
