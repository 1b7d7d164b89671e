/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch.h"

#include <fcntl.h>
#include <stdio.h>

#include "fetch_exchange.h"
#include "https.h"

#define S 1000000000LL
#define MS 1000000LL
#define TIMEOUT_DEFAULT (600 * S)
#define LOW_SPEED_DEFAULT_S 30

void fetched_done(struct fetched *f) {
        release_done(&f->release);
        free(f->etag);
        free(f->last_modified);
        *f = FETCHED_INIT;
}

/* ---- to the child ---- */

static int string_append(struct buf *b, const char *s) {
        return buf_append(b, s ? s : "", s ? strlen(s) + 1 : 1);
}

static int request_format(const struct fetch_request *req, const struct bundle_trust *trust, uint32_t given, struct buf *b,
                          struct err *err) {
        int64_t timeout_ms = (req->timeout_ns > 0 ? req->timeout_ns : TIMEOUT_DEFAULT) / MS;
        struct fetch_start start = {
                .given = given,
                .n_keys = trust->ring->n,
                .threshold = trust->threshold,
                .max_archive = req->limits.max_archive,
                .max_content = req->limits.max_content,
                .max_members = req->limits.max_members,
                /* it gives up before we do, so that its message says why */
                .timeout_ms = timeout_ms < UINT32_MAX ? timeout_ms * 9 / 10 : UINT32_MAX / 2,
                .low_speed_s = req->low_speed_s ? req->low_speed_s : LOW_SPEED_DEFAULT_S,
                .uid = req->uid,
                .gid = req->gid,
        };
        const char *const strings[] = {req->url, req->etag, req->last_modified, req->proxy};
        int r = buf_append(b, &start, sizeof(start));

        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(strings); i++)
                r = string_append(b, strings[i]);
        for (size_t i = 0; r == 0 && i < trust->ring->n; i++) {
                r = pubkey_pem(&trust->ring->keys[i], b, err);
                if (r == 0)
                        r = buf_append(b, "", 1);
        }
        if (r < 0)
                return err_errno(err, r, "request");
        if (b->len > FETCH_PACKET_MAX)
                return err_set(err, -E2BIG, REASON_TOO_LARGE, "too long a URL, or too many keys");
        return 0;
}

/* The files are opened here, so that the child needs no right to. */
static int files_open(const struct fetch_request *req, int fds[static GIVEN_COUNT], struct err *err) {
        const struct {
                enum fetch_given which;
                const char *name, *path;
        } files[] = {
                {GIVEN_CA, "CA file", req->ca},
                {GIVEN_CERTIFICATE, "client certificate", req->certificate},
                {GIVEN_KEY, "client key", req->client_key},
                {GIVEN_TOKEN, "token file", req->token},
        };

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                if (!files[i].path)
                        continue;
                fds[files[i].which] = open(files[i].path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
                if (fds[files[i].which] < 0)
                        return err_set(err, -errno, REASON_CONFIG, "%s '%s': %s", files[i].name, files[i].path, strerror(errno));
        }
        return 0;
}

static int request_send(struct fetch_call *c, const struct fetch_request *req, struct fetched *ret, struct err *err) {
        int all[GIVEN_COUNT] = {-1, -1, -1, -1, -1}, fds[GIVEN_COUNT], r;
        cleanup_buf struct buf packet = {};
        uint32_t given = 0;
        size_t n = 0;

        r = req->url ? files_open(req, all, err) : 0;
        if (!req->url)
                all[GIVEN_INPUT] = req->fd;
        for (size_t i = 0; i < GIVEN_COUNT; i++)
                if (all[i] >= 0) {
                        given |= 1U << i;
                        fds[n++] = all[i];
                }
        if (r == 0)
                r = request_format(req, c->in.trust, given, &packet, err);
        if (r == 0)
                r = fetch_call(c, req->exe, "@fetcher", &packet, fds, n, ret, err);
        for (size_t i = GIVEN_INPUT + 1; i < GIVEN_COUNT; i++)
                close_p(&all[i]);
        return r;
}

static int request_check(const struct fetch_request *req, const struct bundle_trust *trust, struct err *err) {
        uint16_t ports[HTTPS_PORTS_MAX];
        size_t n;

        if (!bundle_trust_decides(trust))
                return err_set(err, -EINVAL, REASON_UNKNOWN_KEY, "no key is trusted");
        if (!req->url && req->fd < 0)
                return err_set(err, -EINVAL, REASON_USAGE, "nothing to fetch");
        if (!req->certificate != !req->client_key)
                return err_set(err, -EINVAL, REASON_CONFIG, "a client certificate and its key come together, or not at all");
        return req->url ? https_ports(req->url, req->proxy, ports, &n, err) : 0;
}

int fetch_bundle(const struct fetch_request *req, const struct bundle_trust *trust, struct waiter *w, struct fetched *ret,
                 struct err *err) {
        cleanup_fetch_call struct fetch_call c = {
                .in = {.trust = trust, .limits = &req->limits},
                .conditional = req->url && (req->etag || req->last_modified),
                .waiter = w,
                .deadline_ns = monotonic_ns() + (req->timeout_ns > 0 ? req->timeout_ns : TIMEOUT_DEFAULT),
                FETCH_CALL_INIT,
        };
        int r;

        *ret = FETCHED_INIT;
        r = request_check(req, trust, err);
        return r < 0 ? r : request_send(&c, req, ret, err);
}
