/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making bundles that nobody should accept, from one that everybody should. The project's own writer makes no bad archive, so tar
 * and zstd are put together here byte by byte; signatures are real ones, so that what is refused is refused for what is wrong with
 * it and not for its signature.
 *
 * This is a test's tool: whatever goes wrong in it ends it.
 */
#pragma once

#include <linux/types.h>

#include "bundle.h"
#include "lsm_abi.h"

#define BLOCK 512

/* As the manifest has it. */
#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define ABI "\"abi\":" TEXT(LSM_ABI)

/* The good bundle: as it was read, with two more members than lsmbundle has given it. */
struct forge {
        struct bundle_member *members;
        size_t n;
        json_t *doc;     /* the manifest's `signed` */
        struct buf text; /* the same, canonical */
        struct privkey *test, *other;
        const char *dir; /* where cases go */
        FILE *table;
};

/* Fails loudly when cond does not hold. */
#define must(cond) must_be(cond, #cond, __FILE__, __LINE__)
void must_be(bool cond, const char *what, const char *file, int line);

void forge_init(struct forge *f, const char *bundle, const char *keys, const char *dir);
void forge_done(struct forge *f);

/* ---- tar ------------------------------------------------------------------------------------------------------------ */

/* What a header may say. NULL and 0: what an honest one says. */
struct tar_header {
        const char *path;
        char type; /* 0: '0', a regular file */
        const char *link;
        uint64_t size;
        const char *size_field; /* 12 bytes, instead of size */
        bool bad_checksum;
};
void tar_header_put(struct buf *tar, const struct tar_header *h);
/* The bytes, and zeros up to a whole block. */
void tar_data_put(struct buf *tar, const void *p, size_t n);
void tar_file_put(struct buf *tar, const char *path, const void *p, size_t n);
/* A record of an extended header, and the header (type x or g) of such records. */
void pax_record_put(struct buf *records, const char *key, const char *value);
void tar_pax_put(struct buf *tar, char type, const struct buf *records);
void zeros_put(struct buf *b, size_t n);
/* Members [from, to) as the manifest lists them. */
void members_put(const struct forge *f, struct buf *tar, size_t from, size_t to);
/* The two zero blocks. */
void tar_end_put(struct buf *tar);

/* ---- zstd ----------------------------------------------------------------------------------------------------------- */

/* One frame, compressed as usual. */
void frame_put(struct buf *out, const void *p, size_t n);
/* One frame of raw blocks, every byte of p a byte of the archive, and then `zeros` zeros in blocks of four bytes each 128 KiB. */
void frame_put_raw(struct buf *out, const void *p, size_t n, uint64_t zeros);
/* One frame with this header, raw blocks behind it. */
void frame_put_header(struct buf *out, const void *header, size_t header_len, const void *p, size_t n);

/* ---- manifests ------------------------------------------------------------------------------------------------------ */

struct signer {
        const struct privkey *key;
        const struct privkey *named; /* whose key id stands there; NULL: its own */
        const uint8_t *keyid;        /* or this one */
        const struct buf *over;      /* what is signed; NULL: the text */
};
/* An envelope around exactly this text, whatever it is, signed over exactly these bytes. */
void envelope_put(struct buf *out, const struct buf *text, const struct signer *signers, size_t n);
/* The envelope signed by the test key alone. */
void envelope_put_plain(const struct forge *f, struct buf *out, const struct buf *text);
void canonical_put(struct buf *out, const json_t *doc);
/* A digest as text. */
void digest_hex(const void *p, size_t n, char hex[static SHA256_HEX]);

/* ---- cases ---------------------------------------------------------------------------------------------------------- */

enum where {
        BOTH,    /* refused by whoever verifies */
        ON_NODE, /* in order as a bundle; a node refuses it without a try */
        ON_LOAD, /* a node finds out in trying */
};
/* Writes NAME.tar.zst, and NAME, REASON, WHERE and the keys to trust into the table. "accepted" is a reason, too. */
void case_put(struct forge *f, const char *name, const char *reason, enum where where, const char *keys,
              const struct buf *archive);
/* Archives of these parts, signed by the test key, which is to be trusted. */
void case_put_tar(struct forge *f, const char *name, const char *reason, const struct buf *tar);
void case_put_manifest(struct forge *f, const char *name, const char *reason, const struct buf *manifest);
void case_put_text(struct forge *f, const char *name, const char *reason, enum where where, const struct buf *text);
/* The manifest's tar. */
void manifest_tar_put(struct buf *tar, const struct buf *manifest);

void cases_archive(struct forge *f);    /* members: which, where, of what kind and name */
void cases_headers(struct forge *f);    /* what tar headers may say besides */
void cases_frames(struct forge *f);     /* ends, cuts, flips, zstd */
void cases_manifest(struct forge *f);   /* signed, and wrong */
void cases_json(struct forge *f);       /* not JSON as signed documents use it */
void cases_signatures(struct forge *f); /* who signed what */
void cases_node(struct forge *f);       /* what only a node sees */
