/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent's parts share, agent.c (waiting), agent_requests.c (what it is asked meanwhile), agent_events.c (its children) and
 * agent_cycle.c (what is done in between); nobody else includes this. */
#pragma once

#include <signal.h>

#include "metrics.h"
#include "op.h"
#include "options.h"
#include "reporter.h"
#include "sender.h"
#include "source.h"

/* Who asks the agent while it is at work waits for his turn, so many at most. */
#define AGENT_REQUESTS_MAX 8

struct agent_request {
        int conn;
        struct op_request op;
};

struct agent {
        struct waiter waiter; /* first: the waiter is the agent */
        const struct options *options;
        struct config *config;
        struct node node;
        struct source source;
        int listener, events_listener;
        struct child reporter, sender;
        int64_t reporter_due, sender_due; /* when to start them (again) */
        int spool, wake[2];               /* theirs, for a receiver in the network: the folder, a pipe; -1: not open */
        struct reporter_watch watch;
        int64_t guard_due;   /* when to renew its lease */
        int64_t restore_due; /* when to try again to restore what is not in force as it should be; 0: all is */
        int64_t watchdog_ns; /* 0: none */
        int mounts;          /* the node's mount table, which says when it changes; -1: it cannot be read */
        int64_t mounts_due;  /* when to tell the engines of rules; INT64_MAX: nothing has changed */
        int64_t mounts_next; /* not before */
        int64_t scopes_due;  /* when to collect what is remembered about cgroups */
        bool scopes_failed;  /* which was said */
        struct metrics_counts counts;
        int64_t metrics_due;                               /* when to write them (again) */
        bool metrics_failed;                               /* which was said */
        bool stale_told;                                   /* on_stale.run was started, and the source not heard from since */
        bool working;                                      /* a step of a swap, or another request, is under way */
        int asker;                                         /* connection whose request is under way; -1 */
        int canceler;                                      /* connection of an operator who called the trial off; -1 */
        struct agent_request requests[AGENT_REQUESTS_MAX]; /* that wait, in the order they came */
        size_t n_requests;
        sigset_t waiting_mask;
};

/* SIGTERM or SIGINT came. */
bool agent_stopping(void);
/* SIGHUP came since this was asked last. */
bool agent_hangup_take(void);

/* ---- agent_requests.c: the control socket ---- */

/* Somebody waits at the listener. What he asks is answered at once if it can be, or else waits for its turn. */
void requests_take(struct agent *a);
/* Serves what waits, as far as what is under way allows. true: that must be called off. */
bool requests_serve(struct agent *a);
/* Whoever called off what was under way learns that it is over. */
void requests_canceler_answer(struct agent *a);
/* Those that still wait get no answer. */
void requests_end(struct agent *a);

/* ---- agent_events.c: the children that tell of events ---- */

/* Starts those that should run and do not. */
void agent_events_keep(struct agent *a);
/* When to call it again, CLOCK_MONOTONIC; INT64_MAX: they run. */
int64_t agent_events_due(const struct agent *a);
/* One has ended. */
void agent_reporter_ended(struct agent *a);
void agent_sender_ended(struct agent *a);
/* Before `fresh` takes the place of the configuration: those that are to do something else then end. */
void agent_events_reload(struct agent *a, const struct config *fresh);
void agent_events_end(struct agent *a);

/* ---- agent_cycle.c ---- */

/* Before anything is served: what the journal says is in force; and a node that has nothing takes what it was born with. */
void agent_start(struct agent *a);
/* Until it is to stop: polls in their time, what could not be restored, what was removed, what is to be said of a silent source. */
void agent_loop(struct agent *a);
