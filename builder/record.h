/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an object was made from: every file that the compiler read, with its digest. It is the provenance of the object, and
 * what decides whether a kept object is still the answer: when each file is unchanged and no new file would be found in
 * front of one of them.
 */
#pragma once

#include "buf.h"
#include "digest.h"
#include "strv.h"
#include "toolchain.h"

enum origin {
        ORIGIN_TREE,   /* the bundle's own sources */
        ORIGIN_OURS,   /* the headers in this program */
        ORIGIN_SYSTEM, /* the compiler's and the system's */
};

struct source_file {
        char *path; /* where it was read */
        char *name; /* what it is called in the bundle: relative to the tree's root, or as it is for SYSTEM */
        enum origin origin;
        uint8_t sha256[SHA256_SIZE];
};

struct record {
        struct source_file *files;
        size_t n_files;
        uint8_t shadows[SHA256_SIZE];
        char *messages; /* the compiler's warnings */
};
void record_done(struct record *r);
#define cleanup_record cleanup(record_done)

/* What our own headers' directory is called in names: "lsm/lsm_policy.h". */
#define RECORD_OURS "lsm"

struct record_place {
        const char *root; /* top of the tree: names are relative to it, and the compiler ran there */
        const char *bundle_dir;
        const char *ours; /* where our headers lay, as the compiler spells it; NULL: it did not run */
        const struct strv *system_dirs;
};

/* From the paths a compiler listed. Reads and hashes every file; one that changed
 * after `start_ns` (CLOCK_REALTIME) is an error, because nobody knows which content was compiled. */
int record_make(const struct strv *paths, const struct record_place *place, int64_t start_ns, const char *messages,
                struct record *ret, struct err *err);
/* Do the files still say the same, on this machine, now? */
bool record_holds(const struct record *r, const struct record_place *place);

/* For the cache: record and object in one. */
int record_pack(const struct record *r, const struct buf *object, struct buf *ret);
int record_unpack(const struct buf *packed, struct record *ret, struct buf *ret_object);
