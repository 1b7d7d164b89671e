/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signed file, {"signatures": [{"keyid", "sig"}...], "signed": {...}}, split into what is said and who says so, for those who
 * read one (envelope.h: our own; tuf_signed.h: anybody's TUF metadata). Nothing in it is trusted.
 */
#pragma once

#include "json.h"

/* What kind of file is expected, and its limits; `name` is for messages ("a signed document"). */
struct signed_file_kind {
        const char *name;
        size_t max, max_sigs;
        bool foreign; /* by the rules of json_parse_foreign() */
};

struct signed_file {
        struct buf bytes; /* canonical bytes of `signed`: what the signatures are over */
        size_t n_sigs;
        json_t *doc; /* with the signatures as found */
};
void signed_file_done(struct signed_file *f);
#define cleanup_signed_file cleanup(signed_file_done)

/* malformed, too-large. Other members of the file are ignored. */
int signed_file_split(const void *p, size_t n, const struct signed_file_kind *kind, struct signed_file *ret, struct err *err);
/* The strings of signature i < n_sigs, borrowed from f. */
int signed_file_signature(const struct signed_file *f, size_t i, const char **ret_keyid, const char **ret_sig, struct err *err);
