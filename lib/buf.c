/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"

#include <stdio.h>

void buf_done(struct buf *b) {
        free(b->data);
        *b = (struct buf){};
}

void buf_wipe(struct buf *b) {
        if (b->data)
                explicit_bzero(b->data, b->cap);
        buf_done(b);
}

int buf_reserve(struct buf *b, size_t n) {
        size_t need, cap;
        char *p;

        if (add_overflows(b->len, n, &need) || add_overflows(need, 1, &need))
                return -ENOMEM;
        if (need <= b->cap)
                return 0;
        /* An exact first allocation: most buffers are filled once. After that, doubling. */
        if (mul_overflows(b->cap, 2, &cap) || cap < need)
                cap = need;
        p = realloc(b->data, cap);
        if (!p)
                return -ENOMEM;
        b->data = p;
        b->cap = cap;
        b->data[b->len] = 0;
        return 0;
}

int buf_append(struct buf *b, const void *p, size_t n) {
        int r = buf_reserve(b, n);

        if (r < 0)
                return r;
        if (n)
                memcpy(b->data + b->len, p, n);
        b->len += n;
        b->data[b->len] = 0;
        return 0;
}

int buf_printf(struct buf *b, const char *fmt, ...) {
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = buf_vprintf(b, fmt, ap);
        va_end(ap);
        return r;
}

int buf_vprintf(struct buf *b, const char *fmt, va_list ap) {
        va_list again;
        int n, r;

        va_copy(again, ap);
        n = vsnprintf(NULL, 0, fmt, again);
        va_end(again);
        if (n < 0)
                return -EINVAL;
        r = buf_reserve(b, (size_t)n);
        if (r < 0)
                return r;
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
        b->len += (size_t)n;
        return 0;
}
