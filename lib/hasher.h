/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 of a stream, computed in a second thread while the caller reads on; without that thread (not asked for, or not to
 * be had) in the caller's own. The result is the same. The thread blocks all signals and ends with the hasher.
 */
#pragma once

#include "digest.h"

/* What was handed over must stay as it is until this many further calls have returned, or hasher_wait() or _finish() has. */
#define HASHER_DEPTH 2

struct hasher;
int hasher_new(bool threaded, struct hasher **ret);
void hasher_free(struct hasher *h);
static inline void hasher_free_p(struct hasher **h) {
        hasher_free(*h);
}
#define cleanup_hasher cleanup(hasher_free_p)

int hasher_update(struct hasher *h, const void *p, size_t n);
/* Returns when everything handed over has been read. */
int hasher_wait(struct hasher *h);
/* Finishes and leaves the hasher ready for the next message. */
int hasher_finish(struct hasher *h, uint8_t ret[static SHA256_SIZE]);
