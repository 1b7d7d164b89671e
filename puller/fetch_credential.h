/* SPDX-License-Identifier: Apache-2.0 */
/* In the fetcher: what the supervisor opened for it (certificates, keys, tokens), read from the descriptors that it was given. */
#pragma once

#include "buf.h"
#include "err.h"

/* The whole file into b, and *ret = b; *ret NULL and 0 when fd is -1: not given. `name` is for messages. */
int credential_read(int fd, size_t max, const char *name, struct buf *b, const struct buf **ret, struct err *err);
/* The same for a token: without what an editor leaves at a file's end, and one word of printable characters (config), for it must
 * not smuggle in a second header. *ret is b's text. */
int token_read(int fd, size_t max, struct buf *b, const char **ret, struct err *err);
