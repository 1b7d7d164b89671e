/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names: which file holds a role's metadata, which role is delegated a target path, what a target file is called.
 *
 * A role's name can be anything ("../x", "?"). In a file's name and in a URL it is percent-encoded but for letters, digits,
 * `-`, `.`, `_` and `~` (as RFC 3986 has it), which leaves it unique and harmless.
 */
#pragma once

#include "json.h"

#define TUF_ROLE_ENCODED_MAX 200 /* fits a file name, with a version before and a suffix behind */

/* Appends the encoded form; -ENAMETOOLONG beyond TUF_ROLE_ENCODED_MAX bytes. */
int tuf_role_encode(const char *role, struct buf *out);
/* "N.ROLE.json", or "ROLE.json" for version 0. */
int tuf_metadata_name(const char *role, long long version, struct buf *out, struct err *err);

/* Is one of the top-level roles' names: root, timestamp, snapshot, targets. */
bool tuf_role_is_top(const char *role);

/* PATHPATTERN (section 4.6): `*`, `?` and `[...]`, none of which matches a `/`. In time proportional to the product of both
 * lengths, whatever the pattern. Both are UTF-8; `?` is one code point. */
bool tuf_path_matches(const char *pattern, const char *path);
/* PATH_HASH_PREFIX: the hex SHA-256 of the path begins with it. */
bool tuf_path_hash_matches(const char *prefix, const char *path);
/* TAP 15: the bin of `path` among 2^bits of `prefix`: "PREFIX-HEX". */
int tuf_path_bin(const char *prefix, int bits, const char *path, struct buf *out);

/* A path that stays below where the target files are: not empty, not absolute, no "." or ".." among its parts: unsafe-path. */
int tuf_path_check(const char *path, struct err *err);
/* "DIR/HASH.NAME" (section 6.2: consistent snapshots), or the path itself when hash is NULL. */
int tuf_target_name(const char *path, const char *hash, struct buf *out, struct err *err);
