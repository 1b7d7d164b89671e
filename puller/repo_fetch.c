/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_fetch.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fetch_exchange.h"
#include "fileio.h"
#include "folder.h"
#include "repo_proto.h"

#define S 1000000000LL
#define TIMEOUT_NS (600 * S)
#define LOW_SPEED_S 30
#define SPOOL_NAME_LEN 16 /* hex digits */
#define GIT_ARCHIVES_MAX 16
#define METADATA_MAX (32u << 20) /* of all metadata in one poll */

bool repo_source_configured(const struct config *c, struct repo_source *ret) {
        switch (config_source_kind(c)) {
        case SOURCE_HTTPS:
                *ret = (struct repo_source){.kind = TRANSPORT_HTTPS, .url = c->repository};
                return true;
        case SOURCE_DIRECTORY:
                *ret = (struct repo_source){.kind = TRANSPORT_DIR, .url = c->repository};
                return true;
        case SOURCE_GIT:
                *ret = (struct repo_source){.kind = TRANSPORT_GIT, .url = c->git, .branch = c->git_branch};
                return true;
        default:
                return false;
        }
}

/* ---- the spool ------------------------------------------------------------------------------------------------------- */

/* A name of its own for each source: what lies there was said by that source. */
static int spool_name(const struct repo_source *s, char ret[static SHA256_HEX], struct err *err) {
        cleanup_buf struct buf b = {};
        uint8_t digest[SHA256_SIZE];

        if (buf_printf(&b, "%d %s %s", (int)s->kind, s->url, s->branch ? s->branch : "") < 0 || sha256(b.data, b.len, digest) < 0)
                return err_errno(err, -ENOMEM, "spool");
        hex_encode(digest, SPOOL_NAME_LEN / 2, ret);
        return 0;
}

/*
 * CACHE/SOURCE, which is the fetcher's own. It is made anew when it is anybody else's; what lies in it is checked by whoever reads
 * it. Of other sources nothing is kept.
 */
