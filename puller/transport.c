/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

#include <stdio.h>
#include <time.h>

#include "transport_names.h"
#include "transport_parts.h"

static int64_t now_ms(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int transport_time_left(const struct transport *t, long *ret_ms, struct err *err) {
        int64_t left = t->deadline_ms - now_ms();

        if (left <= 0)
                return err_set(err, -ETIMEDOUT, REASON_NONE, "too slow: %ld s for all of it are over", t->req.timeout_ms / 1000);
        *ret_ms = left;
        return 0;
}

uint64_t transport_bytes_left(const struct transport *t) {
        return t->stats.received < t->req.max_poll ? t->req.max_poll - t->stats.received : 0;
}

int transport_received(struct transport *t, uint64_t n, struct err *err) {
        if (add_overflows(t->stats.received, n, &t->stats.received) || t->stats.received > t->req.max_poll)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "more than %llu bytes in all", (unsigned long long)t->req.max_poll);
        return 0;
}

int transport_open(const struct transport_request *req, struct transport **ret, struct err *err) {
        struct transport *t = NULL;
        int r;

        switch (req->kind) {
        case TRANSPORT_HTTPS:
                r = transport_https_new(req, &t, err);
                break;
        case TRANSPORT_GIT:
                r = transport_git_new(req, &t, err);
                break;
        case TRANSPORT_DIR:
                r = transport_dir_new(req, &t, err);
                break;
        default:
                return err_errno(err, -EINVAL, "kind of source");
        }
        if (r < 0)
                return r;
        t->deadline_ms = now_ms() + req->timeout_ms;
        *ret = t;
        return 0;
}

void transport_close(struct transport *t) {
        if (t)
                t->ops->close(t);
}

const struct transport_stats *transport_stats(const struct transport *t) {
        return &t->stats;
}

int transport_revision(struct transport *t, char ret[static TRANSPORT_REVISION_SIZE], struct err *err) {
        ret[0] = 0;
        return t->ops->revision ? t->ops->revision(t, ret, err) : 0;
}

static int path_check(const char *path, struct err *err) {
        if (transport_path_valid(path))
                return 0;
        return err_set(err, -EINVAL, REASON_UNSAFE_PATH, "not a path of a file in a repository");
}

int transport_get_changed(struct transport *t, const char *path, uint64_t max, struct transport_seen *seen, struct buf *out,
                          bool *ret_changed, struct err *err) {
        size_t before = out->len;
        int r = path_check(path, err);

        *ret_changed = true;
        if (r == 0)
                r = t->ops->get(t, path, max, seen, ret_changed, out, err);
        if (r < 0 && out->data) {
                out->len = before;
                out->data[before] = 0;
        }
        return r;
}

int transport_get(struct transport *t, const char *path, uint64_t max, struct buf *out, struct err *err) {
        bool changed;

        return transport_get_changed(t, path, max, NULL, out, &changed, err);
}

int transport_get_file(struct transport *t, const char *path, uint64_t max, int *ret_fd, struct err *err) {
        int r = path_check(path, err);

        return r < 0 ? r : t->ops->get_file(t, path, max, ret_fd, err);
}
