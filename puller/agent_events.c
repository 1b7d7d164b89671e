/* SPDX-License-Identifier: Apache-2.0 */
/* The children that tell of events: the reporter, and the sender where a receiver in the network is configured. */
#include <fcntl.h>
#include <stdio.h>

#include "agent_parts.h"

#define RESTART_NS 5000000000LL
#define SPOOL_FOLDER "events" /* in the folder of the agent's state */

/* What both have in common, if it is wanted. Without a folder the reporter says that the sink fails, and why is said here. */
static void spool_open(struct agent *a) {
        struct err err = {0};
        char path[PATH_MAX];
        uid_t uid;
        gid_t gid;

        if (!a->config->events_url)
                return;
        if (a->wake[0] < 0 && pipe2(a->wake, O_CLOEXEC | O_NONBLOCK) < 0)
                fprintf(stderr, "events.http: %s\n", strerror(errno));
        if (a->spool >= 0)
                return;
        node_user(a->config->reporter_user, &uid, &gid);
        if ((size_t)snprintf(path, sizeof(path), "%s/" SPOOL_FOLDER, a->config->state_dir) >= sizeof(path)) {
                fprintf(stderr, "events.http: paths.state is too long for a folder in it\n");
                return;
        }
        a->spool = spool_folder(path, uid, gid, &err);
        if (a->spool < 0)
                fprintf(stderr, "events.http: %s\n", err.msg);
}

static void reporter_keep(struct agent *a) {
        bool http = a->config->events_url != NULL;
        struct err err = {0};

        if (a->reporter.pid || a->events_listener < 0 || monotonic_ns() < a->reporter_due)
                return;
        a->reporter_due = monotonic_ns() + RESTART_NS;
        spool_open(a);
        if (reporter_start(&a->node, a->events_listener, http ? a->spool : -1, http ? a->wake[1] : -1, &a->reporter, &err) < 0)
                fprintf(stderr, "no events are reported: %s\n", err.msg);
}

static bool sender_wanted(const struct agent *a) {
        return a->config->events_url && a->spool >= 0 && a->wake[0] >= 0 && a->node.sinks_fd >= 0;
}

static void sender_keep(struct agent *a) {
        struct err err = {0};

        if (a->sender.pid || !sender_wanted(a) || monotonic_ns() < a->sender_due)
                return;
        a->sender_due = monotonic_ns() + RESTART_NS;
        if (sender_start(&a->node, a->spool, a->wake[0], &a->sender, &err) < 0)
                fprintf(stderr, "no events are sent: %s\n", err.msg);
}

void agent_events_keep(struct agent *a) {
        reporter_keep(a);
        sender_keep(a);
}

int64_t agent_events_due(const struct agent *a) {
        int64_t due = INT64_MAX;

        if (!a->reporter.pid && a->events_listener >= 0)
                due = a->reporter_due;
        if (!a->sender.pid && sender_wanted(a) && a->sender_due < due)
                due = a->sender_due;
        return due;
}

void agent_reporter_ended(struct agent *a) {
        child_kill(&a->reporter);
        fprintf(stderr, "the reporter has ended: starting another\n");
}

/* It says itself why. */
void agent_sender_ended(struct agent *a) {
        child_kill(&a->sender);
}

/* A reporter opens its sinks before it gives up the right to, and a sender reads its credentials. What readers could still have asked
 * the reporter for is forgotten, so only when there is a reason. */
void agent_events_reload(struct agent *a, const struct config *fresh) {
        struct sender_spec sender_now, sender_then;
        bool failing = sinks_counts_failing(a->node.sinks);
        struct sinks_spec now, then;

        reporter_sinks(a->config, &now);
        reporter_sinks(fresh, &then);
        sender_spec_of(a->config, &sender_now);
        sender_spec_of(fresh, &sender_then);
        if (failing || memcmp(&sender_now, &sender_then, sizeof(sender_now)) != 0) {
                child_kill(&a->sender);
                a->sender_due = 0;
        }
        if (failing || memcmp(&now, &then, sizeof(now)) != 0) {
                child_kill(&a->reporter);
                a->reporter_due = 0;
        }
}

void agent_events_end(struct agent *a) {
        child_kill(&a->reporter);
        child_kill(&a->sender);
        reporter_watch_done(&a->watch);
        close_p(&a->spool);
        close_p(&a->wake[0]);
        close_p(&a->wake[1]);
}
