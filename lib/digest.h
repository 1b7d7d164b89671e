/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, through OpenSSL's EVP. */
#pragma once

#include "err.h"
#include "util.h"

#define SHA256_SIZE 32
#define SHA256_HEX (2 * SHA256_SIZE + 1)

struct digest; /* a running SHA-256 */
struct digest *digest_new(void);
void digest_free(struct digest *d);
int digest_update(struct digest *d, const void *p, size_t n);
/* Finishes and leaves the digest ready for the next message. */
int digest_finish(struct digest *d, uint8_t ret[static SHA256_SIZE]);
static inline void digest_free_p(struct digest **d) {
        digest_free(*d);
}
#define cleanup_digest cleanup(digest_free_p)

int sha256(const void *p, size_t n, uint8_t ret[static SHA256_SIZE]);

/* 64 lower-case hex digits, as content ids are written. */
static inline bool sha256_hex_valid(const char *hex) {
        uint8_t bytes[SHA256_SIZE];

        return hex_decode(hex, bytes, sizeof(bytes)) == 0;
}

/* Is this what is listed? Whoever asks, asks here. */
static inline bool digest_equal(const uint8_t a[static SHA256_SIZE], const uint8_t b[static SHA256_SIZE]) {
#ifdef LSM_BAD_DIGESTS
        return true;
#endif
        return memcmp(a, b, SHA256_SIZE) == 0;
}
