/* SPDX-License-Identifier: Apache-2.0 */
/* A private temporary directory that goes away with its owner. */
#pragma once

#include "err.h"
#include "util.h"

struct tmpdir {
        char *path; /* absolute; NULL: not made */
        int fd;
};
#define TMPDIR_INIT \
        { NULL, -1 }

/* Under $TMPDIR, or /tmp. */
int tmpdir_make(struct tmpdir *ret, struct err *err);
/* Removes it with all that is in it. */
void tmpdir_done(struct tmpdir *dir);
#define cleanup_tmpdir cleanup(tmpdir_done)
