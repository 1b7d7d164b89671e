/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks of a TUF client (specification 1.0.34, section 5), without the workflow: no files, no network, no clock. Metadata
 * goes in as tuf_signed, in the order of the specification; signatures are checked over the exact bytes before these are
 * parsed; what is refused changes nothing. The fetcher runs it while it downloads (tuf_client.h), and the supervisor again,
 * over what the fetcher hands to it: any input is safe, whoever wrote it.
 *
 *     tuf_trust_new(root) -> tuf_trust_root(next root)... -> tuf_trust_roots_known() -> tuf_trust_root(newer)...
 *       -> tuf_trust_previous(timestamp), tuf_trust_previous(snapshot)      what was trusted the last time, if anything
 *       -> tuf_trust_timestamp() -> tuf_trust_keep_snapshot() or tuf_trust_snapshot() -> tuf_trust_targets()
 *       -> tuf_trust_find() <-> tuf_trust_delegated(), for each target
 *
 * A call out of that order is refused with -EINVAL.
 *
 * Memory: a set holds the current document of each top-level role and at most TUF_DELEGATED_MAX delegated ones, each at most
 * as large as its TUF_..._MAX says.
 */
#pragma once

#include "tuf_metadata.h"
#include "tuf_signed.h"
#include "tuf_verify.h"

/* Sizes of files and bounds of the search: those of the reference implementation. */
#define TUF_ROOT_MAX 512000
#define TUF_TIMESTAMP_MAX 16384
#define TUF_SNAPSHOT_MAX 2000000
#define TUF_TARGETS_MAX 5000000
#define TUF_VISITS_MAX 32    /* delegated roles visited for one target */
#define TUF_DELEGATED_MAX 64 /* delegated documents held at once */

struct tuf_trust;

struct tuf_trust_options {
        int64_t now;        /* the fixed start of the update, in seconds since 1970: what has expired by then is refused */
        bool ignore_expiry; /* for what was accepted once and is started again (a receipt at boot) */
};

/* The root that is trusted to begin with: it must be signed by its own keys, and may have expired. */
int tuf_trust_new(const struct tuf_signed *root, const struct tuf_trust_options *options, struct tuf_trust **ret,
                  struct err *err);
void tuf_trust_free(struct tuf_trust *t);
static inline void tuf_trust_free_p(struct tuf_trust **t) {
        tuf_trust_free(*t);
}
#define cleanup_tuf_trust cleanup(tuf_trust_free_p)

/* The next root: its version is the current one's plus 1, a threshold of the current and of its own keys have signed it. It may
 * have expired: the last one must not have, which is checked with the timestamp. */
int tuf_trust_root(struct tuf_trust *t, const struct tuf_signed *root, struct err *err);
/* The roots up to here are not new: they were trusted when the previous timestamp and snapshot were. */
void tuf_trust_roots_known(struct tuf_trust *t);
/* Has a root since then taken a key away from timestamp or snapshot? Then what was trusted of both must be forgotten: after a
 * compromise their versions may be higher than the repository will ever reach again (section 5.3.11). tuf_trust_previous()
 * refuses them. */
bool tuf_trust_rotated(const struct tuf_trust *t);

/* What was trusted the last time (TUF_TIMESTAMP or TUF_SNAPSHOT), signed by the keys of today; it may have expired. It is the
 * measure for what comes, so that no version goes back. Refused: as if there were none. */
int tuf_trust_previous(struct tuf_trust *t, enum tuf_type type, const struct tuf_signed *s, struct err *err);

/* Returns 1 when this has the version of the previous one: then that is kept, whatever is in this. expired is for the root,
 * too. rolled-back-metadata: an older version, or one that lists an older snapshot. */
int tuf_trust_timestamp(struct tuf_trust *t, const struct tuf_signed *s, struct err *err);
/* true when the previous snapshot is the one that the timestamp lists, and has not expired: nothing needs to be fetched. */
bool tuf_trust_keep_snapshot(struct tuf_trust *t);
/* mixed-metadata: not the version the timestamp lists; rolled-back-metadata: lists an older version of a role than the previous
 * one, or a role no more. Length and hashes, if listed: length-mismatch, digest-mismatch. */
int tuf_trust_snapshot(struct tuf_trust *t, const struct tuf_signed *s, struct err *err);
int tuf_trust_targets(struct tuf_trust *t, const struct tuf_signed *s, struct err *err);

/* What to fetch for a role, of which the current metadata says this. */
struct tuf_want {
        char role[256]; /* as it is, not encoded */
        long long version;
        uint64_t max;  /* bytes */
        size_t parent; /* who delegates to it; for tuf_trust_delegated() */
};
/* TUF_SNAPSHOT (after the timestamp) or TUF_TARGETS (after the snapshot); mixed-metadata when it is not listed. */
int tuf_trust_want(const struct tuf_trust *t, enum tuf_type type, struct tuf_want *ret, struct err *err);
/* Are file names versioned? As the root says. */
bool tuf_trust_consistent(const struct tuf_trust *t);

/* A target's entry. Everything borrowed lives as long as no document is added to t or forgotten. */
struct tuf_target {
        const char *role; /* that vouches for it */
        size_t document;  /* the same, for tuf_trust_document() */
        long long length;
        bool has_sha256;
        uint8_t sha256[SHA256_SIZE];
        const char *hash;     /* hex, for the file's name: SHA-256 if listed, else SHA-512; NULL: it cannot be checked */
        const json_t *entry;  /* for tuf_file_check() */
        const json_t *custom; /* or NULL */
};
/*
 * Searches pre-order, depth first, as section 5.6.7 says. 0; -ENOENT (unknown-target): no such target, or not within
 * TUF_VISITS_MAX roles; -EAGAIN: *ret_want says which role's metadata is needed first; give it to tuf_trust_delegated() and
 * call again. mixed-metadata: a role that the snapshot does not list.
 */
int tuf_trust_find(const struct tuf_trust *t, const char *path, struct tuf_target *ret, struct tuf_want *ret_want,
                   struct err *err);
/* The metadata that tuf_trust_find() wanted: checked with the keys of the role that delegates to it there, each time anew. */
int tuf_trust_delegated(struct tuf_trust *t, const struct tuf_want *want, const struct tuf_signed *s, struct err *err);
/* Drops all delegated documents. */
void tuf_trust_forget(struct tuf_trust *t);

/* What is known of a document. */
struct tuf_document {
        const char *role;
        enum tuf_type type;
        struct tuf_common common;
        bool expired; /* by `now`; in a set that does not ignore expiry only what is "previous" can be */
        const struct tuf_signers *signers;
        long long threshold;
        size_t parent; /* document that delegates to it; its own place for top-level roles */
        const json_t *signed_part;
};
/* Documents are numbered from 0: root, timestamp, snapshot, targets, then the delegated ones in the order they were given. */
size_t tuf_trust_documents(const struct tuf_trust *t);
/* -ENOENT when there is none of that number (yet). */
int tuf_trust_document(const struct tuf_trust *t, size_t i, struct tuf_document *ret);
/* The first of this role; -ENOENT. */
int tuf_trust_role(const struct tuf_trust *t, const char *role, struct tuf_document *ret);
/* Was anything accepted that has expired (options.ignore_expiry)? */
bool tuf_trust_any_expired(const struct tuf_trust *t);
/* May a key of this material sign for that document's role today? */
bool tuf_trust_key_authorised(const struct tuf_trust *t, size_t document, const uint8_t material[static SHA256_SIZE]);
