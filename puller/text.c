/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <string.h>

/* The same as utf8_decode(), of n bytes that need no terminator; n > 0. */
static size_t decode(const void *bytes, size_t n, uint32_t *ret) {
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* of each length: only the shortest form is valid */
        const unsigned char *p = bytes;
        size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
        uint32_t c = len > 1 ? p[0] & (0x7fU >> len) : p[0];

        if (len > n)
                return 0;
        for (size_t i = 1; i < len; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (p[i] & 0x3f);
        }
        if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        *ret = c;
        return len;
}

size_t utf8_decode(const char *text, uint32_t *ret) {
        if (*text == 0) {
                *ret = 0;
                return 1;
        }
        return decode(text, strnlen(text, 4), ret);
}

bool utf8_valid(const void *p, size_t n) {
        const char *s = p;
        uint32_t c;

        while (n > 0) {
                size_t len = decode(s, n, &c);

                if (len == 0)
                        return false;
                s += len;
                n -= len;
        }
        return true;
}

void text_clean(char *ret, size_t size, const char *text) {
        size_t at = 0;

        if (size == 0)
                return;
        while (*text) {
                uint32_t c = 0;
                size_t n = utf8_decode(text, &c);
                bool valid = n > 0;

                if (!valid)
                        n = 1;
                if (at + n >= size)
                        break;
                if (!valid || c < 0x20 || (c >= 0x7f && c <= 0x9f))
                        ret[at++] = valid ? ' ' : '?';
                else {
                        memmove(ret + at, text, n); /* may be the same place */
                        at += n;
                }
                text += n;
        }
        ret[at] = 0;
}
