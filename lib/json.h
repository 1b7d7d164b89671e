/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as signed documents use it: jansson parses, strictly; the canonical form (OLPC rules: keys sorted by code point,
 * which is the order of their UTF-8 bytes, no white space, only `"` and `\` escaped) is written here, because jansson
 * escapes what canonical JSON does not.
 */
#pragma once

#include <jansson.h>

#include "buf.h"
#include "err.h"

static inline void json_decref_p(json_t **j) {
        json_decref(*j);
}
#define cleanup_json cleanup(json_decref_p)

#define JSON_INT_MAX ((1LL << 53) - 1)

/* Strict: valid UTF-8, one value and nothing after it, no duplicate key, no control character (U+0000-001F, 007F-009F) in any
 * string or key, no float, every integer within +-(2^53 - 1), nesting at most 32. Anything else: malformed. */
int json_parse(const void *p, size_t n, json_t **ret, struct err *err);
/* Appends the canonical bytes of j. What json_parse() would refuse is not written: malformed, and `out` is as it was. */
int json_canonical(const json_t *j, struct buf *out, struct err *err);

/* The same for what others wrote: control characters are allowed in strings and keys (a key's PEM text has line feeds; the
 * canonical form writes them raw, as the OLPC rules say), but for NUL; and every integer of 64 bits. */
int json_parse_foreign(const void *p, size_t n, json_t **ret, struct err *err);
int json_canonical_foreign(const json_t *j, struct buf *out, struct err *err);
/* Parses canonical bytes; they must be exactly those that json_canonical_foreign() writes of the result (malformed). */
int json_parse_canonical(const void *p, size_t n, json_t **ret, struct err *err);

/* Typed members of an object: malformed, naming the key, when absent or of another type. Strings are borrowed from j. */
int json_get_string(const json_t *j, const char *key, const char **ret, struct err *err);
int json_get_int(const json_t *j, const char *key, long long min, long long max, long long *ret, struct err *err);
int json_get_array(const json_t *j, const char *key, json_t **ret, struct err *err);
int json_get_object(const json_t *j, const char *key, json_t **ret, struct err *err);
