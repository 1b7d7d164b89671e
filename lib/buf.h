/* SPDX-License-Identifier: Apache-2.0 */
/* A growable byte buffer. After a failed append the buffer is unchanged; `data` is always NUL-terminated past `len`
 * (an empty buffer may have no data at all). */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "util.h"

struct buf {
        char *data;
        size_t len, cap;
};

void buf_done(struct buf *b);
#define cleanup_buf cleanup(buf_done)
/* For secrets: overwrites before it frees. Growing leaves copies behind, so append a secret at once to an empty buffer. */
void buf_wipe(struct buf *b);
#define cleanup_buf_wipe cleanup(buf_wipe)
/* Room for n more bytes without moving `data`. */
int buf_reserve(struct buf *b, size_t n);
int buf_append(struct buf *b, const void *p, size_t n);
int buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_vprintf(struct buf *b, const char *fmt, va_list ap);
