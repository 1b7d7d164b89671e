/* SPDX-License-Identifier: Apache-2.0 */
#include <archive.h>
#include <archive_entry.h>
#include <zstd.h>

#include "bundle.h"
#include "bundle_frame.h"
#include "fileio.h"

/* Bundles are small, written once and read by a fleet. One thread: with several, the frame's bytes depend on their number. */
#define LEVEL 19
/* 1 MiB. Readers allow 8; a window that stays in the processor's cache makes verifying faster by a tenth, and what is in a bundle
 * hardly repeats over a longer distance. */
#define WINDOW_LOG 20

/* The tar goes two times through libarchive: first only its length is wanted, since a frame's header states it. */
struct frame {
        ZSTD_CCtx *z; /* NULL: count only */
        int fd;
        uint64_t length; /* of the tar */
        bool stopped;    /* what libarchive still writes, the end-of-archive blocks, is not wanted */
        struct err *err;
        int r;
};

static int frame_put(struct frame *f, const void *p, size_t n, ZSTD_EndDirective directive) {
        uint8_t bytes[128 * 1024];
        ZSTD_inBuffer in = {.src = p, .size = n};
        size_t left;
        int r;

        do {
                ZSTD_outBuffer out = {.dst = bytes, .size = sizeof(bytes)};

                left = ZSTD_compressStream2(f->z, &out, &in, directive);
                if (ZSTD_isError(left))
                        return err_set(f->err, -EIO, REASON_NONE, "zstd: %s", ZSTD_getErrorName(left));
                r = fd_write_all(f->fd, bytes, out.pos);
                if (r < 0)
                        return err_errno(f->err, r, "write");
        } while (in.pos < in.size || (directive == ZSTD_e_end && left > 0));
        return 0;
}

static la_ssize_t tar_written(struct archive *a, void *ctx, const void *p, size_t n) {
        struct frame *f = ctx;

        if (f->stopped)
                return (la_ssize_t)n;
        f->length += n;
        if (f->z && f->r >= 0)
                f->r = frame_put(f, p, n, ZSTD_e_continue);
        if (f->r < 0) {
                archive_set_error(a, EIO, "write");
                return -1;
        }
        return (la_ssize_t)n;
}

static int member_write(struct archive *a, const struct bundle_member *m, uint64_t mtime) {
        struct archive_entry *e = archive_entry_new();
        bool ok;

        if (!e)
                return -ENOMEM;
        /* The owner is 0 and has no name, whoever builds. */
        archive_entry_set_pathname(e, m->path);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_mtime(e, (time_t)mtime, 0);
        archive_entry_set_size(e, (la_int64_t)m->len);
        ok = archive_write_header(a, e) == ARCHIVE_OK;
        archive_entry_free(e);
        ok = ok && (m->len == 0 || archive_write_data(a, m->data, m->len) == (la_ssize_t)m->len);
        return ok && archive_write_finish_entry(a) == ARCHIVE_OK ? 0 : -EIO;
}

static int tar_write(struct frame *f, const struct bundle_member *members, size_t n, uint64_t mtime, bool end) {
        struct archive *a = archive_write_new();
        int r = 0;

        /* "Restricted": extended headers only where a path does not fit without. Unblocked: the padding of tapes is no use. */
        if (!a || archive_write_set_format_pax_restricted(a) != ARCHIVE_OK ||
            archive_write_set_bytes_per_block(a, 0) != ARCHIVE_OK ||
            archive_write_open(a, f, NULL, tar_written, NULL) != ARCHIVE_OK)
                r = -ENOMEM;
        for (size_t i = 0; r >= 0 && i < n; i++)
                r = member_write(a, &members[i], mtime);
        f->stopped = !end || r < 0;
        if (r >= 0 && archive_write_close(a) != ARCHIVE_OK)
                r = -EIO;
        if (f->r < 0)
                r = f->r;
        else if (r < 0)
                err_errno(f->err, r, "tar");
        archive_write_free(a);
        return r;
}

