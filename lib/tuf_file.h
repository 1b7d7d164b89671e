/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that metadata lists: their length and hashes (TUF 1.0.34: METAFILES in sections 4.4 and 4.5, TARGETS in 4.6).
 *
 * SHA-256 and SHA-512 are known. A hash by another algorithm is passed over; a file that is listed with none that is known
 * cannot be checked, and is refused.
 */
#pragma once

#include "digest.h"
#include "json.h"

#define SHA512_SIZE 64

struct tuf_file {
        bool known; /* false: the file itself was not seen, only what was in it */
        uint64_t length;
        uint8_t sha256[SHA256_SIZE];
        uint8_t sha512[SHA512_SIZE];
};

/* Piece by piece, for files that are not held in memory. */
struct tuf_hasher;
struct tuf_hasher *tuf_hasher_new(void);
void tuf_hasher_free(struct tuf_hasher *h);
static inline void tuf_hasher_free_p(struct tuf_hasher **h) {
        tuf_hasher_free(*h);
}
#define cleanup_tuf_hasher cleanup(tuf_hasher_free_p)
int tuf_hasher_update(struct tuf_hasher *h, const void *p, size_t n);
/* Ends it: h is only good for being freed afterwards. */
int tuf_hasher_finish(struct tuf_hasher *h, struct tuf_file *ret);

/* Exactly n (at most SHA512_SIZE) bytes in hex, in either case. */
bool tuf_hash_decode(const char *hex, uint8_t *ret, size_t n);

int tuf_file_of(const void *p, size_t n, struct tuf_file *ret);

/* Is this the file that `entry` ({"length", "hashes"}, each may be absent) lists? length-mismatch; digest-mismatch when any hash
 * that is known differs, or when there are hashes and none is known. A file that was not seen passes: what can be said of it is
 * its version, which others check. */
int tuf_file_check(const struct tuf_file *file, const json_t *entry, struct err *err);
