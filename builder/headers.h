/* SPDX-License-Identifier: Apache-2.0 */
/* The headers that a policy (bpf/include) and the engine of rules (bpf/engine) include, compiled into the program: a build needs nothing but this program,
 * clang and libbpf's own headers. */
#pragma once

#include "digest.h"

struct header {
        const char *name;
        const char *begin, *end;
};
extern const struct header headers[];
extern const size_t n_headers;

/* Writes them into a directory that exists. */
int headers_write(int dirfd, struct err *err);
