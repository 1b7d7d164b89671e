/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a metadata file says and who says so: the canonical bytes of its `signed` part, and its signatures.
 *
 * tuf_signed_parse() is the one place where a repository's JSON is parsed before its signatures are checked; it runs in the
 * unprivileged fetcher. What it makes is handed on packed (tuf_signed_pack): plain lengths and bytes, so that the supervisor
 * checks the signatures over exactly these bytes before it parses anything.
 *
 * Nothing in a tuf_signed is trusted. tuf_trust.h decides.
 */
#pragma once

#include "key.h"
#include "tuf_file.h"

#define TUF_KEYID_MAX 128
#define TUF_SIGNATURES_MAX 64
#define TUF_SIGNED_MAX (8u << 20) /* the largest metadata file there may be */

struct tuf_signature {
        char keyid[TUF_KEYID_MAX + 1]; /* opaque; unique in a tuf_signed; no NUL inside */
        uint8_t sig[SIG_MAX];
        size_t len; /* 0: the file has something there that is no signature (an empty string, not hex) */
};

struct tuf_signed {
        struct buf bytes; /* canonical */
        struct tuf_signature *sigs;
        size_t n_sigs;
        struct tuf_file file; /* known only where the file itself was read */
};
void tuf_signed_done(struct tuf_signed *s);
#define cleanup_tuf_signed cleanup(tuf_signed_done)

/* A metadata file: {"signatures": [{"keyid", "sig"}...], "signed": {...}}, other members ignored. malformed, also for two
 * signatures with one key id (section 4.2.1 forbids it); too-large. */
int tuf_signed_parse(const void *p, size_t n, struct tuf_signed *ret, struct err *err);

/* The packed form: "TUF1", u32 count, u32 length of bytes; each signature: u8 length of key id, u16 length, both; then the
 * bytes. Integers are little-endian. Unpacking takes exactly what packing writes (malformed), and leaves `file` unknown: what a
 * stranger says about a file that one has not seen is worth nothing. */
int tuf_signed_pack(const struct tuf_signed *s, struct buf *out, struct err *err);
int tuf_signed_unpack(const void *p, size_t n, struct tuf_signed *ret, struct err *err);
