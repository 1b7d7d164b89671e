/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle.h"
#include "bundle_frame.h"
#include "bundle_tar.h"
#include "fileio.h"

#define HEADERS_MAX 4096 /* bytes that one member's headers and padding may take */

const struct bundle_limits bundle_limits_default = {
        .max_archive = 64ULL << 20,
        .max_content = 256ULL << 20,
        .max_members = MEMBERS_MAX,
};

struct reader {
        struct zframes *z;
        struct bundle_tar *tar; /* of the second frame */
        const struct manifest *m;
        const struct bundle_sink *sink;
        struct digest *digest;
        struct err *err;
};

/* The listed member of that name; n_members: none. */
static size_t member_find(const struct manifest *m, const char *path) {
        size_t i = 0;

        while (i < m->n_members && !streq(m->members[i].path, path))
                i++;
        return i;
}

/* Member `expected` does not stand where it should. Does it come later, or not at all? */
static int explain_gap(struct reader *rd, size_t expected, const char *found) {
        const char *path = rd->m->members[expected].path;
        struct bundle_entry e;

        while (bundle_tar_next(rd->tar, &e, NULL) > 0)
                if (streq(e.path, path))
                        return err_set(rd->err, -EBADMSG, REASON_WRONG_ORDER, "'%s' stands before '%s'", found, path);
        return err_set(rd->err, -EBADMSG, REASON_MISSING_MEMBER, "'%s' is missing", path);
}

/* Is this the member that stands here by the manifest? `expected` may be behind the last. */
static int member_check(struct reader *rd, size_t expected, const struct bundle_entry *e) {
        size_t i = expected < rd->m->n_members && streq(rd->m->members[expected].path, e->path) ? expected
                                                                                                : member_find(rd->m, e->path);

        if (i < expected || streq(e->path, MANIFEST_PATH))
                return err_set(rd->err, -EBADMSG, REASON_DUPLICATE_MEMBER, "'%s' is there twice", e->path);
        if (i == rd->m->n_members)
                return err_set(rd->err, -EBADMSG, REASON_UNLISTED_MEMBER, "'%s' is not in the manifest", e->path);
        if (i > expected)
                return explain_gap(rd, expected, rd->m->members[i].path);
        if (e->length != rd->m->members[i].length)
                return err_set(rd->err, -EBADMSG, REASON_LENGTH_MISMATCH, "'%s' has %llu bytes and should have %llu", e->path,
                               (unsigned long long)e->length, (unsigned long long)rd->m->members[i].length);
        return 0;
}

static int member_hash(struct reader *rd, size_t i) {
        const struct manifest_member *member = &rd->m->members[i];
        const struct bundle_sink *sink = rd->sink;
        uint8_t sum[SHA256_SIZE];
        uint64_t length = 0;
        const void *p;
        size_t n;
        int r;

        while ((r = bundle_tar_data(rd->tar, &p, &n, rd->err)) > 0) {
                if (n > member->length - length)
                        return err_set(rd->err, -EBADMSG, REASON_LENGTH_MISMATCH, "'%s' is longer than listed", member->path);
                length += n;
                r = digest_update(rd->digest, p, n);
                if (r < 0)
                        return err_errno(rd->err, r, "digest");
                r = sink->data ? sink->data(sink->ctx, i, p, n, rd->err) : 0;
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return err_wrap(rd->err, r, "%s", member->path);
        if (length != member->length)
                return err_set(rd->err, -EBADMSG, REASON_LENGTH_MISMATCH, "'%s' is shorter than listed", member->path);
        r = digest_finish(rd->digest, sum);
        if (r < 0)
                return err_errno(rd->err, r, "digest");
        if (!digest_equal(sum, member->sha256))
                return err_set(rd->err, -EBADMSG, REASON_DIGEST_MISMATCH, "'%s' is not what the manifest says", member->path);
        return 0;
}

static int members_read(struct reader *rd) {
        const struct bundle_sink *sink = rd->sink;
        struct bundle_entry e;
        int r;

        for (size_t i = 0;; i++) {
                r = bundle_tar_next(rd->tar, &e, rd->err);
                if (r <= 0) {
                        if (r == 0 && i < rd->m->n_members)
                                return err_set(rd->err, -EBADMSG, REASON_MISSING_MEMBER, "'%s' is missing",
                                               rd->m->members[i].path);
                        return r;
                }
                r = member_check(rd, i, &e);
                if (r < 0)
                        return r;
                r = sink->member ? sink->member(sink->ctx, i, rd->err) : 0;
                if (r < 0)
                        return r;
                r = member_hash(rd, i);
                if (r < 0)
                        return r;
                r = sink->member_end ? sink->member_end(sink->ctx, i, rd->err) : 0;
                if (r < 0)
                        return r;
        }
}

/* What the frame of the members may unpack to: as listed, plus headers. */
static int limits_check(const struct manifest *m, const struct bundle_limits *limits, uint64_t *ret_unpacked, struct err *err) {
        uint64_t sum = 0;

        if (m->n_members > limits->max_members)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "more than %zu members", limits->max_members);
        for (size_t i = 0; i < m->n_members; i++)
                if (add_overflows(sum, m->members[i].length, &sum) || sum > limits->max_content)
                        return err_set(err, -EFBIG, REASON_TOO_LARGE, "its members have more than %llu bytes",
                                       (unsigned long long)limits->max_content);
        if (add_overflows(sum, (m->n_members + 1) * HEADERS_MAX, &sum))
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "its members are too large");
        *ret_unpacked = sum;
        return 0;
}

