/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_verify.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "fileio.h"
#include "https.h"
#include "tmpdir.h"
#include "tuf_client.h"
#include "tuf_file.h"

#define TIMEOUT_MS (60 * 1000L)
#define LOW_SPEED_S 30
#define CA_MAX (1u << 20)

struct source {
        int fd;          /* of a directory; -1: it is a URL */
        const char *url; /* without a slash behind it is meant, too */
        struct buf ca;   /* PEM; empty: the system's */
        struct buf *out; /* of the request that runs */
};

static void source_done(struct source *s) {
        close_p(&s->fd);
        buf_done(&s->ca);
}

static int on_data(void *ctx, const void *p, size_t n, struct err *err) {
        struct source *s = ctx;

        return buf_append(s->out, p, n) < 0 ? err_errno(err, -ENOMEM, "metadata") : 0;
}

static int get(void *ctx, const char *path, uint64_t max, struct buf *out, struct err *err) {
        struct source *s = ctx;
        cleanup_buf struct buf name = {};
        struct https_request req = {
                .max_bytes = max, .timeout_ms = TIMEOUT_MS, .low_speed_s = LOW_SPEED_S, .data = on_data, .ctx = s};
        struct https_response response;
        size_t n = strlen(s->url);
        int r;

        if (s->fd >= 0) {
                r = buf_printf(&name, "metadata/%s", path);
                return r < 0 ? err_errno(err, r, "path") : file_read(s->fd, name.data, max, out, err);
        }
        r = buf_printf(&name, "%s%smetadata/%s", s->url, n > 0 && s->url[n - 1] == '/' ? "" : "/", path);
        if (r < 0)
                return err_errno(err, r, "URL");
        s->out = out;
        req.url = name.data;
        req.ca = s->ca.len > 0 ? &s->ca : NULL;
        return https_get(&req, &response, err);
}

/* Is the file the target that is listed? */
static int file_check(const struct bundle_file *file, const struct tuf_target *target, struct err *err) {
        cleanup_tuf_hasher struct tuf_hasher *h = tuf_hasher_new();
        struct tuf_file found;
        int fd = file->fd;
        char buf[65536];
        ssize_t n;
        int r;

        if (!h || lseek(fd, 0, SEEK_SET) < 0)
                return err_errno(err, h ? -errno : -ENOMEM, "cannot read it again");
        while ((n = fd_read_some(&fd, buf, sizeof(buf))) > 0)
                if (tuf_hasher_update(h, buf, (size_t)n) < 0)
                        return err_errno(err, -EIO, "digest");
        r = n < 0 ? (int)n : tuf_hasher_finish(h, &found);
        return r < 0 ? err_errno(err, r, "cannot read it again") : tuf_file_check(&found, target->entry, err);
}

/* The entry says which bundle and release it is for; a node would ask the same. */
static int entry_check(const struct manifest *m, const struct tuf_target *target, struct repo_verified *ret, struct err *err) {
        long long release = 0, floor = 0;
        const char *name;
        int r = 0;

        if (!target->custom)
                return err_set(err, -EBADMSG, REASON_WRONG_BUNDLE, "its entry does not say which bundle it is");
        r = json_get_string(target->custom, "bundle", &name, err);
        if (r == 0)
                r = json_get_int(target->custom, "release", 1, JSON_INT_MAX, &release, err);
        if (r == 0)
                r = json_get_int(target->custom, "floor", 0, JSON_INT_MAX, &floor, err);
        if (r < 0)
                return r;
        if (!streq(name, m->name) || (uint64_t)release != m->release)
                return err_set(err, -EBADMSG, REASON_WRONG_BUNDLE, "its entry is of '%.64s', release %lld", name, release);
        if (release < floor)
                return err_set(err, -EPERM, REASON_RELEASE_TOO_OLD, "release %lld is below the floor, %lld", release, floor);
        ret->floor = (uint64_t)floor;
        return 0;
}

static void facts(const struct tuf_trust *trust, const struct tuf_target *target, struct repo_verified *ret) {
        struct tuf_document doc;

        ret->expires = INT64_MAX;
        for (size_t i = 0; i < tuf_trust_documents(trust); i++)
                if (tuf_trust_document(trust, i, &doc) == 0 && (i < 4 || i == target->document) &&
                    doc.common.expires < ret->expires)
                        ret->expires = doc.common.expires;
        if (tuf_trust_role(trust, "root", &doc) == 0)
                ret->root_version = doc.common.version;
}

int repo_verify(const struct bundle_file *file, const char *root, const char *repo, const char *ca, struct repo_verified *ret,
                struct err *err) {
        cleanup_tuf_client struct tuf_client *client = NULL;
        cleanup(tmpdir_done) struct tmpdir tmp = TMPDIR_INIT;
        cleanup_buf struct buf anchor = {};
        bool url = strncmp(repo, "https://", 8) == 0;
        cleanup(source_done) struct source source = {.fd = -1, .url = repo};
        struct tuf_client_options options = {.get = get, .ctx = &source, .now = time(NULL)};
        struct tuf_target target;
        int r;

        if (!url)
                source.fd = open(repo, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (!url && source.fd < 0)
                return err_errno(err, -errno, "repository '%s'", repo);
        r = file_read(AT_FDCWD, root, TUF_ROOT_MAX, &anchor, err);
        if (r >= 0 && ca)
                r = file_read(AT_FDCWD, ca, CA_MAX, &source.ca, err);
        if (r >= 0)
                r = tmpdir_make(&tmp, err);
        if (r < 0)
                return r;
        options.store.dirfd = tmp.fd;
        options.anchor = anchor.data;
        options.anchor_len = anchor.len;
        r = tuf_client_new(&options, &client, err);
        if (r >= 0)
                r = tuf_client_refresh(client, err);
        if (r < 0)
                return err_wrap(err, r, "repository '%s'", repo);
        snprintf(ret->target, sizeof(ret->target), "bundles/%s-%s.tar.zst", file->manifest->name, file->manifest->version);
        r = tuf_client_find(client, ret->target, &target, err);
        if (r >= 0)
                r = file_check(file, &target, err);
        if (r >= 0)
                r = entry_check(file->manifest, &target, ret, err);
        if (r < 0)
                return err_wrap(err, r, "%s", ret->target);
        facts(tuf_client_trust(client), &target, ret);
        return 0;
}
