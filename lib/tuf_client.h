/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The workflow of a TUF client (specification 1.0.34, section 5): what to fetch next, and what to keep. Whether it is allowed,
 * tuf_trust.h says; how it is fetched, the caller.
 *
 * One client is one update: its start time is fixed, and it sees one state of the repository. Requests are those of the
 * specification and no others: each newer root until one is not there, the timestamp, and the snapshot, the targets and the
 * delegated roles as far as what is stored is not current.
 */
#pragma once

#include "tuf_store.h"
#include "tuf_trust.h"

#define TUF_ROOTS_MAX 256 /* new roots in one update; the rest comes with the next */

struct tuf_client;

struct tuf_client_options {
        /* A file of the metadata folder, of at most max bytes: more is too-large, as soon as it is seen. -ENOENT when the
         * repository does not have it (HTTP 404, 410); -EPERM when it forbids it (HTTP 403): an object store that may not list what
         * it has says so of what it does not have. For the next root, and for nothing else, both are the same. `path` is
         * "timestamp.json", "7.root.json", "1.%3F.json"... */
        int (*get)(void *ctx, const char *path, uint64_t max, struct buf *out, struct err *err);
        /* Called for every document once it is trusted, in the order of trust, whether it was fetched or stored: the first
         * root, each further one, the timestamp, the snapshot, the targets, delegated roles. For a set that somebody else
         * checks again. May be NULL. */
        int (*trusted)(void *ctx, const char *role, const struct tuf_signed *s, struct err *err);
        void *ctx;
        struct tuf_store store;
        /* The root to begin with; NULL: the store's. With an anchor the store has a history: without one, each update would take
         * a rotation of long ago for a new one, and forget what was trusted since. */
        const void *anchor;
        size_t anchor_len;
        int64_t now; /* of the whole update */
};

/* Loads the first root (and the stored chain from there, if the store has a history). Nothing is fetched. -ENOENT: the store
 * has no root and there is no anchor. */
int tuf_client_new(const struct tuf_client_options *options, struct tuf_client **ret, struct err *err);
void tuf_client_free(struct tuf_client *c);
static inline void tuf_client_free_p(struct tuf_client **c) {
        tuf_client_free(*c);
}
#define cleanup_tuf_client cleanup(tuf_client_free_p)

/* Once per client. What was trusted before a failure stays stored, as the specification says. -ENODATA: the repository lacks a
 * file that it must have. */
int tuf_client_refresh(struct tuf_client *c, struct err *err);
/* After the refresh, any number of times: fetches the delegated roles it needs. -ENOENT (unknown-target). `ret` is good until
 * the next call. */
int tuf_client_find(struct tuf_client *c, const char *path, struct tuf_target *ret, struct err *err);
/* The set, for everything else. */
const struct tuf_trust *tuf_client_trust(const struct tuf_client *c);
/* The target's file name below the targets folder, with its hash where the repository has consistent snapshots. */
int tuf_client_target_name(const struct tuf_client *c, const char *path, const struct tuf_target *target, struct buf *out,
                           struct err *err);
