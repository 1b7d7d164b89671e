/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "child.h"
#include "fetch_intake.h"
#include "fetch_proto.h"
#include "fileio.h"
#include "https.h"
#include "text.h"

#define S 1000000000LL
#define MS 1000000LL
#define TIMEOUT_DEFAULT (600 * S)
#define LOW_SPEED_DEFAULT_S 30
#define END_WAIT (2 * S) /* for the exit status of a child that has closed its socket */
#define RETRY_AFTER_MAX (24 * 3600)

/* What has come from the child so far. */
struct exchange {
        const struct fetch_request *req;
        struct intake in;
        struct waiter *waiter;
        int64_t deadline_ns;
        struct child child;
        bool sandboxed;
};

static void exchange_done(struct exchange *x) {
        child_kill(&x->child);
        intake_done(&x->in);
}
#define cleanup_exchange cleanup(exchange_done)

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

static int request_send(struct exchange *x, struct err *err) {
        const struct fetch_request *req = x->req;
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
                r = request_format(req, x->in.trust, given, &packet, err);
        if (r == 0) {
                r = msg_send(x->child.sock, packet.data, packet.len, fds, n);
                if (r == -EPIPE) /* it has ended already; how, is told when its answer is waited for */
                        r = 0;
                if (r < 0)
                        err_errno(err, r, "request");
        }
        for (size_t i = GIVEN_INPUT + 1; i < GIVEN_COUNT; i++)
                close_p(&all[i]);
        return r;
}

/* ---- from the child: hostile ---- */

/* The child's reasons that make sense of a download; no other may be put into its mouth. */
static enum reason reason_checked(const char *word) {
        enum reason reason = reason_from_word(word);

        if (reason == REASON_CONFIG || (reason >= REASON_BAD_SIGNATURE && reason <= REASON_TRUNCATED))
                return reason;
        return REASON_NONE;
}

static int failure_take(struct fetch_packet *p, struct fetched *ret, struct err *err) {
        char text[512];
        enum reason reason;

        p->reason[sizeof(p->reason) - 1] = 0;
        p->text[sizeof(p->text) - 1] = 0;
        reason = reason_checked(p->reason);
        text_clean(text, sizeof(text), p->text);
        if (p->retry_after_s > 0)
                ret->retry_after_s = p->retry_after_s < RETRY_AFTER_MAX ? p->retry_after_s : RETRY_AFTER_MAX;
        return err_set(err, reason == REASON_NONE ? -EIO : -EBADMSG, reason, "%s",
                       text[0] ? text : "failed, and does not say why");
}

static int validator_keep(char *text, size_t size, char **ret) {
        text[size - 1] = 0;
        if (!https_validator_valid(text))
                return 0;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

static int done_take(struct exchange *x, struct fetch_packet *p, struct fetched *ret, struct err *err) {
        cleanup_fetched struct fetched f = {.sandbox = ret->sandbox, .http_status = ret->http_status};
        int r;

        child_kill(&x->child);
        r = intake_finish(&x->in, &f.release, err);
        if (r < 0)
                return r;
        if (validator_keep(p->etag, sizeof(p->etag), &f.etag) < 0 ||
            validator_keep(p->last_modified, sizeof(p->last_modified), &f.last_modified) < 0)
                return err_errno(err, -ENOMEM, "validators");
        *ret = f;
        f = FETCHED_INIT;
        return 0;
}

static bool conditional(const struct fetch_request *req) {
        return req->url && (req->etag || req->last_modified);
}

/* 0: more is to come; 1: the end. Takes over the descriptors it keeps, by setting them to -1. */
static int packet_take(struct exchange *x, struct fetch_packet *p, int *fds, size_t n_fds, struct fetched *ret, struct err *err) {
        static const size_t brings[] = {[FETCH_MANIFEST] = 2, [FETCH_MEMBER] = 1, [FETCH_FAILED] = 0};
        int r;

        if (p->message < FETCH_SANDBOXED || p->message > FETCH_FAILED || n_fds != brings[p->message])
                return intake_nonsense(err, "an unknown message, or the wrong descriptors");
        if (p->http_status > 0 && p->http_status < 1000)
                ret->http_status = p->http_status;
        if (p->message == FETCH_FAILED) /* even before the sandbox: that may be what failed */
                return failure_take(p, ret, err);
        if (x->sandboxed == (p->message == FETCH_SANDBOXED))
                return intake_nonsense(err, "messages in the wrong order");

        switch (p->message) {
        case FETCH_SANDBOXED:
                x->sandboxed = true;
                ret->sandbox = p->sandbox;
                return 0;
        case FETCH_MANIFEST:
                return intake_manifest(&x->in, fds, err);
        case FETCH_MEMBER:
                return intake_member(&x->in, p->member, &fds[0], err);
        case FETCH_NOT_MODIFIED:
                if (!conditional(x->req) || x->in.bytes.data)
                        return intake_nonsense(err, "\"not modified\" answers another question");
                ret->not_modified = true;
                return 1;
        default:
                r = done_take(x, p, ret, err);
                return r < 0 ? r : 1;
        }
}

static int ended(struct exchange *x, struct err *err) {
        int status;

        if (child_wait(&x->child, x->waiter, monotonic_ns() + END_WAIT, &status) < 0)
                return err_set(err, -EIO, REASON_NONE, "the fetcher has closed its socket without an answer");
        if (WIFSIGNALED(status))
                return err_set(err, -EIO, REASON_NONE, "the fetcher was killed by signal %d (%s)", WTERMSIG(status),
                               strsignal(WTERMSIG(status)));
        return err_set(err, -EIO, REASON_NONE, "the fetcher has ended without an answer (exit status %d)", WEXITSTATUS(status));
}

static int packet_receive(struct exchange *x, struct fetched *ret, struct err *err) {
        struct fetch_packet p;
        size_t n_fds = 2;
        int fds[2], r;
        ssize_t n;

        n = msg_recv_wait(x->child.sock, x->waiter, x->deadline_ns, &p, sizeof(p), fds, &n_fds);
        if (n == -ETIMEDOUT)
                return err_set(err, n, REASON_NONE, "the fetcher has not finished in time");
        if (n == -ECANCELED)
                return err_set(err, n, REASON_NONE, "called off");
        if (n == -EBADMSG)
                return intake_nonsense(err, "too long a message, or too many descriptors");
        if (n < 0)
                return err_errno(err, n, "fetcher");
        if (n == 0)
                return ended(x, err);
        r = n == sizeof(p) ? packet_take(x, &p, fds, n_fds, ret, err) : intake_nonsense(err, "too short a message");
        for (size_t i = 0; i < n_fds; i++)
                close_p(&fds[i]);
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
        struct child_spec spec = {.exe = req->exe, .role = "@fetcher", .cgroup = -1};
        cleanup_exchange struct exchange x = {
                .req = req,
                .in = {.trust = trust, .limits = &req->limits},
                .waiter = w,
                .deadline_ns = monotonic_ns() + (req->timeout_ns > 0 ? req->timeout_ns : TIMEOUT_DEFAULT),
                .child = CHILD_INIT,
        };
        int r;

        *ret = FETCHED_INIT;
        r = request_check(req, trust, err);
        if (r < 0)
                return r;
        r = child_spawn(&spec, &x.child, err);
        if (r < 0)
                return r;
        r = request_send(&x, err);
        while (r == 0)
                r = packet_receive(&x, ret, err);
        return r < 0 ? r : 0;
}
