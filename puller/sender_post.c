/* SPDX-License-Identifier: Apache-2.0 */
#include "sender_post.h"

#include <fcntl.h>

#include "fetch_credential.h"
#include "fileio.h"

#define CREDENTIAL_MAX (1u << 20)
#define TOKEN_MAX 4096
#define ANSWER_MAX (64u << 10)
#define TIMEOUT_MS 30000
#define LOW_SPEED_S 15
#define DNS_PORT 53 /* TCP: answers that do not fit a datagram */

static int file_load(const char *path, struct buf *b, struct err *err) {
        return *path ? file_read(AT_FDCWD, path, CREDENTIAL_MAX, b, err) : 0;
}

static int token_load(const char *path, struct buf *b, struct err *err) {
        cleanup_fd int fd = -1;
        const char *token;
        int r;

        if (!*path)
                return 0;
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return err_errno(err, -errno, "%s", path);
        r = token_read(fd, TOKEN_MAX, b, &token, err);
        return r < 0 ? err_wrap(err, r, "%s", path) : 0;
}

int sender_post_prepare(struct sender_post *p, const struct sender_spec *spec, struct err *err) {
        int r;

        *p = (struct sender_post){.spec = spec};
        r = https_is_loopback(spec->url) ? https_ports_plain(spec->url, p->ports, &p->n_ports, err)
                                         : https_ports(spec->url, NULL, p->ports, &p->n_ports, err);
        p->ports[p->n_ports++] = DNS_PORT;
        if (r >= 0)
                r = file_load(spec->ca, &p->ca, err);
        if (r >= 0)
                r = file_load(spec->certificate, &p->certificate, err);
        if (r >= 0)
                r = file_load(spec->key, &p->key, err);
        if (r >= 0)
                r = token_load(spec->token, &p->token, err);
        if (r < 0)
                return r;
        p->session = https_session_new();
        return p->session ? 0 : err_errno(err, -ENOMEM, "libcurl");
}

void sender_post_done(struct sender_post *p) {
        https_session_free(p->session);
        buf_done(&p->ca);
        buf_done(&p->certificate);
        buf_wipe(&p->key);
        buf_wipe(&p->token);
}

static int on_answer(void *ctx, const void *data, size_t n, struct err *err) {
        return buf_append(ctx, data, n);
}

static enum sender_verdict verdict(int status) {
        switch (status) {
        case 400:
        case 413:
        case 415:
        case 422:
                return SENDER_REFUSED;
        case 408:
        case 425:
        case 429:
                return SENDER_LATER;
        default:
                return status >= 300 && status < 500 ? SENDER_DENIED : SENDER_LATER;
        }
}

enum sender_verdict sender_post(struct sender_post *p, const struct buf *body, uint64_t *ret_rejected, int *ret_retry_s,
                                struct err *err) {
        const bool loki = p->spec->format == SENDER_LOKI;
        cleanup_buf struct buf answer = {0};
        struct https_response response;
        const struct https_request req = {
                .url = p->spec->url,
                .plain_http = https_is_loopback(p->spec->url),
                .session = p->session,
                .ca = p->ca.data ? &p->ca : NULL,
                .certificate = p->certificate.data ? &p->certificate : NULL,
                .key = p->key.data ? &p->key : NULL,
                .token = p->token.len ? p->token.data : NULL,
                .scheme = p->spec->format == SENDER_SPLUNK ? "Splunk" : NULL,
                .header_name = loki && *p->spec->tenant ? "X-Scope-OrgID" : NULL,
                .header_value = p->spec->tenant,
                .ports = p->ports,
                .n_ports = p->n_ports - 1, /* DNS is not for it */
                .max_bytes = ANSWER_MAX,
                .timeout_ms = TIMEOUT_MS,
                .low_speed_s = LOW_SPEED_S,
                .no_redirects = true,
                .post = body,
                .post_type = "application/json",
                .data = on_answer,
                .ctx = &answer,
        };
        int r = https_get(&req, &response, err);

        *ret_rejected = 0;
        *ret_retry_s = response.retry_after_s;
        if (r >= 0) {
                *ret_rejected = sender_rejected(p->spec->format, answer.data, answer.len);
                return SENDER_ACCEPTED;
        }
        /* It has taken it; what else it had to say was too much, or was cut off. */
        if (response.status >= 200 && response.status < 300 && r == -EFBIG)
                return SENDER_ACCEPTED;
        return verdict(response.status);
}
