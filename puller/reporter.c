/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's side. */
#include "reporter.h"

#include <fcntl.h>
#include <stdio.h>

#include "event_names.h"
#include "fileio.h"
#include "reporter_proto.h"

void reporter_sinks(const struct config *c, struct sinks_spec *ret) {
        *ret = (struct sinks_spec){.max_size = c->events_max_size ? c->events_max_size : SINK_FILE_SIZE,
                                   .keep = c->events_keep ? c->events_keep : SINK_FILE_KEEP,
                                   .journald = c->events_journald,
                                   .http = c->events_url != NULL,
                                   .http_size = c->events_spool ? c->events_spool : SPOOL_SIZE};
        snprintf(ret->run_dir, sizeof(ret->run_dir), "%s", c->run_dir);
        snprintf(ret->file, sizeof(ret->file), "%s", c->events_file ? c->events_file : "");
}

static int send_start(int sock, const struct node *n, int listen_fd, int spool, int wake) {
        const int fds[] = {n->agent.events, listen_fd, n->sinks_fd, n->agent.folds, wake, spool};
        size_t n_fds = ARRAY_SIZE(fds) - (wake < 0 ? 2 : spool < 0);
        struct reporter_start start;
        uid_t uid;
        gid_t gid;

        node_user(n->config->reporter_user, &uid, &gid);
        start = (struct reporter_start){.uid = uid, .gid = gid};
        reporter_sinks(n->config, &start.sinks);
        return msg_send(sock, &start, sizeof(start), fds, n_fds);
}

int reporter_start(const struct node *n, int listen_fd, int spool, int wake, struct child *ret, struct err *err) {
        const struct child_spec spec = {.role = "@reporter", .cgroup = -1};
        struct child c = CHILD_INIT;
        int r;

        r = child_spawn(&spec, &c, err);
        if (r < 0)
                return r;
        /* A reporter that hangs must not hold up the supervisor, not even for a while. */
        if (fcntl(c.sock, F_SETFL, O_NONBLOCK) < 0)
                r = -errno;
        if (r >= 0)
                r = send_start(c.sock, n, listen_fd, spool, wake);
        if (r < 0) {
                child_kill(&c);
                return err_errno(err, r, "reporter");
        }
        reporter_names(&c, n);
        *ret = c;
        return 0;
}

int reporter_names(struct child *c, const struct node *n) {
        const struct reporter_packet p = {.message = REPORTER_NAMES};
        cleanup_event_names struct event_names names = {0};
        cleanup_buf struct buf json = {0};
        cleanup_fd int fd = -1;
        int r;

        /* What the store cannot tell is shown as a number. */
        for (size_t i = 0; i < n->n_bundles; i++) {
                event_names_add_bake(&names, n->state_fd, &n->bundles[i]->bake, NULL);
                event_names_add_journal(&names, n->state_fd, &n->bundles[i]->journal, NULL);
        }
        r = event_names_format(&names, &json, NULL);
        if (r < 0)
                return r;
        fd = memfd_sealed("names", json.data, json.len, NULL);
        return fd < 0 ? fd : msg_send(c->sock, &p, sizeof(p), &fd, 1);
}

int reporter_note(struct child *c, const struct event_note *note) {
        const struct reporter_packet p = {.message = REPORTER_NOTE, .note = *note};

        return msg_send(c->sock, &p, sizeof(p), NULL, 0);
}
