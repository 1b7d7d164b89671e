/* SPDX-License-Identifier: Apache-2.0 */
#include "util.h"

static const char hex_digits[] = "0123456789abcdef";

void hex_encode(const uint8_t *bytes, size_t n, char *hex) {
        for (size_t i = 0; i < n; i++) {
                *hex++ = hex_digits[bytes[i] >> 4];
                *hex++ = hex_digits[bytes[i] & 15];
        }
        *hex = 0;
}

/* Lower case only: one value has one spelling. */
static int nibble(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return -1;
}

int hex_decode(const char *hex, uint8_t *ret_bytes, size_t n) {
        for (size_t i = 0; i < 2 * n; i++)
                if (nibble(hex[i]) < 0) /* the terminator is no digit either: nothing is read past it */
                        return -EINVAL;
        if (hex[2 * n])
                return -EINVAL;
        for (size_t i = 0; i < n; i++)
                ret_bytes[i] = (uint8_t)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
        return 0;
}

bool name_valid(const char *name) {
        size_t n = strnlen(name, 64);

        if (n < 1 || n > 63 || name[0] == '-')
                return false;
        return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}
