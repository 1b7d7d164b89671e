/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of zstd frames, one after the other, decompressed in bounded memory. A frame's window is at most 8 MiB; skippable
 * frames, dictionaries and the formats of before zstd 0.8 are refused. libzstd stays in here and in bundle_write.c.
 */
#pragma once

#include <sys/types.h>

#include "err.h"
#include "util.h"

#define ZFRAMES_WINDOW_LOG 23

struct zframes;

/* read: like read(2), negative errno on failure. More than max compressed bytes are too-large. */
int zframes_new(ssize_t (*read)(void *ctx, void *p, size_t n), void *ctx, uint64_t max, struct zframes **ret, struct err *err);
void zframes_free(struct zframes *z);
static inline void zframes_free_p(struct zframes **z) {
        zframes_free(*z);
}
#define cleanup_zframes cleanup(zframes_free_p)

/* Goes to the next frame; the one before must have been read to its end. No frame there: truncated. */
int zframes_next(struct zframes *z, struct err *err);
/* Fills p with the frame's content. Fewer than n bytes only at the frame's end. */
ssize_t zframes_read(struct zframes *z, void *p, size_t n, struct err *err);
/* The bytes after the last frame, as they are; 0 at the end. */
ssize_t zframes_read_raw(struct zframes *z, void *p, size_t n, struct err *err);
