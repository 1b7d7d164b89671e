/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_fetcher.h"

#include <stdio.h>

#include "child.h"
#include "fetch_credential.h"
#include "fetch_deliver.h"
#include "fileio.h"
#include "folder.h"
#include "papers.h"
#include "repo_proto.h"
#include "repo_refresh.h"

#define ADDRESS_SPACE_MAX (1ULL << 30)
#define CREDENTIAL_MAX (4u << 20)
#define FILE_SLACK (1u << 20)

/* Lives as long as the process: nothing of it is ever freed. */
struct job {
        int sock;
        struct repo_start start;
        char *packet;
        const char *strings[REPO_STRING_COUNT]; /* NULL when empty */
        const char *bundles[REPO_BUNDLES_MAX + 1];
        int fds[REPO_GIVEN_COUNT]; /* -1: not given */
        struct buf given[REPO_GIVEN_COUNT];
        struct transport_request req;
        struct transport *transport;
};

/* ---- the request ---- */

static int strings_split(struct job *j, size_t n) {
        const char *at = j->packet + sizeof(j->start), *end = j->packet + n;

        for (size_t i = 0; i < REPO_STRING_COUNT + j->start.n_bundles; i++) {
                size_t len = strnlen(at, (size_t)(end - at));

                if (at + len >= end)
                        return -EBADMSG;
                if (i < REPO_STRING_COUNT)
                        j->strings[i] = len ? at : NULL;
                else
                        j->bundles[i - REPO_STRING_COUNT] = at;
                at += len + 1;
        }
        return j->strings[REPO_URL] && at == end ? 0 : -EBADMSG;
}

static int job_receive(struct job *j, struct err *err) {
        size_t n_fds = REPO_GIVEN_COUNT, next = 0;
        int fds[REPO_GIVEN_COUNT];
        ssize_t n;

        j->packet = malloc(REPO_PACKET_MAX);
        if (!j->packet)
                return err_errno(err, -ENOMEM, "request");
        n = msg_recv(j->sock, j->packet, REPO_PACKET_MAX, fds, &n_fds);
        if (n < 0)
                return err_errno(err, (int)n, "request");
        if (n < (ssize_t)sizeof(j->start))
                return err_errno(err, -EBADMSG, "request");
        memcpy(&j->start, j->packet, sizeof(j->start));
        for (size_t i = 0; i < REPO_GIVEN_COUNT; i++)
                if (j->start.given & 1U << i && next < n_fds)
                        j->fds[i] = fds[next++];
        if (next != n_fds || j->start.n_bundles > REPO_BUNDLES_MAX || strings_split(j, (size_t)n) < 0)
                return err_errno(err, -EBADMSG, "request");
        return 0;
}

static int given_read(struct job *j, enum repo_given which, const char *name, const struct buf **ret, struct err *err) {
        return credential_read(j->fds[which], CREDENTIAL_MAX, name, &j->given[which], ret, err);
}

static int credentials_read(struct job *j, struct err *err) {
        int r = given_read(j, REPO_CA, "CA", &j->req.ca, err);

        if (r == 0)
                r = given_read(j, REPO_CERTIFICATE, "client certificate", &j->req.certificate, err);
        if (r == 0)
                r = given_read(j, REPO_KEY, "client key", &j->req.key, err);
        if (r == 0)
                r = given_read(j, REPO_SSH_KEY, "ssh key", &j->req.ssh_key, err);
        if (r == 0)
                r = given_read(j, REPO_KNOWN_HOSTS, "known hosts", &j->req.known_hosts, err);
        return r == 0 ? token_read(j->fds[REPO_TOKEN], CREDENTIAL_MAX, &j->given[REPO_TOKEN], &j->req.token, err) : r;
}

static void request_fill(struct job *j) {
        j->req = (struct transport_request){
                .kind = (enum transport_kind)j->start.kind,
                .url = j->strings[REPO_URL],
                .branch = j->strings[REPO_BRANCH],
                .proxy = j->strings[REPO_PROXY],
                .user = j->strings[REPO_USER],
                .ca = j->fds[REPO_CA] >= 0 ? &j->given[REPO_CA] : NULL, /* read when the sandbox is entered */
                .spool = j->fds[REPO_SPOOL],
                .spool_path = j->strings[REPO_SPOOL_PATH],
                .max_poll = j->start.max_poll,
                .timeout_ms = j->start.timeout_ms,
                .low_speed_s = j->start.low_speed_s,
        };
}

