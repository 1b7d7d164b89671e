/* SPDX-License-Identifier: Apache-2.0 */
/* Ownership by attribute, checked arithmetic, small byte helpers. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define cleanup(f) __attribute__((cleanup(f)))

static inline void free_p(void *p) {
        free(*(void **)p);
}
static inline void close_p(int *fd) {
        if (*fd >= 0) {
                int e = errno;
                close(*fd);
                errno = e;
        }
}
#define cleanup_free cleanup(free_p)
#define cleanup_fd cleanup(close_p)

#define steal_pointer(p)                     \
        ({                                   \
                __typeof__(p) _stolen = (p); \
                (p) = NULL;                  \
                _stolen;                     \
        })
static inline int steal_fd(int *fd) {
        int r = *fd;
        *fd = -1;
        return r;
}

/* true when the result does not fit. */
#define add_overflows(a, b, ret) __builtin_add_overflow((a), (b), (ret))
#define mul_overflows(a, b, ret) __builtin_mul_overflow((a), (b), (ret))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

/* Zeroed array of n elements; NULL when n * size overflows or memory is short. */
static inline void *new_array(size_t n, size_t size) {
        return calloc(n ? n : 1, size);
}

/* hex has room for 2 n + 1 bytes. */
void hex_encode(const uint8_t *bytes, size_t n, char *hex);
/* Exactly 2 n lower-case hex digits and the end of the string; else -EINVAL and ret is untouched. */
int hex_decode(const char *hex, uint8_t *ret_bytes, size_t n);

/* Names of bundles and policies: [a-z0-9][a-z0-9-]{0,62}. */
bool name_valid(const char *name);
