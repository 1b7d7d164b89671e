/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdint.h>
#include <string.h>

/* Length of the well-formed sequence at p (RFC 3629: shortest form, no surrogate, at most U+10FFFF), or 0. The terminator
 * is no continuation byte, so nothing is read past it. */
static size_t utf8_decode(const unsigned char *p, uint32_t *ret) {
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
        uint32_t c;

        if (n <= 1) {
                *ret = p[0];
                return n;
        }
        c = p[0] & (0x7fU >> n);
        for (size_t i = 1; i < n; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (p[i] & 0x3f);
        }
        if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        *ret = c;
        return n;
}

void text_clean(char *ret, size_t size, const char *text) {
        const unsigned char *p = (const unsigned char *)text;
        size_t at = 0;

        if (size == 0)
                return;
        while (*p) {
                uint32_t c;
                size_t n = utf8_decode(p, &c);

                if (at + (n ? n : 1) >= size)
                        break;
                if (n == 0) {
                        ret[at++] = '?';
                        p++;
                } else if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) {
                        ret[at++] = ' ';
                        p += n;
                } else {
                        memmove(ret + at, p, n); /* may be the same place */
                        at += n;
                        p += n;
                }
        }
        ret[at] = 0;
}
