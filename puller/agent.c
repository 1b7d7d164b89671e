/* SPDX-License-Identifier: Apache-2.0 */
#include "agent.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "agent_parts.h"
#include "control.h"
#include "rules_follow.h"
#include "scope_collect.h"
#include "status.h"

#define NS 1000000000LL
#define METRICS_NS (60 * NS)
#define MOUNTS_NS NS
#define SCOPES_NS (10 * NS) /* a full hash costs some ten milliseconds */

/* A signal handler has no context argument. */
static volatile sig_atomic_t stop_wanted, poll_wanted;

static void on_signal(int sig) {
        if (sig == SIGHUP)
                poll_wanted = 1;
        else
                stop_wanted = 1;
}

bool agent_stopping(void) {
        return stop_wanted;
}

bool agent_hangup_take(void) {
        bool came = poll_wanted;

        poll_wanted = 0;
        return came;
}

static void say(void *ctx, const char *line) {
        struct agent *a = ctx;

        fprintf(stderr, "%s\n", line);
        control_line(a->asker, line);
}

/* ---- waiting ----------------------------------------------------------------------------------------------------------- */

/* Between steps only: a swap does not wait for them. */
static void metrics_keep(struct agent *a) {
        struct err err = {0};
        json_t *status;
        int r;

        if (!a->config->metrics_file || a->working || monotonic_ns() < a->metrics_due)
                return;
        a->metrics_due = monotonic_ns() + METRICS_NS;
        r = status_collect(&a->node, &a->source, &status, &err);
        if (r >= 0)
                r = metrics_write(&a->node, status, &a->counts, &err);
        if (r < 0 && !a->metrics_failed)
                fprintf(stderr, "no metrics are written: %s\n", err.msg);
        a->metrics_failed = r < 0;
}

/* Whatever is waited for, and however long: who guards the agent wants to hear of it. */
static void guard_keep(struct agent *a) {
        if (monotonic_ns() < a->guard_due)
                return;
        a->guard_due = monotonic_ns() + GUARD_RENEW_NS;
        guard_renew(&a->node.agent.guard);
}

/* A change is followed at once; many, once a second. */
static void mounts_keep(struct agent *a) {
        int64_t now = monotonic_ns();
        struct err err = {0};

        if (a->mounts < 0 || a->working || now < a->mounts_due)
                return;
        a->mounts_due = INT64_MAX;
        a->mounts_next = now + MOUNTS_NS;
        if (rules_follow(&a->node, a->mounts, &err) < 0)
                fprintf(stderr, "rules do not know where file systems are: %s\n", err.msg);
}

static void scopes_keep(struct agent *a) {
        int r;

        if (a->working || monotonic_ns() < a->scopes_due)
                return;
        a->scopes_due = monotonic_ns() + SCOPES_NS;
        r = scopes_collect(&a->node);
        if (r < 0 && !a->scopes_failed)
                fprintf(stderr, "what is remembered about cgroups that are gone is not collected: %s\n", strerror(-r));
        a->scopes_failed = r < 0;
}

static void mounts_changed(struct agent *a) {
        int64_t now = monotonic_ns();

        a->mounts_due = a->mounts_next > now ? a->mounts_next : now;
}

static struct timespec timeout(const struct agent *a, int64_t deadline) {
        int64_t now = monotonic_ns(), left = deadline - now, events_due = agent_events_due(a);

        if (a->watchdog_ns && left > a->watchdog_ns)
                left = a->watchdog_ns;
        if (events_due < INT64_MAX && left > events_due - now)
                left = events_due - now;
        if (a->config->metrics_file && !a->working && left > a->metrics_due - now)
                left = a->metrics_due - now;
        if (left > a->guard_due - now)
                left = a->guard_due - now;
        if (!a->working && left > a->mounts_due - now)
                left = a->mounts_due - now;
        if (!a->working && left > a->scopes_due - now)
                left = a->scopes_due - now;
        if (left < 0)
                left = 0;
        return (struct timespec){.tv_sec = left / NS, .tv_nsec = left % NS};
}

