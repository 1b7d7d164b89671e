/* SPDX-License-Identifier: Apache-2.0 */
/* The node's ring buffer, read in place of the reporter: for when no agent runs. */
#pragma once

#include "config.h"
#include "event.h"

struct event_ring;

/* Called with each event, described; a negative return ends the reading. */
typedef int (*event_fn)(void *ctx, json_t *event);

/* -ENOENT: there is none on this node. Names come from the journals and the store; what these do not tell is a number. */
int event_ring_open(const struct config *config, event_fn fn, void *ctx, struct event_ring **ret, struct err *err);
void event_ring_free(struct event_ring *e);
static inline void event_ring_free_p(struct event_ring **e) {
        event_ring_free(*e);
}
#define cleanup_event_ring cleanup(event_ring_free_p)
/* Takes what is there. What fn returned, if that was negative. */
int event_ring_take(struct event_ring *e);
/* Readable when there is something to take. */
int event_ring_fd(const struct event_ring *e);