static int second_frame_read(struct reader *rd, uint64_t unpacked) {
        char c;
        ssize_t n;
        int r;

        r = zframes_next(rd->z, rd->err);
        if (r < 0)
                return r;
        r = bundle_tar_new(rd->z, unpacked, &rd->tar, rd->err);
        if (r < 0)
                return r;
        r = members_read(rd);
        if (r < 0)
                return r;
        r = bundle_tar_end(rd->tar, rd->err);
        if (r < 0)
                return r;
        n = zframes_read_raw(rd->z, &c, 1, rd->err);
        if (n > 0)
                return err_set(rd->err, -EBADMSG, REASON_TRAILING_DATA, "there is something after the archive");
        return (int)n;
}

/* Everything about the manifest, before a member is looked at: signatures over the exact bytes first, then what they say. */
static int manifest_accept(const struct envelope *env, const struct bundle_trust *trust, struct manifest **ret,
                           struct sig_report *ret_report, struct err *err) {
        int r;

        if (trust->ring || trust->content) {
                r = bundle_trust_check(trust, env->bytes.data, env->bytes.len, env->sigs, env->n_sigs, ret_report, err);
                if (r < 0)
                        return r;
        } else if (ret_report)
                *ret_report = (struct sig_report){.n_unknown = env->n_sigs};
        return manifest_parse(env->bytes.data, env->bytes.len, ret, err);
}

int bundle_read(bundle_read_fn read, void *read_ctx, const struct bundle_trust *trust, const struct bundle_limits *limits,
                const struct bundle_sink *sink, struct sig_report *ret_report, struct err *err) {
        cleanup_zframes struct zframes *z = NULL;
        cleanup_envelope struct envelope env = {};
        cleanup_manifest struct manifest *m = NULL;
        cleanup_digest struct digest *digest = NULL;
        struct reader rd = {.sink = sink, .err = err};
        uint64_t mtime, unpacked = 0;
        int r;

        if (!limits)
                limits = &bundle_limits_default;
        r = zframes_new(read, read_ctx, limits->max_archive, &z, err);
        if (r < 0)
                return r;
        r = bundle_manifest_read(z, &env, &mtime, err);
        if (r < 0)
                return r;
        r = manifest_accept(&env, trust, &m, ret_report, err);
        if (r < 0)
                return r;
        r = limits_check(m, limits, &unpacked, err);
        if (r < 0)
                return r;
        r = sink->manifest ? sink->manifest(sink->ctx, &env, m, err) : 0;
        if (r < 0)
                return r;
        digest = digest_new();
        if (!digest)
                return err_errno(err, -ENOMEM, "digest");
        rd.z = z;
        rd.m = m;
        rd.digest = digest;
        r = second_frame_read(&rd, unpacked);
        bundle_tar_free(rd.tar);
        return r;
}

int bundle_read_fd(int fd, const struct bundle_trust *trust, const struct bundle_limits *limits, const struct bundle_sink *sink,
                   struct sig_report *ret_report, struct err *err) {
        return bundle_read(fd_read_some, &fd, trust, limits, sink, ret_report, err);
}