static int agent_wait(struct waiter *w, int fd, int64_t deadline_ns) {
        struct agent *a = (struct agent *)w;

        for (;;) {
                struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
                                       {.fd = a->listener, .events = POLLIN},
                                       {.events = POLLIN},
                                       {.fd = a->mounts, .events = POLLPRI},
                                       {.events = POLLIN}};
                struct timespec ts;
                int n;

                if (stop_wanted) {
                        if (!a->node.canceled)
                                a->node.canceled = REASON_BUSY;
                        return -ECANCELED;
                }
                if (requests_serve(a))
                        return -ECANCELED;
                if (poll_wanted && !a->working)
                        return 0;
                if (a->watchdog_ns)
                        sd_notify(0, "WATCHDOG=1");
                guard_keep(a);
                agent_events_keep(a);
                reporter_watch(&a->watch, &a->reporter, &a->node);
                metrics_keep(a);
                mounts_keep(a);
                scopes_keep(a);
                fds[2].fd = a->reporter.pid ? a->reporter.pidfd : -1;
                fds[4].fd = a->sender.pid ? a->sender.pidfd : -1;
                ts = timeout(a, deadline_ns);
                n = ppoll(fds, ARRAY_SIZE(fds), &ts, &a->waiting_mask);
                /* A policy on trial may deny even this. It does not end the loop: the deadline does. */
                if (n < 0 && errno != EINTR)
                        clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = 50000000}, NULL);
                if (n > 0 && fds[2].revents)
                        agent_reporter_ended(a);
                if (n > 0 && fds[4].revents)
                        agent_sender_ended(a);
                if (n > 0 && fds[3].revents)
                        mounts_changed(a);
                if (n > 0 && fds[1].revents)
                        requests_take(a);
                if (n > 0 && fds[0].revents)
                        return 1;
                if (monotonic_ns() >= deadline_ns)
                        return 0;
        }
}

/* ---- the whole -------------------------------------------------------------------------------------------------------- */

static void signals_take(struct agent *a) {
        const struct sigaction action = {.sa_handler = on_signal};
        sigset_t ours;

        sigemptyset(&ours);
        sigaddset(&ours, SIGTERM);
        sigaddset(&ours, SIGINT);
        sigaddset(&ours, SIGHUP);
        /* Blocked but while the loop waits, so that none is missed between a look and a wait. */
        sigprocmask(SIG_BLOCK, &ours, &a->waiting_mask);
        sigdelset(&a->waiting_mask, SIGTERM);
        sigdelset(&a->waiting_mask, SIGINT);
        sigdelset(&a->waiting_mask, SIGHUP);
        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGHUP, &action, NULL);
        signal(SIGPIPE, SIG_IGN);
}

int agent_run(const struct options *options, struct config *config) {
        struct agent a = {.waiter.wait = agent_wait,
                          .options = options,
                          .config = config,
                          .listener = -1,
                          .events_listener = -1,
                          .asker = -1,
                          .mounts = mounts_open(),
                          .canceler = -1,
                          .spool = -1,
                          .wake = {-1, -1},
                          .reporter = CHILD_INIT,
                          .sender = CHILD_INIT};
        struct err err = {0};
        uint64_t watchdog_us;
        int r;

        signals_take(&a);
        a.node.say = say;
        a.node.say_ctx = &a;
        r = node_open(config, NODE_WRITE, &a.waiter, &a.node, &err);
        if (r < 0)
                return report_error(NULL, &err, r);
        guard_keep(&a);
        if (sd_watchdog_enabled(0, &watchdog_us) > 0)
                a.watchdog_ns = (int64_t)watchdog_us * 1000 / 2;
        agent_start(&a);
        r = a.listener = control_listen(config->run_dir, "control.sock", &err);
        if (r >= 0)
                r = a.events_listener = control_listen(config->run_dir, "events.sock", &err);
        if (r >= 0)
                r = a.node.sinks_fd = sinks_counts_new(&a.node.sinks, &err);
        if (r >= 0) {
                a.node.serving = true;
                sd_notifyf(0, "READY=1\nSTATUS=%zu bundle%s", a.node.n_bundles, a.node.n_bundles == 1 ? "" : "s");
                agent_loop(&a);
                sd_notify(0, "STOPPING=1");
        }
        requests_end(&a);
        agent_events_end(&a);
        guard_leave(&a.node.agent.guard);
        close_p(&a.mounts);
        close_p(&a.listener);
        close_p(&a.events_listener);
        node_close(&a.node);
        return r < 0 ? report_error(NULL, &err, r) : 0;
}

static void say_stderr(void *ctx, const char *line) {
        fprintf(stderr, "%s\n", line);
}

int agent_boot(const struct options *options, struct config *config) {
        struct node node = {.say = say_stderr};
        struct err err = {0};
        int r = node_open(config, NODE_WRITE, &waiter_plain, &node, &err);

        if (r >= 0) {
                r = swap_recover(&node, &err);
                node_close(&node);
        }
        return r < 0 ? report_error("boot", &err, r) : 0;
}
