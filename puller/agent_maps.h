/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent itself has in the kernel, beside the bundles: the maps that all dispatchers and policies of the node share. */
#pragma once

#include <linux/types.h>

#include "bpffs.h"
#include "guard.h"
#include "lsm_abi.h"

/* What the node's bundles share. */
struct agent_maps {
        char dir[PATH_MAX]; /* BPFFS/lsmpull */
        int state, events, folds;
        struct lsm_agent *map;
        struct guard guard; /* only where the maps may be made */
};
#define AGENT_MAPS_INIT ((struct agent_maps){.state = -1, .events = -1, .folds = -1, .guard = GUARD_INIT})

/* Adopts the agent's own maps, or makes them. bpffs must be mounted there. Without `create`, what is not there stays away and
 * is no error. */
int agent_maps_open(const char *bpffs, bool create, struct agent_maps *ret, struct err *err);
void agent_maps_close(struct agent_maps *a);
