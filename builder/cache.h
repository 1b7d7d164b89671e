/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of what can be made again, under $XDG_CACHE_HOME/lsmbundle (else ~/.cache/lsmbundle). It is only ever a shortcut:
 * an entry that is damaged, cut short or somebody else's is as good as none, and nothing fails because of the cache.
 */
#pragma once

#include "buf.h"
#include "digest.h"

struct cache;
/* NULL: there is none (no home, not writable, or a directory that others could write to). */
struct cache *cache_open(void);
void cache_free(struct cache *cache);
static inline void cache_free_p(struct cache **cache) {
        cache_free(*cache);
}
#define cleanup_cache cleanup(cache_free_p)

/* 0, or -ENOENT when there is nothing whole under that key. cache may be NULL. */
int cache_get(struct cache *cache, const uint8_t key[static SHA256_SIZE], struct buf *ret);
void cache_put(struct cache *cache, const uint8_t key[static SHA256_SIZE], const void *p, size_t n);
