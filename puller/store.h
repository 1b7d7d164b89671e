/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store: releases as they were verified, on disk, with the receipt that says on whose authority. What is read back is
 * verified again, from the receipt's keys, before it is used: the disk is not trusted.
 *
 *      STATE/store/CONTENT-ID/signed        canonical signed bytes
 *                             signatures    fixed-size records: keyid[32], u16 length, signature
 *                             receipt.json  {"_type":"lsm-receipt","format":1,"keys":[PEM...],"threshold":N,"source":TEXT,"accepted":TIME}
 *                             member/0000   each member, in the manifest's order
 *
 * A directory appears whole (written under a temporary name, every file and directory synced, then renamed) or not at all.
 */
#pragma once

#include "release.h"

struct receipt {
        struct keyring ring;
        size_t threshold;
        char *source;                /* what it was installed from, for status */
        uint64_t accepted;           /* seconds since the epoch */
};
void receipt_done(struct receipt *r);
#define cleanup_receipt cleanup(receipt_done)

/* Keeping what is there already is success. */
int store_put(int state_fd, const struct release *rel, const struct receipt *receipt, struct err *err);
/* Verifies with the receipt's keys; the directory's name must be the content id of what it holds. */
int store_get(int state_fd, const char *content_hex, struct release *ret, struct receipt *ret_receipt, struct err *err);
int store_remove(int state_fd, const char *content_hex, struct err *err);
/* Removes every release that is not among these ids, and leftovers of interrupted writes. */
int store_collect(int state_fd, const char *const *keep, size_t n_keep, struct err *err);
