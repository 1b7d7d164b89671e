/* SPDX-License-Identifier: Apache-2.0 */
#include "zframes.h"

#include <zstd.h>
#include <zstd_errors.h>

#define IN_SIZE (128 * 1024)

struct zframes {
        ssize_t (*read)(void *ctx, void *p, size_t n);
        void *ctx;
        uint64_t left; /* of the cap on compressed bytes */
        ZSTD_DCtx *d;
        ZSTD_inBuffer in; /* over `bytes` */
        bool in_frame, eof;
        uint8_t bytes[IN_SIZE];
};

int zframes_new(ssize_t (*read)(void *ctx, void *p, size_t n), void *ctx, uint64_t max, struct zframes **ret, struct err *err) {
        cleanup_zframes struct zframes *z = malloc(sizeof(*z));

        if (!z)
                return err_errno(err, -ENOMEM, "zstd");
        z->read = read;
        z->ctx = ctx;
        z->left = max;
        z->in = (ZSTD_inBuffer){.src = z->bytes};
        z->in_frame = z->eof = false;
        z->d = ZSTD_createDCtx();
        if (!z->d || ZSTD_isError(ZSTD_DCtx_setParameter(z->d, ZSTD_d_windowLogMax, ZFRAMES_WINDOW_LOG)))
                return err_errno(err, -ENOMEM, "zstd");
        *ret = steal_pointer(z);
        return 0;
}

void zframes_free(struct zframes *z) {
        if (!z)
                return;
        ZSTD_freeDCtx(z->d);
        free(z);
}

/* More input behind what is still unused. 1: there is more, 0: the end. */
static int fill(struct zframes *z, struct err *err) {
        size_t unused = z->in.size - z->in.pos;
        ssize_t n;

        if (z->eof)
                return 0;
        memmove(z->bytes, z->bytes + z->in.pos, unused);
        z->in.pos = 0;
        z->in.size = unused;
        n = z->read(z->ctx, z->bytes + unused, sizeof(z->bytes) - unused);
        if (n < 0)
                return err_errno(err, (int)n, "read");
        if ((uint64_t)n > z->left)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "the archive is larger than allowed");
        z->left -= (uint64_t)n;
        z->in.size += (size_t)n;
        z->eof = n == 0;
        return n > 0;
}

int zframes_next(struct zframes *z, struct err *err) {
        static const uint8_t magic[4] = {0x28, 0xb5, 0x2f, 0xfd}; /* RFC 8878, 3.1.1 */
        size_t n;
        int r;

        do {
                n = z->in.size - z->in.pos;
                r = n < sizeof(magic) ? fill(z, err) : 0;
        } while (r > 0);
        if (r < 0)
                return r;
        if (memcmp(z->bytes + z->in.pos, magic, n < sizeof(magic) ? n : sizeof(magic)) != 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "not a zstd frame");
        if (n < sizeof(magic))
                return err_set(err, -EBADMSG, REASON_TRUNCATED, "the archive ends too early");
        z->in_frame = true;
        return 0;
}

static int zstd_error(size_t code, struct err *err) {
        switch (ZSTD_getErrorCode(code)) {
        case ZSTD_error_memory_allocation:
                return err_errno(err, -ENOMEM, "zstd");
        case ZSTD_error_frameParameter_windowTooLarge:
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "a zstd window of more than %d MiB",
                               1 << (ZFRAMES_WINDOW_LOG - 20));
        default:
                return err_set(err, -EBADMSG, REASON_MALFORMED, "zstd: %s", ZSTD_getErrorName(code));
        }
}

ssize_t zframes_read(struct zframes *z, void *p, size_t n, struct err *err) {
        ZSTD_outBuffer out = {.dst = p, .size = n};
        size_t code;
        int r;

        while (z->in_frame && out.pos < out.size) {
                code = ZSTD_decompressStream(z->d, &out, &z->in);
                if (ZSTD_isError(code))
                        return zstd_error(code, err);
                z->in_frame = code != 0;
                if (!z->in_frame || out.pos == out.size || z->in.pos < z->in.size)
                        continue;
                r = fill(z, err);
                if (r < 0)
                        return r;
                if (r == 0)
                        return err_set(err, -EBADMSG, REASON_TRUNCATED, "the archive ends too early");
        }
        return (ssize_t)out.pos;
}

ssize_t zframes_read_raw(struct zframes *z, void *p, size_t n, struct err *err) {
        int r;

        if (z->in.pos == z->in.size) {
                r = fill(z, err);
                if (r <= 0)
                        return r;
        }
        if (n > z->in.size - z->in.pos)
                n = z->in.size - z->in.pos;
        memcpy(p, z->bytes + z->in.pos, n);
        z->in.pos += n;
        return (ssize_t)n;
}
