/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds of transport share; nobody else's business. */
#pragma once

#include "transport.h"

struct transport_ops {
        int (*revision)(struct transport *t, char ret[static TRANSPORT_REVISION_SIZE], struct err *err); /* NULL: has none */
        /* To a descriptor of its own or (ret_fd NULL) to out. seen may be NULL. */
        int (*get)(struct transport *t, const char *path, uint64_t max, struct transport_seen *seen, bool *ret_changed,
                   struct buf *out, struct err *err);
        int (*get_file)(struct transport *t, const char *path, uint64_t max, int *ret_fd, struct err *err);
        void (*close)(struct transport *t);
};

/* First member of each kind's own struct. */
struct transport {
        const struct transport_ops *ops;
        struct transport_request req;
        struct transport_stats stats;
        int64_t deadline_ms; /* of CLOCK_MONOTONIC */
};

int transport_https_new(const struct transport_request *req, struct transport **ret, struct err *err);
int transport_git_new(const struct transport_request *req, struct transport **ret, struct err *err);
int transport_dir_new(const struct transport_request *req, struct transport **ret, struct err *err);

/* Of the time for all: milliseconds, at least 1. -ETIMEDOUT when it is over. */
int transport_time_left(const struct transport *t, long *ret_ms, struct err *err);
/* Of the bytes for all. */
uint64_t transport_bytes_left(const struct transport *t);
/* Counts what has been received; too-large when it is more than allowed. */
int transport_received(struct transport *t, uint64_t n, struct err *err);
