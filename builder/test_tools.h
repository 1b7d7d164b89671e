/* SPDX-License-Identifier: Apache-2.0 */
/* Where the parts of `lsmbundle test` are: the scripts that boot kernels, the program for the guest, the lsmpull under test, and
 * the programs of this machine that they need. */
#pragma once

#include "err.h"
#include "util.h"

struct test_tools {
        char *self;                             /* this program */
        char *vm, *initramfs, *kernels, *guest; /* $LSMBUNDLE_LIBEXEC, where `make install` puts them, or the source tree */
        char *lsmpull;
};
void test_tools_done(struct test_tools *t);
#define cleanup_test_tools cleanup(test_tools_done)
/* lsmpull NULL: the one that belongs to this lsmbundle. */
int test_tools_find(const char *lsmpull, struct test_tools *ret, struct err *err);
