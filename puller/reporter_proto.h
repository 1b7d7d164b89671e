/* SPDX-License-Identifier: Apache-2.0 */
/* Packets from the supervisor to its reporter: the same program on both sides. */
#pragma once

#include "event.h"

/* The first: with the ring buffer and the listening socket. */
struct reporter_start {
        uint32_t uid, gid;
};

enum reporter_message {
        REPORTER_NAMES = 1, /* with the table, as JSON in a sealed memfd */
        REPORTER_NOTE,
};

struct reporter_packet {
        uint32_t message;
        struct event_note note;
};
