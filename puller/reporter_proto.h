/* SPDX-License-Identifier: Apache-2.0 */
/* Packets from the supervisor to its reporter: the same program on both sides. */
#pragma once

#include "event.h"
#include "sinks.h"

/* The first: with the ring buffer, the listening socket, the counters of sinks, and the map of folds; and where a receiver in the
 * network is configured, the pipe that wakes the sender, and the spool's folder, unless it cannot be opened. */
struct reporter_start {
        uint32_t uid, gid;
        struct sinks_spec sinks;
};

enum reporter_message {
        REPORTER_NAMES = 1, /* with the table, as JSON in a sealed memfd */
        REPORTER_NOTE,
};

struct reporter_packet {
        uint32_t message;
        struct event_note note;
};
