/* SPDX-License-Identifier: Apache-2.0 */
/* A transfer that goes on only as far as somebody reads it, so that what has not been read yet stays small. */
#include "https_parts.h"

#define WAIT_MS 1000 /* libcurl has its own time-outs to look after */

struct https_stream {
        struct transfer transfer;
        struct https_response response;
        struct https_session *session, *own;
        struct buf got; /* received and not yet read: what libcurl hands over at once, some hundred KiB */
        size_t read;    /* of that */
        bool added, ended;
        int failed;
        struct err err;
};

static int on_data(void *ctx, const void *p, size_t n, struct err *err) {
        struct https_stream *s = ctx;
        int r = buf_append(&s->got, p, n);

        return r < 0 ? err_errno(err, r, "answer") : 0;
}

void https_stream_close(struct https_stream *s) {
        if (!s)
                return;
        if (s->added)
                curl_multi_remove_handle(s->session->multi, s->session->curl);
        https_transfer_done(&s->transfer);
        https_session_free(s->own);
        buf_done(&s->got);
        free(s);
}

static void stream_close_p(struct https_stream **s) {
        https_stream_close(*s);
}

int https_stream_open(const struct https_request *req, struct https_stream **ret, struct err *err) {
        cleanup(stream_close_p) struct https_stream *s = calloc(1, sizeof(*s));
        struct https_request pulled = *req;
        int r;

        if (!s)
                return err_errno(err, -ENOMEM, "stream");
        s->session = req->session ? req->session : (s->own = https_session_new());
        if (s->session && !s->session->multi)
                s->session->multi = curl_multi_init();
        if (!s->session || !s->session->multi)
                return err_errno(err, -ENOMEM, "libcurl");
        pulled.data = on_data;
        pulled.ctx = s;
        pulled.begin = NULL;
        r = https_transfer_init(&s->transfer, &pulled, s->session->curl, &s->response, &s->err);
        if (r < 0) {
                if (err)
                        *err = s->err;
                return err_wrap(err, r, "%.*s", https_shown(req->url), req->url);
        }
        if (curl_multi_add_handle(s->session->multi, s->session->curl) != CURLM_OK)
                return err_errno(err, -ENOMEM, "libcurl");
        s->added = true;
        *ret = steal_pointer(s);
        return 0;
}

/* One step of the transfer. Sets s->ended, and s->failed with s->err. */
static void step(struct https_stream *s) {
        CURLM *multi = s->session->multi;
        int running = 0, left;
        CURLMcode c = curl_multi_perform(multi, &running);
        CURLMsg *m = NULL;

        if (c == CURLM_OK && running && s->got.len == 0)
                c = curl_multi_poll(multi, NULL, 0, WAIT_MS, NULL);
        if (c != CURLM_OK) {
                s->failed = err_set(&s->err, -EIO, REASON_NONE, "libcurl: %s", curl_multi_strerror(c));
                return;
        }
        while ((m = curl_multi_info_read(multi, &left)))
                if (m->msg == CURLMSG_DONE && m->easy_handle == s->session->curl) {
                        s->ended = true;
                        s->failed = https_transfer_answer(&s->transfer, m->data.result);
                        return;
                }
        if (!running) /* it cannot have ended without saying how */
                s->failed = err_set(&s->err, -EIO, REASON_NONE, "libcurl: the transfer is lost");
}

int https_stream_read(struct https_stream *s, void *p, size_t n, size_t *ret_n, struct err *err) {
        size_t left;

        while (s->got.len == s->read && !s->ended && s->failed == 0) {
                s->got.len = s->read = 0;
                step(s);
        }
        left = s->got.len - s->read;
        /* What came before a failure is handed out first: it may be why the other end closed the connection. */
        if (left == 0 && s->failed < 0) {
                const char *url = s->transfer.req.url;

                if (err)
                        *err = s->err;
                return err_wrap(err, s->failed, "%.*s", https_shown(url), url);
        }
        if (n > left)
                n = left;
        if (n > 0)
                memcpy(p, s->got.data + s->read, n);
        s->read += n;
        *ret_n = n;
        return 0;
}

const struct https_response *https_stream_response(const struct https_stream *s) {
        return &s->response;
}
