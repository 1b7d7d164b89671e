/* SPDX-License-Identifier: Apache-2.0 */
/* The LSM programs that this kernel holds, and what they have cost so far. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PROGRAMS_MAX 1024

struct program {
        uint32_t id;
        char name[16];
        char hook[64]; /* "": the kernel does not tell */
        bool attached; /* called by the kernel itself; the others are called by one that is */
        uint64_t runs, ns;
        uint32_t insns;    /* after the verifier's rewriting */
        uint32_t jited;    /* bytes */
        uint32_t verified; /* instructions that the verifier looked at */
};

struct program_list {
        struct program v[PROGRAMS_MAX];
        unsigned n;
};

/* From now on until this process ends, the kernel counts and times each run. 0 or a negative errno. */
int programs_count(void);
/* 0 or a negative errno. */
int programs_read(struct program_list *ret);
/* An LSM program that only returns 0, on file_open. A link's descriptor, or a negative errno. */
int program_empty_attach(void);
