// SPDX-License-Identifier: Apache-2.0
/*
 * gate_show PATH: prints the gate pinned there, all of it, without going through the agent: the word, the probe's cgroup, misses,
 * expiries. With --decides: only what decides (active slot, fallback, probe, PENDING), which a load that is given up leaves as it was.
 */
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/types.h>

#include "lsm_abi.h"

int main(int argc, char **argv) {
        int decides = argc == 3 && !strcmp(argv[1], "--decides"), fd;
        struct lsm_gate gate;
        __u32 zero = 0;

        if (argc != 2 + decides)
                return 2;
        fd = bpf_obj_get(argv[argc - 1]);
        if (fd < 0 || bpf_map_lookup_elem(fd, &zero, &gate) < 0) {
                perror(argv[argc - 1]);
                return 1;
        }
        if (decides)
                printf("%#llx\n", (unsigned long long)gate.word & ((1ULL << LSM_GATE_SEQ_SHIFT) - 1));
        else
                printf("%#llx %llu %llu %llu\n", (unsigned long long)gate.word, (unsigned long long)gate.probe_cgroup,
                       (unsigned long long)gate.misses, (unsigned long long)gate.expiries);
        return 0;
}