static int spool_open(const struct node *n, const struct repo_source *s, uid_t uid, gid_t gid, char ret_path[static PATH_MAX],
                      struct err *err) {
        cleanup_fd int cache = -1, spool = -1;
        cleanup_names struct names names = {};
        char name[SHA256_HEX];
        uint8_t other[SPOOL_NAME_LEN / 2];
        struct stat st;
        int r = spool_name(s, name, err);

        if (r < 0)
                return r;
        if (mkdir(n->config->cache_dir, 0755) < 0 && errno != EEXIST)
                return err_errno(err, -errno, "%s", n->config->cache_dir);
        cache = open(n->config->cache_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (cache < 0)
                return err_errno(err, -errno, "%s", n->config->cache_dir);
        r = folder_list(cache, &names, err);
        for (size_t i = 0; r >= 0 && i < names.n; i++)
                if (!streq(names.list[i], name) && strlen(names.list[i]) == SPOOL_NAME_LEN &&
                    hex_decode(names.list[i], other, sizeof(other)) == 0)
                        r = folder_remove(cache, names.list[i], err);
        if (r < 0)
                return err_wrap(err, r, "%s", n->config->cache_dir);
        if (fstatat(cache, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            (!S_ISDIR(st.st_mode) || (geteuid() == 0 && st.st_uid != uid))) {
                r = folder_remove(cache, name, err);
                if (r < 0)
                        return r;
        }
        spool = folder_open(cache, name, true, err);
        if (spool < 0)
                return err_wrap(err, spool, "%s", n->config->cache_dir);
        if (geteuid() == 0 && fchown(spool, uid, gid) < 0)
                return err_errno(err, -errno, "%s/%s", n->config->cache_dir, name);
        if (snprintf(ret_path, PATH_MAX, "%s/%s", n->config->cache_dir, name) >= PATH_MAX)
                return err_errno(err, -ENAMETOOLONG, "%s", n->config->cache_dir);
        return steal_fd(&spool);
}

/* ---- the request ----------------------------------------------------------------------------------------------------- */

struct request {
        const struct node *n;
        const struct repo_source *source;
        struct repo_start start;
        const char *file;
        int fds[REPO_GIVEN_COUNT]; /* owned */
        char spool_path[PATH_MAX];
};

static void request_done(struct request *q) {
        for (size_t i = 0; i < REPO_GIVEN_COUNT; i++)
                close_p(&q->fds[i]);
}
#define cleanup_request cleanup(request_done)

/* The files are opened here, so that the child needs no right to. */
static int credentials_open(struct request *q, struct err *err) {
        const struct config *c = q->n->config;
        const struct {
                enum repo_given which;
                const char *name, *path, *scheme;
        } files[] = {
                {REPO_CA, "CA file", c->ca, "https://"},
                {REPO_CERTIFICATE, "client certificate", c->certificate, "https://"},
                {REPO_KEY, "client key", c->client_key, "https://"},
                {REPO_TOKEN, "token file", c->token_file, "https://"},
                {REPO_SSH_KEY, "ssh key", c->ssh_key, "ssh://"},
                {REPO_KNOWN_HOSTS, "known hosts", c->ssh_known_hosts, "ssh://"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                if (!files[i].path || strncmp(q->source->url, files[i].scheme, strlen(files[i].scheme)) != 0)
                        continue;
                q->fds[files[i].which] = open(files[i].path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
                if (q->fds[files[i].which] < 0)
                        return err_set(err, -errno, REASON_CONFIG, "%s '%s': %s", files[i].name, files[i].path, strerror(errno));
        }
        return 0;
}

static int request_make(struct request *q, enum repo_want want, struct err *err) {
        const struct config *c = q->n->config;
        uid_t uid;
        gid_t gid;
        int r;

        for (size_t i = 0; i < REPO_GIVEN_COUNT; i++)
                q->fds[i] = -1;
        node_user(c->fetcher_user, &uid, &gid);
        q->start = (struct repo_start){
                .want = want,
                .kind = q->source->kind,
                .uid = uid,
                .gid = gid,
                .timeout_ms = TIMEOUT_NS / 1000000 * 9 / 10, /* it gives up before we do, so that its message says why */
                .low_speed_s = LOW_SPEED_S,
                /* A Git branch brings all its bundles with its newest commit. */
                .max_poll = METADATA_MAX + c->limits.max_archive * (q->source->kind == TRANSPORT_GIT ? GIT_ARCHIVES_MAX : 1),
                .max_archive = c->limits.max_archive,
                .max_content = c->limits.max_content,
                .max_members = c->limits.max_members,
        };
        r = q->fds[REPO_SPOOL] = spool_open(q->n, q->source, uid, gid, q->spool_path, err);
        return r < 0 ? r : credentials_open(q, err);
}

static int string_append(struct buf *b, const char *s) {
        return buf_append(b, s ? s : "", s ? strlen(s) + 1 : 1);
}

static int request_send(struct request *q, struct fetch_call *call, struct fetched *ret, struct err *err) {
        const struct config *c = q->n->config;
        const char *const strings[REPO_STRING_COUNT] = {
                [REPO_URL] = q->source->url, [REPO_BRANCH] = q->source->branch, [REPO_PROXY] = c->proxy,
                [REPO_USER] = c->https_user, [REPO_SPOOL_PATH] = q->spool_path, [REPO_RING] = c->ring,
                [REPO_FILE] = q->file,
        };
        cleanup_buf struct buf packet = {};
        int fds[REPO_GIVEN_COUNT], r = 0;
        size_t n_fds = 0;

        for (size_t i = 0; i < REPO_GIVEN_COUNT; i++)
                if (q->fds[i] >= 0) {
                        q->start.given |= 1U << i;
                        fds[n_fds++] = q->fds[i];
                }
        while (c->bundles && c->bundles[q->start.n_bundles])
                q->start.n_bundles++;
        r = buf_append(&packet, &q->start, sizeof(q->start));
        for (size_t i = 0; r >= 0 && i < REPO_STRING_COUNT; i++)
                r = string_append(&packet, strings[i]);
        for (size_t i = 0; r >= 0 && i < q->start.n_bundles; i++)
                r = string_append(&packet, c->bundles[i]);
        if (r < 0)
                return err_errno(err, r, "request");
        if (packet.len > REPO_PACKET_MAX)
                return err_set(err, -E2BIG, REASON_TOO_LARGE, "too long a URL, or too many bundles");
        call->waiter = q->n->waiter;
        call->deadline_ns = monotonic_ns() + TIMEOUT_NS;
        return fetch_call(call, c->fetcher_exe, "@repository", &packet, fds, n_fds, ret, err);
}

/* ---- answers --------------------------------------------------------------------------------------------------------- */

int repo_fetch_papers(const struct node *n, const struct repo_source *source, const struct buf *anchor, int64_t now,
                      struct papers *ret, struct fetched *ret_info, struct err *err) {
        cleanup_request struct request q = {.n = n, .source = source};
        cleanup_buf struct buf packed = {};
        cleanup_fetch_call struct fetch_call call = {.papers = &packed, FETCH_CALL_INIT};
        int r;

        *ret_info = FETCHED_INIT;
        r = request_make(&q, REPO_REFRESH, err);
        if (r < 0)
                return r;
        q.start.now = now;
        r = q.fds[REPO_ANCHOR] = memfd_sealed("anchor", anchor->data, anchor->len, err);
        if (r >= 0)
                r = request_send(&q, &call, ret_info, err);
        return r < 0 ? r : papers_unpack(packed.data, packed.len, ret, err);
}

int repo_fetch_release(const struct node *n, const struct repo_source *source, const char *file,
                       const uint8_t content[static SHA256_SIZE], struct fetched *ret, struct err *err) {
        const struct bundle_trust trust = {.content = content};
        cleanup_request struct request q = {.n = n, .source = source, .file = file};
        cleanup_fetch_call struct fetch_call call = {.in = {.trust = &trust, .limits = &n->config->limits}, FETCH_CALL_INIT};
        int r;

        *ret = FETCHED_INIT;
        r = request_make(&q, REPO_TARGET, err);
        if (r < 0)
                return r;
        memcpy(q.start.content, content, SHA256_SIZE);
        return request_send(&q, &call, ret, err);
}
