/* SPDX-License-Identifier: Apache-2.0 */
/* The compiler: which one, what version, where it looks for headers. */
#pragma once

#include "cache.h"
#include "err.h"
#include "strv.h"

struct toolchain {
        char *clang;             /* resolved path */
        char *version;           /* first line of --version */
        struct strv system_dirs; /* absolute, normal */
        char *multiarch;         /* one more directory, looked at last; NULL: none */
        uint8_t id[SHA256_SIZE]; /* of the program file as it stands, and of its version */
};
void toolchain_done(struct toolchain *t);
#define cleanup_toolchain cleanup(toolchain_done)

/* $CLANG, or clang, from PATH. cache may be NULL. */
int toolchain_find(struct cache *cache, struct toolchain *ret, struct err *err);
