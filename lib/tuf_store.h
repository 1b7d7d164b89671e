/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trusted metadata in a folder, byte for byte as it was received: ROLE.json (encoded as tuf_path.h says), each replaced as a
 * whole and durably. With `history`, every root is also kept as N.root, so that the chain can be walked again from an older
 * one.
 */
#pragma once

#include "buf.h"
#include "err.h"

struct tuf_store {
        int dirfd; /* borrowed */
        bool history;
};

/* -ENOENT when there is none (no message is set). A damaged file is whatever it is: it is checked like any other. */
int tuf_store_load(const struct tuf_store *s, const char *role, uint64_t max, struct buf *ret, struct err *err);
int tuf_store_save(const struct tuf_store *s, const char *role, const void *p, size_t n, struct err *err);
int tuf_store_remove(const struct tuf_store *s, const char *role, struct err *err);
/* N.root; both do nothing (-ENOENT, 0) without `history`. */
int tuf_store_load_root(const struct tuf_store *s, long long version, uint64_t max, struct buf *ret, struct err *err);
int tuf_store_save_root(const struct tuf_store *s, long long version, const void *p, size_t n, struct err *err);
