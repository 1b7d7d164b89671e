/* SPDX-License-Identifier: Apache-2.0 */
/* A web server. One connection is kept for the whole poll. */
#include "https.h"
#include "transport_names.h"
#include "transport_parts.h"
#include "transport_spool.h"

#define ATTEMPTS_MAX 5 /* at one file in one poll, each of which must have brought something */

_Static_assert(TRANSPORT_VALIDATOR_MAX == HTTPS_VALIDATOR_MAX, "an entity tag fits");

struct https_transport {
        struct transport base;
        struct https_session *session;
        uint16_t ports[HTTPS_PORTS_MAX];
        size_t n_ports;
};

struct get {
        struct https_transport *h;
        struct buf *out;
        struct partial *partial; /* NULL: to out */
};

static int on_begin(void *ctx, const struct https_response *answer, struct err *err) {
        struct get *g = ctx;
        /* Weak entity tags do not say that the bytes are the same; dates do, as far as a server is honest, and a signed hash
         * tells if it is not. */
        bool strong = https_validator_strong(answer->etag);

        if (!g->partial)
                return 0;
        if (answer->resumed)
                g->h->base.stats.resumed++;
        return partial_begin(g->partial, answer->resumed, strong ? answer->etag : answer->last_modified, err);
}

static int on_data(void *ctx, const void *p, size_t n, struct err *err) {
        struct get *g = ctx;
        int r = transport_received(&g->h->base, n, err);

        if (r < 0)
                return r;
        if (g->partial)
                return partial_append(g->partial, p, n, err);
        r = buf_append(g->out, p, n);
        return r < 0 ? err_errno(err, r, "answer") : 0;
}

/* One request. */
static int get(struct get *g, const char *url, uint64_t max, const struct transport_seen *seen, struct https_response *ret,
               struct err *err) {
        struct https_transport *h = g->h;
        const struct transport_request *from = &h->base.req;
        struct https_request req = {
                .url = url,
                .session = h->session,
                .etag = seen && seen->etag[0] ? seen->etag : NULL,
                .last_modified = seen && seen->last_modified[0] ? seen->last_modified : NULL,
                .ca = from->ca,
                .certificate = from->certificate,
                .key = from->key,
                .token = from->token,
                .user = from->user,
                .proxy = from->proxy,
                .ports = h->ports,
                .n_ports = h->n_ports,
                .max_bytes = max,
                .low_speed_s = from->low_speed_s,
                .begin = on_begin,
                .data = on_data,
                .ctx = g,
        };
        int r = transport_time_left(&h->base, &req.timeout_ms, err);

        *ret = (struct https_response){};
        if (r < 0)
                return r;
        if (g->partial && g->partial->size > 0 && g->partial->validator[0]) {
                req.offset = g->partial->size;
                req.if_range = g->partial->validator;
        }
        h->base.stats.requests++;
        r = https_get(&req, ret, err);
        h->base.stats.http_status = ret->status;
        h->base.stats.retry_after_s = r < 0 ? ret->retry_after_s : 0;
        return r;
}

static int https_transport_get(struct transport *t, const char *path, uint64_t max, struct transport_seen *seen,
                               bool *ret_changed, struct buf *out, struct err *err) {
        struct get g = {.h = (struct https_transport *)t, .out = out};
        cleanup_buf struct buf url = {};
        struct https_response answer;
        int r = transport_url_join(t->req.url, path, &url, err);

        if (r == 0)
                r = get(&g, url.data, max, seen, &answer, err);
        if (r < 0)
                return r;
        *ret_changed = !answer.not_modified;
        if (seen && *ret_changed) {
                strcpy(seen->etag, answer.etag);
                strcpy(seen->last_modified, answer.last_modified);
        }
        return 0;
}

/* Worth another try at once: the connection broke, or it stalled, after it had brought something. */
static bool broken(const struct https_response *answer, int r, const struct partial *p, uint64_t before) {
        return (r == -EIO || r == -ETIMEDOUT) && (answer->status == 200 || answer->status == 206) && p->validator[0] &&
               p->size > before;
}

static int file_get(struct https_transport *h, const char *url, uint64_t max, struct partial *p, struct err *err) {
        struct get g = {.h = h, .partial = p};
        struct https_response answer;
        int r = 0;

        for (int i = 0; i < ATTEMPTS_MAX; i++) {
                uint64_t before = p->size;

                r = get(&g, url, max, NULL, &answer, err);
                if (r == -ERANGE || (r == -EPROTO && answer.status == 206)) {
                        /* What is kept is no beginning of what is there now. Once, for then there is nothing kept. */
                        r = partial_restart(p, err);
                        if (r < 0)
                                return r;
                        r = get(&g, url, max, NULL, &answer, err);
                        before = 0;
                }
                if (r == 0 || !broken(&answer, r, p, before))
                        return r;
        }
        return r;
}

static int https_transport_get_file(struct transport *t, const char *path, uint64_t max, int *ret_fd, struct err *err) {
        struct https_transport *h = (struct https_transport *)t;
        cleanup_buf struct buf url = {};
        struct partial p = PARTIAL_INIT;
        int r = transport_url_join(t->req.url, path, &url, err);

        if (r == 0)
                r = partial_open(&p, t->req.spool, path, max, err);
        if (r == 0)
                r = file_get(h, url.data, max, &p, err);
        if (r == -ENOENT || r == -EFBIG)
                partial_restart(&p, NULL);
        if (r == 0)
                r = partial_take(&p, ret_fd, err);
        partial_close(&p);
        return r;
}

static void https_transport_close(struct transport *t) {
        https_session_free(((struct https_transport *)t)->session);
        free(t);
}

static const struct transport_ops https_ops = {
        .get = https_transport_get, .get_file = https_transport_get_file, .close = https_transport_close};

int transport_https_new(const struct transport_request *req, struct transport **ret, struct err *err) {
        cleanup_buf struct buf url = {};
        struct https_transport *h;
        int r = transport_url_join(req->url, "x", &url, err);

        if (r < 0)
                return r;
        h = calloc(1, sizeof(*h));
        if (!h)
                return err_errno(err, -ENOMEM, "source");
        h->base = (struct transport){.ops = &https_ops, .req = *req};
        r = https_ports(url.data, req->proxy, h->ports, &h->n_ports, err);
        if (r == 0 && !(h->session = https_session_new()))
                r = err_errno(err, -ENOMEM, "source");
        if (r < 0) {
                free(h);
                return r;
        }
        *ret = &h->base;
        return 0;
}
