/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tar in one zstd frame, read member by member: regular files with safe paths, or an error with its own reason. What is
 * checked is what libarchive makes of a member after extended headers, GNU names and the like; nothing is taken from the raw
 * header. For bundle_read.c and bundle_write.c.
 */
#pragma once

#include "zframes.h"

#define TAR_BLOCK 512

struct bundle_tar;

struct bundle_entry {
        const char *path; /* valid until the next member */
        uint64_t length;
        uint64_t mtime;
};

/* Reads z's current frame, which may hold `max` bytes in all (too-large). */
int bundle_tar_new(struct zframes *z, uint64_t max, struct bundle_tar **ret, struct err *err);
void bundle_tar_free(struct bundle_tar *t);
static inline void bundle_tar_free_p(struct bundle_tar **t) {
        bundle_tar_free(*t);
}
#define cleanup_bundle_tar cleanup(bundle_tar_free_p)

/* 1: a member; 0: the tar's end. unsafe-path, not-a-file, malformed, truncated, too-large. */
int bundle_tar_next(struct bundle_tar *t, struct bundle_entry *ret, struct err *err);
/* 1: the next bytes of the member, valid until the next call; 0: its end. */
int bundle_tar_data(struct bundle_tar *t, const void **ret, size_t *ret_n, struct err *err);
/* The frame must hold `length` bytes and no more (trailing-data), no less (truncated). */
int bundle_tar_finish(struct bundle_tar *t, uint64_t length, struct err *err);
/* After bundle_tar_next() has returned 0: two zero blocks, and the frame's end. */
int bundle_tar_end(struct bundle_tar *t, struct err *err);
