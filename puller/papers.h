/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Papers: the metadata of a release repository that vouches for something, in the order of trust (the anchor, each newer root,
 * the timestamp, the snapshot, the targets, delegated roles), and the small files it lists (rollouts).
 *
 * One form for all: the fetcher hands them to the supervisor so, the supervisor keeps what it trusts so, and a kept release's
 * receipt holds those that authorised it. They are the exact signed bytes with their signatures; whoever reads them verifies
 * them again, and until then nothing in them is trusted.
 */
#pragma once

#include "tuf_trust.h"

#define PAPERS_MAX (16u << 20)
#define PAPERS_COUNT_MAX 512

enum paper_kind {
        PAPER_METADATA = 1,
        PAPER_FILE, /* a target */
};

struct paper {
        enum paper_kind kind;
        char name[256];      /* role, or target path */
        struct tuf_signed s; /* PAPER_METADATA */
        struct buf data;     /* PAPER_FILE */
};
struct papers {
        struct paper *list;
        size_t n;
};
void papers_done(struct papers *p);
#define cleanup_papers cleanup(papers_done)

/* Copies. malformed: too long a name; too-large. */
int papers_add_metadata(struct papers *p, const char *role, const struct tuf_signed *s, struct err *err);
int papers_add_file(struct papers *p, const char *path, const void *data, size_t n, struct err *err);
const struct paper *papers_find(const struct papers *p, enum paper_kind kind, const char *name);

/*
 * "LSMPAPR1", u32 count; each: u8 kind, u16 length of the name, the name, u32 length, the packed tuf_signed or the file.
 * Integers are little-endian. Unpacking takes exactly what packing writes (malformed).
 */
int papers_pack(const struct papers *p, struct buf *out, struct err *err);
int papers_unpack(const void *data, size_t n, struct papers *ret, struct err *err);

/*
 * Checks them from the anchor on: roots, timestamp, snapshot, targets; delegated roles come with papers_target(). `before` (NULL:
 * none) are those trusted the last time, from the same anchor: no version may go back behind theirs; a timestamp of the same
 * version is replaced in p by the one of `before`, which stays trusted.
 * malformed: not from this anchor, something is missing or out of order; and every reason of tuf_trust.h.
 */
int papers_verify(struct papers *p, const struct tuf_signed *anchor, const struct papers *before,
                  const struct tuf_trust_options *options, struct tuf_trust **ret, struct err *err);
/* A target's entry; roles that delegate to it are taken from p as they are needed. -ENOENT (unknown-target, or a role that p does
 * not have). */
int papers_target(const struct papers *p, struct tuf_trust *trust, const char *path, struct tuf_target *ret, struct err *err);
/* The file itself, checked against its entry. */
int papers_file(const struct papers *p, struct tuf_trust *trust, const char *path, const struct buf **ret, struct err *err);

/* Are they trust in the same words? Digest of the packed form. */
int papers_digest(const struct papers *p, uint8_t ret[static SHA256_SIZE], struct err *err);
