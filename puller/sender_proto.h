/* SPDX-License-Identifier: Apache-2.0 */
/* From the supervisor to its sender, once: with the spool's folder, the pipe that wakes it, and the counters of sinks. */
#pragma once

#include "sender.h"

struct sender_start_packet {
        uint32_t uid, gid;
        struct sender_spec spec;
};
