/* SPDX-License-Identifier: Apache-2.0 */
/* Boots kernels with a bundle in them, and collects what they say. */
#pragma once

#include "test_guest.h"
#include "test_tools.h"
#include "tmpdir.h"

struct test_kernel {
        char *name;  /* as it was asked for */
        char *image; /* its vmlinuz */
};

struct test_kernels {
        struct test_kernel *v;
        size_t n;
};
void test_kernels_done(struct test_kernels *k);
#define cleanup_test_kernels cleanup(test_kernels_done)
/* names: 6.1, 6.12, latest, or a path with a '/'. Kernels that are not in the cache are fetched. A kernel that cannot be had is
 * an error that names it. */
int test_kernels_find(const struct test_tools *tools, const char *const *names, size_t n, struct test_kernels *ret,
                      struct err *err);

struct test_run {
        const struct test_tools *tools;
        const struct tmpdir *dir; /* for the guest's image */
        const char *bundle, *key; /* signed by it */
        const struct test_kernels *kernels;
        unsigned jobs;    /* guests at a time */
        unsigned timeout; /* seconds a guest may take */
};
/* results: one for each kernel, zeroed. 0: all have been tried, whatever came of it. */
int test_run(const struct test_run *run, struct test_result *results, struct err *err);
