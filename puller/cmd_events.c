/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events come from the agent's reporter; while no agent runs, from the kernel's buffer itself. What is taken from there is gone
 * for others: an agent that is started shows none of it again.
 */
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "child.h"
#include "cmd.h"
#include "event_cgroup.h"
#include "event_place.h"
#include "event_ring.h"
#include "options.h"
#include "reporter.h"

#define LINE_MAX_BYTES 65536
#define AGAIN_MS 1000 /* how long to wait for an agent that has gone, and how often to look for one */

static const char help[] =
        "Usage: lsmpull events [--follow] [--json] [--bundle B] [--policy P] [--rule R] [--mode M]\n"
        "                      [--since T] [--denied]\n"
        "\n"
        "What policies have denied, or would have, and what became of generations: the last events of the running\n"
        "agent; without one, what is in the kernel's buffer.\n"
        "\n"
        "  -f, --follow    go on with what comes\n"
        "  --json          a JSON object on each line\n"
        "  --policy P      of this policy alone; BUNDLE/P: and of this bundle\n"
        "  --bundle B      of this bundle alone\n"
        "  --rule R        of rules with this id alone\n"
        "  --mode M        enforce, audit or shadow alone\n"
        "  --since T       not before: 90s, 15m, 2h, 7d (ago), or 2026-01-31T12:00:00Z\n"
        "  --denied        denials alone\n" COMMON_HELP;

struct view {
        const struct config *config;
        struct event_filter filter;
        char since[32];
        struct cgroup_mount cgroups;
        bool follow, json, colour;
};

/* ---- showing ------------------------------------------------------------------------------------------------------- */

/* The reporter cannot look up what is no longer there, nor what it may not. */
static void place_set(const struct view *v, json_t *event) {
        const json_t *id = json_object_get(event, "cgroup");
        char path[PATH_MAX];
        bool known = json_is_integer(id) && cgroup_path_of(&v->cgroups, (uint64_t)json_integer_value(id), path) >= 0;

        event_place_set(event, known ? path : NULL, v->config->run_dir);
}

/* -EBADMSG: not to be shown. */
static int show(const struct view *v, json_t *event) {
        cleanup_buf struct buf b = {0};
        int r;

        if (!event_passes(&v->filter, event))
                return 0;
        place_set(v, event);
        r = v->json ? event_json_format(event, &b) : event_text_format(event, v->colour, &b);
        if (r < 0)
                return r;
        return fwrite(b.data, 1, b.len, stdout) == b.len && fflush(stdout) == 0 ? 0 : -errno;
}

/* Until fd can be read: 1; the time is over: 0; nobody reads our output any more: -EPIPE. */
static int wait_for(int fd, int timeout_ms) {
        struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = STDOUT_FILENO}};
        int r;

        do
                r = poll(fds, ARRAY_SIZE(fds), timeout_ms);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return -errno;
        if (fds[1].revents)
                return -EPIPE;
        return r > 0;
}

/* ---- from the agent ------------------------------------------------------------------------------------------------ */

