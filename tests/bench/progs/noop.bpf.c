// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/* The least that an LSM program on file_open can cost. It decides nothing. */
#include "lsm_types.h"

#include <bpf/bpf_helpers.h>

SEC("lsm/file_open")
int noop(void *ctx) {
        return 0;
}

char LICENSE[] SEC("license") = "GPL";
