/* SPDX-License-Identifier: Apache-2.0 */
/* Names and encodings inside a stored release; store.c writes them, store_get.c reads them. */
#pragma once

#include "json.h"
#include "store.h"

#define STORE_FOLDER "store"
#define STORE_SIGNED "signed"
#define STORE_SIGNATURES "signatures"
#define STORE_RECEIPT "receipt.json"
#define STORE_MEMBERS "member"
#define STORE_PAPERS "papers"

#define RECEIPT_TYPE "lsm-receipt"
#define RECEIPT_MAX (64u * 1024)
#define STORE_SIGNATURES_MAX (SIGNATURES_MAX * (SHA256_SIZE + 2 + SIG_MAX))
#define MEMBER_NAME_LEN 16

/* malformed unless it is a content id: names of folders come from here and from nowhere else. */
int content_hex_check(const char *content_hex, struct err *err);
void member_name(size_t i, char ret[static MEMBER_NAME_LEN]);
/* The first `length` bytes of one file to the end of another, in pieces; truncated when there are fewer. */
int content_copy(int from, int to, uint64_t length, struct err *err);

int signatures_encode(const struct signature *sigs, size_t n, struct buf *out, struct err *err);
int signatures_decode(const void *p, size_t n, struct signature **ret, size_t *ret_n, struct err *err);

/* Refuses (malformed) a receipt by which anything, or nothing, could be accepted. */
int receipt_check(const struct receipt *r, struct err *err);
int receipt_encode(const struct receipt *r, json_t **ret, struct err *err);
/* Without the papers: ret->target says that there are some. receipt_check() is the caller's. */
int receipt_decode(const json_t *doc, struct receipt *ret, struct err *err);
