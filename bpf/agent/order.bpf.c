// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * In which order does this kernel run the programs on a hook? Loaded twice, attached one after the other to a hook that the agent
 * then calls itself; each notes when its turn came. It decides nothing.
 */
#include "lsm_types.h"

#include <bpf/bpf_helpers.h>

#include "lsm_abi.h"

const volatile __u32 tgid;  /* whose call is watched */
const volatile __u32 which; /* 0: attached first; 1: second */

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct lsm_turns);
} turns SEC(".maps");

SEC("lsm")
int order(void *ctx) {
        struct lsm_turns *t;
        __u32 zero = 0;

        if (bpf_get_current_pid_tgid() >> 32 != tgid)
                return 0;
        t = bpf_map_lookup_elem(&turns, &zero);
        if (t)
                t->at[which & 1] = ++t->n;
        return 0;
}

char LICENSE[] SEC("license") = "GPL";
