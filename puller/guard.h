/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent tells policies that guard it (lsm_guard_abi.h): which tasks and which objects of the kernel are its own, where it
 * lives, and that it lives. Three maps of the agent's, pinned, which every generation is given; without such a policy nobody
 * reads them.
 */
#pragma once

#include <linux/types.h>

#include "bpffs.h"
#include "lsm_guard_abi.h"

struct guard {
        char dir[PATH_MAX]; /* BPFFS/lsmpull */
        int tasks, objects, node;
        struct lsm_guard_node *map;
};
#define GUARD_INIT ((struct guard){.tasks = -1, .objects = -1, .node = -1})

/* How often to renew the lease, at least. */
#define GUARD_RENEW_NS 10000000000LL

/*
 * Adopts the maps or makes them, in DIR/agent, and marks the calling process as the agent's. kernel-unsupported:
 * the kernel has no such maps. EPERM: a policy in force takes the calling process for somebody else.
 */
int guard_open(const char *dir, struct guard *ret, struct err *err);
void guard_close(struct guard *g);

/* The calling process is the agent and serves: says where it runs, and renews the lease. Harmless on GUARD_INIT, as all below. */
void guard_renew(struct guard *g);
/* It ends as it should: what named this process names nobody. The lease goes on. */
void guard_leave(struct guard *g);
/* Marks the children that live now: those that were started before a policy did. */
void guard_children(const struct guard *g);

/* Makes the list of the agent's objects anew from what is pinned, and from what that refers to. */
int guard_look(const struct guard *g, struct err *err);
/* The same, where a policy has had use for the list. Failures are passed over: what is listed too much is guarded for nothing. */
void guard_prune(const struct guard *g);
