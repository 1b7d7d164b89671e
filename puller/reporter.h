/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reporter: the child that reads the node's ring buffer, as a user of its own without any capability, serves the readers
 * at RUN/events.sock (feed.h) and writes to the sinks that are configured (sinks.h). What it reads was written by tasks and
 * policies; enforcement does not depend on it.
 */
#pragma once

#include "child.h"
#include "event.h"
#include "node.h"
#include "sinks.h"

#define EVENTS_SOCKET "events.sock"

/* What the configuration wants done with events. */
void reporter_sinks(const struct config *c, struct sinks_spec *ret);
/* Starts it and tells it the names. listen_fd: SOCK_SEQPACKET, not blocking, bound to RUN/events.sock; spool, wake: for a receiver in
 * the network (sinks_open()), -1: none. They stay the caller's. Sending to it never blocks. It says on stderr why it ends, if it can. */
int reporter_start(const struct node *n, int listen_fd, int spool, int wake, struct child *ret, struct err *err);
/* Tells it the names of all generations that the journals know; those that it was told before it keeps. */
int reporter_names(struct child *c, const struct node *n);
/* An event of the agent's own: the fate of a generation. */
int reporter_note(struct child *c, const struct event_note *note);

/*
 * Looks at the journals and tells the reporter what is new: names, as soon as a journal has them, which is before anything is
 * loaded; and as notes, what becomes of generations: "pending", "confirmed", "failed" (never in force), "rolled-back", "removed".
 * Cheap when nothing is new: to be called at every turn of the agent's loop. What happens while there is no reporter is not told
 * to the next.
 */
struct reporter_told;
struct reporter_watch {
        struct reporter_told *list; /* of each bundle */
        size_t n;
        bool looked; /* what the first look finds is not news */
};
void reporter_watch(struct reporter_watch *w, struct child *c, const struct node *n);
void reporter_watch_done(struct reporter_watch *w);

/* The child's main. */
int reporter_main(int sock);