static int sandbox(struct job *j, struct sandbox_report *ret, struct err *err) {
        uint64_t content = j->start.max_content, received = j->start.max_poll;
        struct sandbox_spec spec = {
                .uid = j->start.uid,
                .gid = j->start.gid,
                .writable_dir = -1,
                .max_memory = ADDRESS_SPACE_MAX,
                .max_file = (content > received ? content : received) + FILE_SLACK,
        };
        struct transport_needs needs;
        int r = transport_sandbox(&j->req, &needs, &spec, err);

        spec.writable_dir = j->fds[REPO_SPOOL]; /* also where the transport needs none: metadata is kept there */
        return r < 0 ? r : sandbox_enter(&spec, ret, err);
}

/* ---- the answers ---- */

static int refresh(struct job *j, struct err *err) {
        const struct repo_refresh what = {.transport = j->transport,
                                          .spool = j->fds[REPO_SPOOL],
                                          .now = j->start.now,
                                          .ring = j->strings[REPO_RING],
                                          .bundles = j->bundles,
                                          .n_bundles = j->start.n_bundles};
        cleanup_papers struct papers papers = {};
        cleanup_buf struct buf anchor = {}, packed = {};
        cleanup_fd int fd = -1;
        int r;

        if (j->fds[REPO_ANCHOR] < 0 || j->fds[REPO_SPOOL] < 0)
                return err_errno(err, -EBADMSG, "request");
        r = fd_read_all(j->fds[REPO_ANCHOR], TUF_ROOT_MAX, &anchor, err);
        if (r == 0)
                r = repo_refresh(&what, &anchor, &papers, err);
        if (r == 0)
                r = papers_pack(&papers, &packed, err);
        if (r < 0)
                return r;
        fd = memfd_sealed("papers", packed.data, packed.len, err);
        if (fd < 0)
                return fd;
        return fetch_packet_send(j->sock, &(struct fetch_packet){.message = FETCH_PAPERS}, &fd, 1, err);
}

static int target(struct job *j, struct err *err) {
        const struct bundle_trust trust = {.content = j->start.content};
        const struct bundle_limits limits = {
                .max_archive = j->start.max_archive, .max_content = j->start.max_content, .max_members = j->start.max_members};
        cleanup_buf struct buf path = {};
        cleanup_fd int fd = -1;
        int r;

        if (!j->strings[REPO_FILE])
                return err_errno(err, -EBADMSG, "request");
        if (buf_printf(&path, "targets/%s", j->strings[REPO_FILE]) < 0)
                return err_errno(err, -ENOMEM, "target");
        r = transport_get_file(j->transport, path.data, limits.max_archive, &fd, err);
        if (r == -ENOENT)
                return err_set(err, -EIO, REASON_NONE, "the repository has no file '%s'", path.data);
        if (r == 0)
                r = bundle_deliver(j->sock, fd, &trust, &limits, err);
        return r < 0 ? err_wrap(err, r, "%s", j->strings[REPO_FILE]) : 0;
}

static int serve(struct job *j, struct fetch_packet *answer, struct err *err) {
        int r = job_receive(j, err);

        if (r < 0)
                return r;
        request_fill(j);
        answer->message = FETCH_SANDBOXED;
        r = sandbox(j, &answer->sandbox, err);
        if (r >= 0)
                r = fetch_packet_send(j->sock, answer, NULL, 0, err);
        if (r >= 0)
                r = credentials_read(j, err);
        if (r >= 0)
                r = transport_open(&j->req, &j->transport, err);
        if (r < 0)
                return r;
        switch (j->start.want) {
        case REPO_REFRESH:
                return refresh(j, err);
        case REPO_TARGET:
                return target(j, err);
        default:
                return err_errno(err, -EBADMSG, "request");
        }
}

int repo_fetcher_main(int sock) {
        struct job j = {.sock = sock};
        struct fetch_packet answer = {};
        struct err err = {};
        int r;

        for (size_t i = 0; i < REPO_GIVEN_COUNT; i++)
                j.fds[i] = -1;
        if (fetch_begin(sock) < 0)
                return EXIT_FAILURE;
        r = serve(&j, &answer, &err);
        answer.message = FETCH_DONE;
        if (j.transport) {
                const struct transport_stats *stats = transport_stats(j.transport);

                answer.stats = (struct fetch_stats){.requests = stats->requests, .received = stats->received};
                answer.retry_after_s = r < 0 ? stats->retry_after_s : 0;
                answer.http_status = stats->http_status;
                transport_close(j.transport); /* keeps what was not finished */
        }
        fetch_end(sock, &answer, r, &err);
}
