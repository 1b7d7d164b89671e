/* SPDX-License-Identifier: Apache-2.0 */
/* Files: whole reads with a cap, durable replacement, sealed memory files. */
#pragma once

#include <sys/types.h>

#include "buf.h"
#include "err.h"

/* Reads at most max bytes; a longer file is too-large. EINTR and short reads are handled. */
int fd_read_all(int fd, size_t max, struct buf *ret, struct err *err);
int file_read(int dirfd, const char *path, size_t max, struct buf *ret, struct err *err);
int fd_write_all(int fd, const void *p, size_t n);
/* read(2) from *(int *) fd, without EINTR and with a negative errno: for those who take a function to read with. */
ssize_t fd_read_some(void *fd, void *p, size_t n);

/* The first `length` bytes, in pieces, by offset: the position of a memory file is shared with everybody it was passed to. truncated
 * when there are fewer. What `piece` returns below 0 ends it. */
int fd_read_pieces(int fd, uint64_t length, int (*piece)(void *ctx, const void *p, size_t n, struct err *err), void *ctx,
                   struct err *err);

/* Replaces NAME under dirfd so that after a power cut it holds either the old or the new content, whole:
 * temporary file, write, fsync, rename, fsync of the directory. On failure the old file is untouched and nothing is left
 * behind. NAME may be a path. */
int file_replace(int dirfd, const char *name, mode_t mode, const void *p, size_t n, struct err *err);
/* The same, but an existing NAME is an error (-EEXIST) and is never touched. */
int file_create(int dirfd, const char *name, mode_t mode, const void *p, size_t n, struct err *err);

/* An empty memfd to be filled; then seal it, against every change and further seals, and rewound. */
int memfd_new(const char *name, struct err *err);
int memfd_seal(int fd, struct err *err);
/* Both at once: a memfd with this content. Returns the fd. */
int memfd_sealed(const char *name, const void *p, size_t n, struct err *err);
/* All of a memory file, wherever its position is (which it shares with whoever else holds it). */
int memfd_read(int fd, size_t max, struct buf *ret, struct err *err);
/* Refuses (malformed) a descriptor that is not a memfd sealed against write, grow and shrink. */
int memfd_check_sealed(int fd, struct err *err);