static int frame_write(int fd, const struct bundle_member *members, size_t n, uint64_t mtime, bool end, struct err *err) {
        struct frame count = {.err = err}, f = {.fd = fd, .err = err};
        int r;

        r = tar_write(&count, members, n, mtime, end);
        if (r < 0)
                return r;
        f.z = ZSTD_createCCtx();
        if (!f.z || ZSTD_isError(ZSTD_CCtx_setParameter(f.z, ZSTD_c_compressionLevel, LEVEL)) ||
            ZSTD_isError(ZSTD_CCtx_setParameter(f.z, ZSTD_c_windowLog, WINDOW_LOG)) ||
            /* For bit rot in what is not signed, the tar headers: nobody would be harmed, but everybody would wonder. */
            ZSTD_isError(ZSTD_CCtx_setParameter(f.z, ZSTD_c_checksumFlag, 1)) ||
            ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(f.z, count.length)))
                r = err_errno(err, -ENOMEM, "zstd");
        if (r >= 0)
                r = tar_write(&f, members, n, mtime, end);
        if (r >= 0)
                r = frame_put(&f, NULL, 0, ZSTD_e_end);
        ZSTD_freeCCtx(f.z);
        return r;
}

static int manifest_write(int fd, const struct envelope *env, uint64_t mtime, struct err *err) {
        cleanup_buf struct buf b = {};
        struct bundle_member m = {.path = MANIFEST_PATH};
        int r;

        r = envelope_format(env, &b, err);
        if (r < 0)
                return r;
        m.data = b.data;
        m.len = b.len;
        return frame_write(fd, &m, 1, mtime, false, err);
}

static int members_check(const struct envelope *env, const struct bundle_member *members, size_t n, struct err *err) {
        cleanup_manifest struct manifest *m = NULL;
        uint8_t sum[SHA256_SIZE];
        int r;

        r = manifest_parse(env->bytes.data, env->bytes.len, &m, err);
        if (r < 0)
                return r;
        if (m->n_members != n)
                return err_set(err, -EINVAL, REASON_MALFORMED, "%zu members, and %zu in the manifest", n, m->n_members);
        for (size_t i = 0; i < n; i++) {
                r = sha256(members[i].data, members[i].len, sum);
                if (r < 0)
                        return err_errno(err, r, "digest");
                if (!streq(members[i].path, m->members[i].path) || members[i].len != m->members[i].length ||
                    !digest_equal(sum, m->members[i].sha256))
                        return err_set(err, -EINVAL, REASON_MALFORMED, "member '%s' is not what the manifest lists there",
                                       members[i].path);
        }
        return 0;
}

int bundle_write(int fd, const struct envelope *env, const struct bundle_member *members, size_t n, uint64_t mtime,
                 struct err *err) {
        int r;

        r = members_check(env, members, n, err);
        if (r >= 0)
                r = manifest_write(fd, env, mtime, err);
        if (r >= 0)
                r = frame_write(fd, members, n, mtime, true, err);
        return r;
}

int bundle_replace_manifest(int in_fd, int out_fd, const struct envelope *env, struct err *err) {
        cleanup_zframes struct zframes *z = NULL;
        cleanup_envelope struct envelope old = {};
        uint8_t bytes[64 * 1024];
        uint64_t mtime;
        ssize_t n;
        int r;

        r = zframes_new(fd_read_some, &in_fd, bundle_limits_default.max_archive, &z, err);
        if (r < 0)
                return r;
        r = bundle_manifest_read(z, &old, &mtime, err);
        if (r < 0)
                return r;
        if (old.bytes.len != env->bytes.len || memcmp(old.bytes.data, env->bytes.data, old.bytes.len) != 0)
                return err_set(err, -EINVAL, REASON_MALFORMED, "the manifest is another one, not the same with other signatures");
        r = manifest_write(out_fd, env, mtime, err);
        if (r < 0)
                return r;
        while ((n = zframes_read_raw(z, bytes, sizeof(bytes), err)) > 0) {
                r = fd_write_all(out_fd, bytes, (size_t)n);
                if (r < 0)
                        return err_errno(err, r, "write");
        }
        return (int)n;
}
