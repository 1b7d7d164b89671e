/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle as it comes from the fetcher, piece by piece: everything about it is hostile until intake_finish() has said yes. What
 * was believed is decided here, in the supervisor, from the exact bytes.
 */
#pragma once

#include "release.h"

struct intake {
        const struct bundle_trust *trust;
        const struct bundle_limits *limits;
        struct buf bytes; /* trusted, once there is a manifest */
        struct signature *sigs;
        size_t n_sigs;
        struct manifest *manifest;
        int *fds; /* of the members that have come: anything, as far as we know */
        size_t n_fds;
};
void intake_done(struct intake *in);

/* The manifest's signed bytes and an array of struct fetch_signature: trust first, then what they say: from here on it is known
 * how much may still come. */
int intake_manifest(struct intake *in, const int fds[static 2], struct err *err);
/* The next member; takes over *fd, by setting it to -1. */
int intake_member(struct intake *in, uint32_t member, int *fd, struct err *err);
int intake_finish(struct intake *in, struct release *ret, struct err *err);

/* Whole content of a sealed memory file; by position, because the sender shares the file's offset. too-large unless it has min to
 * max bytes. */
int memory_file_read(int fd, size_t min, size_t max, struct buf *ret, struct err *err);
/* malformed: the fetcher misbehaves. */
int intake_nonsense(struct err *err, const char *what);
