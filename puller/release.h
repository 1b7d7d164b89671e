/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A release in memory, exactly as it was verified: the signed bytes with their signatures, and every member as a sealed memfd.
 * Wherever the bytes come from (fetcher, store), release_verify() is the one way to obtain one.
 */
#pragma once

#include "bundle.h"

struct release {
        struct buf signed_bytes; /* canonical bytes of the manifest's `signed` */
        struct signature *sigs;
        size_t n_sigs;
        struct manifest *manifest; /* parsed from signed_bytes, after the signatures held */
        int *members;              /* sealed memfds in the manifest's order: manifest->n_members of them */
        struct sig_report report;  /* which keys of the ring have signed */
};
#define RELEASE_INIT ((struct release){0})

void release_done(struct release *r);
#define cleanup_release cleanup(release_done)

/*
 * Takes over signed_bytes, sigs and the n_fds descriptors (closed on failure, too). In this order: the signatures over the exact
 * bytes, type and format, the manifest, then each descriptor: a sealed memfd of the listed length and SHA-256, computed here.
 * Members come out opened anew and read-only, so that nobody who kept what was sent shares a file position with those who read.
 */
int release_verify(struct buf *signed_bytes, struct signature *sigs, size_t n_sigs, int *fds, size_t n_fds,
                   const struct bundle_trust *trust, struct release *ret, struct err *err);