static int agent_connect(const struct view *v, struct err *err) {
        cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        struct sockaddr_un sa = {.sun_family = AF_UNIX};

        if (fd < 0)
                return err_errno(err, -errno, "socket");
        if ((size_t)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", v->config->run_dir, EVENTS_SOCKET) >= sizeof(sa.sun_path))
                return err_set(err, -ENAMETOOLONG, REASON_CONFIG, "the path %s is too long for a socket", v->config->run_dir);
        if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
                return err_errno(err, -errno, "cannot reach the agent at %s", sa.sun_path);
        return steal_fd(&fd);
}

static bool type_is(const json_t *event, const char *type) {
        const char *s = json_string_value(json_object_get(event, "type"));

        return s && streq(s, type);
}

/* 0: everything has been shown that there was; -EPIPE: the reporter has gone. */
static int agent_read(const struct view *v, int conn, char *line, struct err *err) {
        for (;;) {
                cleanup_json json_t *event = NULL;
                ssize_t n;
                int r = wait_for(conn, -1);

                if (r < 0)
                        return r;
                n = msg_recv(conn, line, LINE_MAX_BYTES, NULL, NULL);
                if (n <= 0)
                        return n < 0 ? err_errno(err, (int)n, "the agent's events") : -ENOTCONN;
                if (json_parse(line, (size_t)n, &event, err) < 0 || !json_is_object(event))
                        return err_wrap(err, -EBADMSG, "the agent's events");
                if (type_is(event, "live")) {
                        if (!v->follow)
                                return 0;
                        continue;
                }
                r = show(v, event);
                if (r < 0 && r != -EBADMSG)
                        return err_errno(err, r, "cannot write");
        }
}

/* ---- from the kernel ----------------------------------------------------------------------------------------------- */

static int on_event(void *ctx, json_t *event) {
        int r = show(ctx, event);

        return r == -EBADMSG ? 0 : r;
}

static bool agent_is_there(const struct view *v) {
        int fd = agent_connect(v, NULL);

        close_p(&fd);
        return fd >= 0;
}

/* 0: everything has been shown that there was, or there is an agent now. */
static int kernel_read(struct view *v, struct err *err) {
        cleanup_event_ring struct event_ring *ring = NULL;
        int r = event_ring_open(v->config, on_event, v, &ring, err);

        if (r == -ENOENT && v->follow) {
                r = wait_for(-1, AGAIN_MS);
                return r < 0 ? r : 0;
        }
        if (r < 0)
                return r;
        for (;;) {
                r = event_ring_take(ring);
                if (r < 0)
                        return err_errno(err, r, "cannot write");
                if (!v->follow)
                        return 0;
                r = wait_for(event_ring_fd(ring), AGAIN_MS);
                if (r < 0)
                        return r;
                if (r == 0 && agent_is_there(v))
                        return 0;
        }
}

/* ---- the command --------------------------------------------------------------------------------------------------- */

static int view_run(struct view *v, struct err *err) {
        cleanup_free char *line = malloc(LINE_MAX_BYTES);
        int r;

        if (!line)
                return err_errno(err, -ENOMEM, "events");
        do {
                cleanup_fd int conn = agent_connect(v, err);

                if (conn >= 0) {
                        r = agent_read(v, conn, line, err);
                        if (r == -ENOTCONN && v->follow) { /* another reporter comes, or another agent */
                                r = wait_for(-1, AGAIN_MS);
                                r = r < 0 ? r : 0;
                        } else if (r == -ENOTCONN)
                                err_set(err, r, REASON_NONE,
                                        "the agent's reporter has ended, or has too many readers: try again");
                } else if (conn != -ENOENT && conn != -ECONNREFUSED)
                        r = conn;
                else if (geteuid() != 0)
                        r = err_set(err, -EPERM, REASON_NONE,
                                    "no agent runs here, and only root may read the kernel's buffer itself");
                else
                        r = kernel_read(v, err);
        } while (r >= 0 && v->follow);
        return r == -EPIPE ? 0 : r;
}

enum { FOLLOW = OPT_OWN, JSON, POLICY, BUNDLE, RULE, MODE, SINCE, DENIED };

/* false: it is none of these. */
static bool filter_take(struct view *v, int opt, const char *value) {
        switch (opt) {
        case POLICY:
                v->filter.policy = value;
                return true;
        case BUNDLE:
                v->filter.bundle = value;
                return true;
        case RULE:
                v->filter.rule = value;
                return true;
        case MODE:
                v->filter.mode = value;
                return true;
        case SINCE:
                v->filter.since = value;
                return true;
        case DENIED:
                v->filter.denied = true;
                return true;
        default:
                return false;
        }
}

/* What is wrong with it, for people; 0: nothing. */
static int filter_judge(struct view *v) {
        struct event_filter *f = &v->filter;

        if (f->since) {
                if (event_since(f->since, event_clock_offset() + event_clock_boottime(), v->since) < 0)
                        return usage_error("events", "'%s' is no time: 90s, 15m, 2h, 7d, or 2026-01-31T12:00:00Z", f->since);
                f->since = v->since;
        }
        if (event_filter_valid(f))
                return 0;
        if (!event_filter_valid(&(struct event_filter){.policy = f->policy}))
                return usage_error("events", "'%s' is no name of a policy", f->policy);
        if (!event_filter_valid(&(struct event_filter){.bundle = f->bundle}))
                return usage_error("events", "'%s' is no name of a bundle", f->bundle);
        if (!event_filter_valid(&(struct event_filter){.rule = f->rule}))
                return usage_error("events", "'%s' is no id of a rule", f->rule);
        return usage_error("events", "'%s' is no mode: enforce, audit or shadow", f->mode);
}

int cmd_events(int argc, char **argv) {
        static const struct option options[] = {COMMON_OPTIONS,
                                                {"follow", no_argument, NULL, FOLLOW},
                                                {"json", no_argument, NULL, JSON},
                                                {"policy", required_argument, NULL, POLICY},
                                                {"bundle", required_argument, NULL, BUNDLE},
                                                {"rule", required_argument, NULL, RULE},
                                                {"mode", required_argument, NULL, MODE},
                                                {"since", required_argument, NULL, SINCE},
                                                {"denied", no_argument, NULL, DENIED},
                                                {0}};
        cleanup_options struct options o = {0};
        cleanup_config struct config config = {0};
        struct view v = {.config = &config, .cgroups.fd = -1};
        struct err err = {0};
        int opt, r;

        while ((opt = getopt_long(argc, argv, "f", options, NULL)) >= 0) {
                if (opt == FOLLOW || opt == 'f')
                        v.follow = true;
                else if (opt == JSON)
                        v.json = true;
                else if (!filter_take(&v, opt, optarg) && !options_take(&o, opt, optarg))
                        return usage_error("events", "wrong option");
        }
        if (o.help)
                return fputs(help, stdout) < 0;
        if (optind < argc)
                return usage_error("events", "'%s' is too much", argv[optind]);
        r = filter_judge(&v);
        if (r)
                return r;
        r = options_config(&o, &config);
        if (r)
                return r;
        v.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
        v.cgroups = cgroup_mount_open();
        r = view_run(&v, &err);
        cgroup_mount_close(&v.cgroups);
        return r < 0 ? report_error(NULL, &err, r) : 0;
}
