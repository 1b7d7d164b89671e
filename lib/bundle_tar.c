/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_tar.h"

#include <archive.h>
#include <archive_entry.h>

#include "manifest.h"

#define CHUNK (128 * 1024) /* whole tar blocks, so that libarchive never has to copy a header together */

struct bundle_tar {
        struct archive *a;
        struct zframes *z;
        uint64_t max, total; /* bytes of the frame: allowed, and handed to libarchive */
        bool ended;          /* libarchive has seen the frame's end */
        bool over;           /* the frame goes on beyond what is allowed */
        int r;               /* why reading stopped, when it was not libarchive's doing */
        struct err err;
        uint8_t chunk[CHUNK];
};

static la_ssize_t tar_read(struct archive *a, void *ctx, const void **ret) {
        struct bundle_tar *t = ctx;
        ssize_t n;

        n = t->over ? 0 : zframes_read(t->z, t->chunk, sizeof(t->chunk), &t->err);
        if (t->over || (n > 0 && t->total == t->max))
                n = err_set(&t->err, -EFBIG, REASON_TOO_LARGE, "it unpacks to more than its manifest lists");
        if (n < 0) {
                t->r = (int)n;
                archive_set_error(a, EIO, "read");
                return ARCHIVE_FATAL;
        }
        /* A chunk reads ahead: it is an error only when libarchive wants to go on behind the limit. */
        if ((uint64_t)n > t->max - t->total) {
                t->over = true;
                n = (ssize_t)(t->max - t->total);
        }
        t->total += (uint64_t)n;
        t->ended = n == 0;
        *ret = t->chunk;
        return n;
}

/* libarchive has given up. Its own words may quote the archive, so they are not repeated. */
static int tar_error(struct bundle_tar *t, struct err *err) {
        if (t->r < 0)
                return err_set(err, t->r, t->err.reason, "%s", t->err.msg);
        if (archive_errno(t->a) == ENOMEM)
                return err_errno(err, -ENOMEM, "tar");
        if (t->ended)
                return err_set(err, -EBADMSG, REASON_TRUNCATED, "the tar ends too early");
        return err_set(err, -EBADMSG, REASON_MALFORMED, "damaged tar header");
}

int bundle_tar_new(struct zframes *z, uint64_t max, struct bundle_tar **ret, struct err *err) {
        cleanup_bundle_tar struct bundle_tar *t = malloc(sizeof(*t));

        if (!t)
                return err_errno(err, -ENOMEM, "tar");
        t->z = z;
        t->max = max;
        t->total = 0;
        t->ended = t->over = false;
        t->r = 0;
        t->err = (struct err){};
        t->a = archive_read_new();
        /* This one format, and no filter: libarchive would try fifty. */
        if (!t->a || archive_read_support_format_tar(t->a) != ARCHIVE_OK)
                return err_errno(err, -ENOMEM, "tar");
        if (archive_read_open(t->a, t, NULL, tar_read, NULL) != ARCHIVE_OK)
                return tar_error(t, err);
        *ret = steal_pointer(t);
        return 0;
}

void bundle_tar_free(struct bundle_tar *t) {
        if (!t)
                return;
        archive_read_free(t->a);
        free(t);
}

int bundle_tar_next(struct bundle_tar *t, struct bundle_entry *ret, struct err *err) {
        struct archive_entry *e;
        const char *path;
        int r;

        r = archive_read_next_header(t->a, &e);
        if (r == ARCHIVE_EOF)
                return 0;
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
                return tar_error(t, err);
        path = archive_entry_pathname(e);
        if (!path) /* not of this locale's characters */
                path = archive_entry_pathname_utf8(e);
        if (path && !member_path_safe(path))
                return err_set(err, -EBADMSG, REASON_UNSAFE_PATH, "a member's path is not safe");
        if (!path || r == ARCHIVE_WARN)
                return tar_error(t, err);
        if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) || archive_entry_symlink(e) ||
            archive_entry_sparse_count(e) > 0 || !archive_entry_size_is_set(e) || archive_entry_size(e) < 0)
                return err_set(err, -EBADMSG, REASON_NOT_A_FILE, "'%s' is not a regular file", path);
        *ret = (struct bundle_entry){
                .path = path,
                .length = (uint64_t)archive_entry_size(e),
                .mtime = archive_entry_mtime(e) > 0 ? (uint64_t)archive_entry_mtime(e) : 0,
        };
        return 1;
}

int bundle_tar_data(struct bundle_tar *t, const void **ret, size_t *ret_n, struct err *err) {
        la_int64_t offset;
        int r;

        r = archive_read_data_block(t->a, ret, ret_n, &offset);
        if (r == ARCHIVE_EOF)
                return 0;
        return r == ARCHIVE_OK ? 1 : tar_error(t, err);
}

int bundle_tar_finish(struct bundle_tar *t, uint64_t length, struct err *err) {
        while (!t->ended && !t->over && t->total <= length) {
                ssize_t n = zframes_read(t->z, t->chunk, sizeof(t->chunk), err);

                if (n < 0)
                        return (int)n;
                t->total += (uint64_t)n;
                t->ended = n == 0;
        }
        if (t->over || t->total > length)
                return err_set(err, -EBADMSG, REASON_TRAILING_DATA, "there is something after the end of the tar");
        if (t->total < length)
                return err_set(err, -EBADMSG, REASON_TRUNCATED, "the tar ends too early");
        return 0;
}

int bundle_tar_end(struct bundle_tar *t, struct err *err) {
        uint64_t end = (uint64_t)archive_read_header_position(t->a) + 2 * TAR_BLOCK;
        int r;

        r = bundle_tar_finish(t, end, err);
        if (r < 0)
                return r;
        /* libarchive is content with one zero block; it goes over the second one only when that is zero, too. */
        if ((uint64_t)archive_filter_bytes(t->a, 0) != end)
                return err_set(err, -EBADMSG, REASON_TRAILING_DATA, "the tar does not end in two zero blocks");
        return 0;
}
