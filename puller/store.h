/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: releases as they were verified, on disk, with the receipt that says on whose authority. What is read back is
 * verified again, from the receipt's keys, before it is used: the disk is not trusted.
 *
 *      STATE/store/CONTENT-ID/signed        canonical signed bytes
 *                             signatures    records of one size: keyid[32], u16 length (little-endian), signature[1024], zeros behind
 *                             receipt.json  {"_type":"lsm-receipt","format":1,"keys":[SPKI...],"threshold":N,"source":TEXT,
 *                                           "accepted":TIME}; a key is the base64 of its PEM, without the lines around it
 *                             papers        instead of keys: the metadata that vouches for it (papers.h); the receipt then has
 *                                           "target", the path it is listed under
 *                             member/0000   each member, in the manifest's order
 *
 * A folder appears whole (written under a temporary name, every file and folder synced, then renamed) or not at all. No link in
 * it is followed, and a file too many is refused like one too few.
 */
#pragma once

#include "papers.h"
#include "release.h"

/* On whose authority: keys that an operator named, or a repository's metadata, which vouches for a target. */
struct receipt {
        struct keyring ring;
        size_t threshold;     /* 1 to ring.n; 0 with papers */
        struct papers papers; /* from the anchor of then to the role that lists the target */
        char target[256];     /* with papers: its path; else "" */
        char *source;         /* what it was installed from, for status; control characters are not kept */
        uint64_t accepted;    /* seconds since the epoch */
};
void receipt_done(struct receipt *r);
#define cleanup_receipt cleanup(receipt_done)
/* Checks the papers, whatever has expired or been revoked since: what was accepted once stays in force. The content id that they
 * vouch for; ret_trust (may be NULL): for who has signed what. */
int receipt_content(const struct receipt *r, uint8_t ret[static SHA256_SIZE], struct tuf_trust **ret_trust, struct err *err);

/* Keeping what is there already, with its older receipt, is success; but what is there and does not verify is replaced. */
int store_put(int state_fd, const struct release *rel, const struct receipt *receipt, struct err *err);
/* Verifies with the receipt's keys; the folder's name must be the content id of what it holds (digest-mismatch). -ENOENT when
 * there is no such release. ret_receipt may be NULL. */
int store_get(int state_fd, const char *content_hex, struct release *ret, struct receipt *ret_receipt, struct err *err);
/* Nothing to remove is success. */
int store_remove(int state_fd, const char *content_hex, struct err *err);
/* Removes every release that is not among these ids, and what interrupted writes left behind: half-written releases here, and
 * temporary files in STATE, STATE/journal and STATE/bake. Nobody else may be writing there. Goes on past failures; returns the first. */
int store_collect(int state_fd, const char *const *keep, size_t n_keep, struct err *err);
