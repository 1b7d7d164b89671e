/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fetcher: the child that touches bytes which nobody has verified yet. It takes one request, enters its sandbox, obtains
 * the archive, reads it with the same code as everyone else, and hands over sealed memory files. Its verdict is advice.
 */
#include <fcntl.h>
#include <stdio.h>

#include "child.h"
#include "fetch.h"
#include "fetch_credential.h"
#include "fetch_deliver.h"
#include "fetch_proto.h"
#include "fileio.h"
#include "https.h"
#include "transport.h"

#define ADDRESS_SPACE_MAX (1ULL << 30) /* the archive's window, the manifest, TLS; content is in memory files */
#define CA_MAX (4u << 20)
#define CREDENTIAL_MAX (64u << 10)
#define DNS_PORT 53

/* Lives as long as the process: nothing of it is ever freed. */
struct job {
        int sock;
        struct fetch_start start;
        char *strings;
        const char *url, *etag, *last_modified, *proxy; /* in strings; NULL when empty */
        const char *pems;                               /* the rest of strings */
        size_t pems_len;
        int fds[GIVEN_COUNT]; /* -1: not given */
        struct keyring ring;
        int download;
};

/* ---- the request ---- */

static const char *string_next(const char **p, const char *end) {
        const char *s = *p;
        size_t n = strnlen(s, end - s);

        if (s + n >= end)
                return NULL;
        *p = s + n + 1;
        return s;
}

static int strings_split(struct job *j, const char *p, size_t n) {
        const char **const to[] = {&j->url, &j->etag, &j->last_modified, &j->proxy};
        const char *at, *end;

        j->strings = malloc(n ? n : 1);
        if (!j->strings)
                return -ENOMEM;
        memcpy(j->strings, p, n);
        at = j->strings;
        end = at + n;
        for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
                const char *s = string_next(&at, end);

                if (!s)
                        return -EBADMSG;
                *to[i] = *s ? s : NULL;
        }
        j->pems = at;
        j->pems_len = end - at;
        return 0;
}

static int job_receive(struct job *j, struct err *err) {
        cleanup_free char *packet = malloc(FETCH_PACKET_MAX);
        size_t n_fds = GIVEN_COUNT, next = 0;
        int fds[GIVEN_COUNT], r;
        ssize_t n;

        if (!packet)
                return err_errno(err, -ENOMEM, "request");
        n = msg_recv(j->sock, packet, FETCH_PACKET_MAX, fds, &n_fds);
        if (n < 0)
                return err_errno(err, n, "request");
        for (size_t i = 0; i < GIVEN_COUNT && n >= (ssize_t)sizeof(j->start); i++)
                if (((struct fetch_start *)packet)->given & 1U << i && next < n_fds)
                        j->fds[i] = fds[next++];
        if (n < (ssize_t)sizeof(j->start) || next != n_fds) {
                while (next < n_fds)
                        close(fds[next++]);
                return err_errno(err, -EBADMSG, "request");
        }
        memcpy(&j->start, packet, sizeof(j->start));
        r = strings_split(j, packet + sizeof(j->start), n - sizeof(j->start));
        if (r < 0)
                return err_errno(err, r, "request");
        if (!j->url && j->fds[GIVEN_INPUT] < 0)
                return err_set(err, -EBADMSG, REASON_NONE, "request: nothing to fetch");
        return 0;
}

