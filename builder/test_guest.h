/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest said of a bundle (the lines of guest/main.c), and what follows from it. The guest runs what is under test: its
 * words are taken as text, never as more. */
#pragma once

#include "buf.h"
#include "err.h"

struct test_hook {
        char name[64];
        uint64_t calls;
        double instructions; /* a call, on average, without what measuring costs */
        bool by_workload;    /* else: of whatever happened since the bundle was loaded */
};

struct test_program {
        char hook[64];
        unsigned instructions; /* as the kernel runs it */
        unsigned jited;        /* bytes */
        unsigned verified;     /* instructions that the verifier looked at */
};

struct test_result {
        const char *asked; /* as it was asked for */
        char kernel[128];  /* its own name; "": it did not come so far */
        bool installed;    /* lsmpull came to an end */
        int code;          /* exit code: lsmpull's, or what follows from how the guest ended; 0: passed */
        enum reason reason;
        char message[1600]; /* why not */
        struct buf said;    /* lsmpull's lines */
        struct buf log;     /* the verifier's */
        struct buf notes;   /* what could not be measured */
        struct test_hook *hooks;
        size_t n_hooks;
        struct test_program *programs; /* in the order in which they were loaded */
        size_t n_programs;
        size_t tried, denied; /* operations of the workload */
};
void test_result_done(struct test_result *r);

/* text: the guest's lines. status: the exit status of ci/vm. vm_text: what that said. 0 or -ENOMEM. */
int test_result_read(struct test_result *r, const struct buf *text, int status, const struct buf *vm_text);
