/* SPDX-License-Identifier: Apache-2.0 */
/* Packets between the supervisor and its loader: the same program on both sides, so plain structs. */
#pragma once

#include "err.h"

/* To the loader: one `start` (with the manifest), one `give` per member, then per hook, then one for the events. */
struct loader_start {
        uint32_t slot;
        uint32_t bundle_number;
        uint32_t audit, shadow;
        uint32_t use_token;
        uint32_t uid, gid;
        uint32_t n_members, n_hooks;
};

/* Between: the token's handshake. Child: NAMESPACE (made), FILESYSTEM (with its fd); supervisor answers each. */
enum loader_message {
        LOADER_NAMESPACE = 1,
        LOADER_FILESYSTEM,
        LOADER_GO_ON,
        LOADER_NO_TOKEN, /* with a message: start me again without */
        LOADER_PROGRAM,  /* with its fd */
        LOADER_COUNTERS, /* with its fd */
        LOADER_SEED,     /* with its fd: to be frozen */
        LOADER_DONE,
        LOADER_FAILED, /* reason and message; with the log as a memfd */
};

struct loader_packet {
        uint32_t message;
        uint32_t policy, program;
        uint32_t reason; /* enum reason */
        int32_t error;
        uint32_t token;
        char text[1800];
};
