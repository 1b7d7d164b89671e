// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The shadow's dispatcher: loaded once per bundle and hook while a release bakes, behind the dispatcher that enforces. It hands
 * over to the baking generation what everybody before it on the hook has allowed, and drops the answer: it never denies.
 *
 * When it is not sure (the array is empty: the shadow is being set up, or taken away), nothing is counted and the call goes on.
 */
#include "lsm_types.h"

#include <bpf/bpf_helpers.h>

#include "lsm_abi.h"

#include "earlier_verdict.h"

const volatile __u32 args; /* number of the hook's arguments: its context goes on with an earlier program's verdict */

struct {
        __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
        __uint(max_entries, LSM_ARRAY_SIZE);
        __type(key, __u32);
        __type(value, __u32);
} slots SEC(".maps");

/*
 * A program that is tail-called from here returns to shadow(): so what it says can be dropped. In a function of its own for that
 * alone; from the main program a tail call does not come back.
 */
static __attribute__((noinline)) int generation_run(unsigned long long *ctx) {
        bpf_tail_call(ctx, &slots, LSM_SHADOW_SLOT * LSM_SLOT_SIZE);
        return 0;
}

SEC("lsm")
int shadow(unsigned long long *ctx) {
        int r;

        r = earlier_verdict(ctx, args);
        if (r)
                return r;
        generation_run(ctx);
        return 0;
}

char LICENSE[] SEC("license") = "GPL";
