/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle from a file, read once and whole: what commands show and compare. */
#pragma once

#include "bundle.h"

struct bundle_file {
        bool check_only; /* set by the caller: no member is kept, so that memory does not grow with the bundle */
        int fd;          /* the file, still open */
        struct envelope env;
        struct manifest *manifest;
        struct buf *members; /* manifest->n_members; objects are checked, but not kept */
        struct sig_report report;
};
#define BUNDLE_FILE_INIT \
        { .fd = -1 }
void bundle_file_done(struct bundle_file *f);
#define cleanup_bundle_file cleanup(bundle_file_done)

/* ring NULL: signatures are not checked. *ret is whole only when 0 is returned, but its report is filled on refusal, too. */
int bundle_file_load(const char *path, const struct keyring *ring, size_t threshold, struct bundle_file *ret, struct err *err);
/* The same from a descriptor, which it takes over. */
int bundle_file_load_fd(int fd, const struct keyring *ring, size_t threshold, struct bundle_file *ret, struct err *err);
