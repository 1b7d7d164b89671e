/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The verdict of the programs before this one on the hook; `args`, a constant, is the number of the hook's arguments. */
#pragma once

/* `args` is a constant to the verifier, which leaves one case; in assembly, because clang would compute an address first and the
 * verifier takes the context pointer only unmodified. */
static __always_inline int earlier_verdict(unsigned long long *ctx, __u32 args) {
        unsigned long long verdict = 0;

#define CASE(n)                                                                                  \
        case n:                                                                                  \
                asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(verdict) : "r"(ctx), "i"(8 * (n))); \
                break;
        switch (args) {
                CASE(0)
                CASE(1)
                CASE(2)
                CASE(3)
                CASE(4)
                CASE(5)
                CASE(6)
                CASE(7)
                CASE(8)
                CASE(9)
                CASE(10)
                CASE(11)
        }
#undef CASE
        return (int)verdict;
}
