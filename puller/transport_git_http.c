/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Git's smart protocol over our own HTTPS: one TLS stack, with client certificates (Debian's libgit2 has neither), the same caps.
 * Redirects are not followed: it would not be the repository that was configured.
 */
#include "transport_git.h"

#define ADVERTISEMENT "application/x-git-upload-pack-advertisement"
#define REQUEST "application/x-git-upload-pack-request"
#define RESULT "application/x-git-upload-pack-result"
#define REQUEST_MAX (4u << 20) /* what we have and want; a shallow store has few commits */

struct http_way {
        git_smart_subtransport parent;
        struct branch_transport *t;
};

/* One request and its answer. */
struct exchange {
        git_smart_subtransport_stream parent;
        struct branch_transport *t;
        struct buf url, body;
        struct https_request req;
        struct https_stream *stream; /* NULL: not sent yet */
};

static int exchange_send(struct exchange *x) {
        struct branch_transport *t = x->t;
        const struct transport_request *from = &t->base.req;
        int r = transport_time_left(&t->base, &x->req.timeout_ms, &t->failure);

        if (r < 0)
                return r;
        x->req.url = x->url.data;
        x->req.session = t->session;
        x->req.ca = from->ca;
        x->req.certificate = from->certificate;
        x->req.key = from->key;
        x->req.token = from->token;
        x->req.user = t->address.user[0] ? t->address.user : from->user ? from->user : "git";
        x->req.proxy = from->proxy;
        x->req.ports = t->ports;
        x->req.n_ports = t->n_ports;
        x->req.max_bytes = transport_bytes_left(&t->base);
        x->req.low_speed_s = from->low_speed_s;
        x->req.no_redirects = true;
        if (x->req.post_type)
                x->req.post = &x->body;
        t->base.stats.requests++;
        return https_stream_open(&x->req, &x->stream, &t->failure);
}

static int exchange_read(git_smart_subtransport_stream *stream, char *p, size_t size, size_t *ret_n) {
        struct exchange *x = (struct exchange *)stream;
        struct branch_transport *t = x->t;
        int r;

        if (t->failed < 0)
                return GIT_EUSER;
        r = x->stream ? 0 : exchange_send(x);
        if (r == 0)
                r = https_stream_read(x->stream, p, size, ret_n, &t->failure);
        if (r < 0 && x->stream)
                t->base.stats.retry_after_s = https_stream_response(x->stream)->retry_after_s;
        if (x->stream)
                t->base.stats.http_status = https_stream_response(x->stream)->status;
        if (r == 0)
                r = transport_received(&t->base, *ret_n, &t->failure);
        return branch_callback(t, r);
}

static int exchange_write(git_smart_subtransport_stream *stream, const char *p, size_t n) {
        struct exchange *x = (struct exchange *)stream;
        int r = n > REQUEST_MAX - x->body.len ? -EFBIG : buf_append(&x->body, p, n);

        return branch_callback(x->t, r < 0 ? err_errno(&x->t->failure, r, "request") : 0);
}

static void exchange_free(git_smart_subtransport_stream *stream) {
        struct exchange *x = (struct exchange *)stream;

        https_stream_close(x->stream);
        buf_done(&x->url);
        buf_done(&x->body);
        free(x);
}

static int on_action(git_smart_subtransport_stream **ret, git_smart_subtransport *way, const char *url,
                     git_smart_service_t action) {
        struct branch_transport *t = ((struct http_way *)way)->t;
        struct exchange *x = calloc(1, sizeof(*x));
        int r = x ? 0 : -ENOMEM;

        if (r == 0 && action == GIT_SERVICE_UPLOADPACK_LS) {
                x->req.want_type = ADVERTISEMENT;
                r = buf_printf(&x->url, "%s/info/refs?service=git-upload-pack", t->address.url);
        } else if (r == 0 && action == GIT_SERVICE_UPLOADPACK) {
                x->req.want_type = RESULT;
                x->req.post_type = REQUEST;
                r = buf_printf(&x->url, "%s/git-upload-pack", t->address.url);
        } else if (r == 0) {
                r = -EINVAL; /* pushing */
        }
        if (r < 0) {
                if (x)
                        buf_done(&x->url);
                free(x);
                return branch_callback(t, err_errno(&t->failure, r, "request"));
        }
        x->parent = (git_smart_subtransport_stream){
                .subtransport = way, .read = exchange_read, .write = exchange_write, .free = exchange_free};
        x->t = t;
        *ret = &x->parent;
        return 0;
}

static int on_close(git_smart_subtransport *way) {
        return 0; /* the connection is the session's */
}

static void on_free(git_smart_subtransport *way) {
        free(way);
}

int branch_http_new(git_smart_subtransport **ret, git_transport *owner, void *branch_transport) {
        struct http_way *w = calloc(1, sizeof(*w));

        if (!w)
                return -1;
        w->parent = (git_smart_subtransport){.action = on_action, .close = on_close, .free = on_free};
        w->t = branch_transport;
        *ret = &w->parent;
        return 0;
}