static int keys_parse(struct job *j, struct err *err) {
        const char *at = j->pems, *end = at + j->pems_len;

        for (uint32_t i = 0; i < j->start.n_keys; i++) {
                const char *pem = string_next(&at, end);
                int r = pem ? keyring_add_pem(&j->ring, pem, strlen(pem), err) : err_errno(err, -EBADMSG, "keys");

                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- the sandbox ---- */

static int sandbox(struct job *j, const uint16_t *ports, size_t n_ports, struct sandbox_report *ret, struct err *err) {
        uint64_t content = j->start.max_content, archive = j->start.max_archive;
        struct sandbox_spec spec = {
                .uid = j->start.uid,
                .gid = j->start.gid,
                .profile = j->url ? SANDBOX_NETWORK : SANDBOX_PARSE,
                .readable = transport_readable(j->url),
                .writable_dir = -1,
                .ports = ports,
                .n_ports = n_ports,
                .max_memory = ADDRESS_SPACE_MAX,
                .max_file = (content > archive ? content : archive) + (1 << 20),
        };

        return sandbox_enter(&spec, ret, err);
}

/* ---- the network ---- */

static int on_download(void *ctx, const void *p, size_t n, struct err *err) {
        struct job *j = ctx;
        int r = fd_write_all(j->download, p, n);

        return r < 0 ? err_errno(err, r, "memory file") : 0;
}

static int download(struct job *j, const uint16_t *ports, size_t n_ports, struct https_response *ret, struct err *err) {
        cleanup_buf struct buf ca = {}, certificate = {}, key = {}, token = {};
        struct https_request req = {
                .url = j->url,
                .etag = j->etag,
                .last_modified = j->last_modified,
                .proxy = j->proxy,
                .ports = ports,
                .n_ports = n_ports,
                .max_bytes = j->start.max_archive,
                .timeout_ms = j->start.timeout_ms,
                .low_speed_s = j->start.low_speed_s,
                .data = on_download,
                .ctx = j,
        };
        int r;

        r = credential_read(j->fds[GIVEN_CA], CA_MAX, "CA", &ca, &req.ca, err);
        if (r == 0)
                r = credential_read(j->fds[GIVEN_CERTIFICATE], CREDENTIAL_MAX, "client certificate", &certificate,
                                    &req.certificate, err);
        if (r == 0)
                r = credential_read(j->fds[GIVEN_KEY], CREDENTIAL_MAX, "client key", &key, &req.key, err);
        if (r == 0)
                r = token_read(j->fds[GIVEN_TOKEN], CREDENTIAL_MAX, &token, &req.token, err);
        if (r < 0)
                return r;
        j->download = fetch_memory_file("archive");
        if (j->download < 0)
                return err_errno(err, j->download, "memory file");
        r = https_get(&req, ret, err);
        if (r < 0)
                return r;
        return lseek(j->download, 0, SEEK_SET) < 0 ? err_errno(err, -errno, "memory file") : 0;
}

/* ---- the whole ---- */

static int hand_over(const struct job *j, struct err *err) {
        const struct bundle_trust trust = {.ring = &j->ring, .threshold = j->start.threshold};
        const struct bundle_limits limits = {
                .max_archive = j->start.max_archive, .max_content = j->start.max_content, .max_members = j->start.max_members};

        return bundle_deliver(j->sock, j->url ? j->download : j->fds[GIVEN_INPUT], &trust, &limits, err);
}

static int serve(struct job *j, struct fetch_packet *answer, struct err *err) {
        uint16_t ports[HTTPS_PORTS_MAX + 1];
        struct https_response response = {};
        size_t n_ports = 0;
        int r;

        r = job_receive(j, err);
        if (r < 0)
                return r;
        if (j->url) {
                r = https_ports(j->url, j->proxy, ports, &n_ports, err);
                if (r < 0)
                        return r;
                ports[n_ports++] = DNS_PORT; /* answers that do not fit a datagram */
        }
        answer->message = FETCH_SANDBOXED;
        r = sandbox(j, ports, n_ports, &answer->sandbox, err);
        if (r < 0)
                return r;
        r = fetch_packet_send(j->sock, answer, NULL, 0, err);
        if (r < 0)
                return r;
        r = keys_parse(j, err);
        if (r < 0)
                return r;
        if (j->url) {
                r = download(j, ports, n_ports, &response, err);
                answer->retry_after_s = response.retry_after_s;
                answer->http_status = response.status;
                if (r < 0)
                        return r;
        }
        answer->message = response.not_modified ? FETCH_NOT_MODIFIED : FETCH_DONE;
        _Static_assert(sizeof(answer->etag) >= sizeof(response.etag), "an entity tag fits");
        strcpy(answer->etag, response.etag);
        strcpy(answer->last_modified, response.last_modified);
        if (response.not_modified)
                return 0;
        return hand_over(j, err);
}

int fetcher_main(int sock) {
        struct job j = {.sock = sock, .download = -1};
        struct fetch_packet answer = {};
        struct err err = {};
        int r;

        for (size_t i = 0; i < GIVEN_COUNT; i++)
                j.fds[i] = -1;
        if (fetch_begin(sock) < 0)
                return EXIT_FAILURE;
        r = serve(&j, &answer, &err);
        fetch_end(sock, &answer, r, &err);
}
