/* SPDX-License-Identifier: Apache-2.0 */
/* `lsmpull pause`: no new releases until a moment, or until resumed; kept in STATE/pause.json, so that it survives a reboot. */
#pragma once

#include "node.h"

struct pause {
        bool paused;
        uint64_t until; /* seconds since the epoch; 0: until resumed */
        uint64_t since;
};

/* An unreadable record counts as paused until resumed: somebody had asked for it. */
void pause_load(const struct node *n, struct pause *ret);
int pause_set(const struct node *n, int64_t for_ns, struct err *err);
int pause_clear(const struct node *n, struct err *err);
