/* SPDX-License-Identifier: Apache-2.0 */
/* Packets between the supervisor and its loader: the same program on both sides, so plain structs. */
#pragma once

#include <linux/types.h>

#include "err.h"
#include "lowered.h"
#include "lsm_rules_abi.h"

/* To the loader: one `start` (with the manifest), one `give` per member, then per hook (without a
 * descriptor: this kernel has not the hook), one for the events, one for the guard's
 * maps (tasks, objects, node), and where there are rules one for the node's mount table. */
#define LOADER_GUARD_MAPS 3
struct loader_start {
        uint32_t slot;
        uint32_t bundle_number;
        uint32_t audit, shadow;
        uint32_t use_token;
        uint32_t uid, gid;
        uint32_t n_members, n_hooks;
        uint32_t cgroup_storage; /* the kernel can keep things at its cgroups */
        struct lsm_rules_kernel kernel;
        char lowered[LOWERED_MAX];
};

/* Between: the token's handshake. Child: NAMESPACE (made), FILESYSTEM (with its fd); supervisor answers each. */
enum loader_message {
        LOADER_NAMESPACE = 1,
        LOADER_FILESYSTEM,
        LOADER_GO_ON,
        LOADER_NO_TOKEN,    /* with a message: start me again without */
        LOADER_PROGRAM,     /* with its fd */
        LOADER_COUNTERS,    /* with its fd */
        LOADER_SEED,        /* with its fd: to be frozen */
        LOADER_RULE_COUNTS, /* with its fd */
        LOADER_RULE_TABLE,  /* with its fd */
        LOADER_RULE_CELLS,  /* with its fd */
        LOADER_ROOTS,       /* with its fd */
        LOADER_SCOPES,      /* with its fd: where answers about cgroups are to be collected */
        LOADER_PROBES,      /* with its fd: where cgroups of self-tests are entered */
        LOADER_DONE,
        LOADER_FAILED, /* reason and message; with the log as a memfd */
};

/* File systems whose place the engine knows, and those that were left out. */
struct loader_roots {
        uint32_t n;
        uint32_t parts, full; /* as in struct rules_roots */
        uint32_t unreadable;  /* mounts */
};

struct loader_packet {
        uint32_t message;
        uint32_t policy, program;
        uint32_t reason; /* enum reason */
        int32_t error;
        uint32_t token;
        struct loader_roots roots;
        char text[1800];
};
