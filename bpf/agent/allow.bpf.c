// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The allow stub: what stands in a slot that has nothing to say on a hook, so that an empty position is always an error.
 * Slot 0 ("nothing enforced") consists of these alone.
 */
#include "lsm_types.h"

#include <bpf/bpf_helpers.h>

SEC("lsm")
int allow(void *ctx) {
        return 0;
}

char LICENSE[] SEC("license") = "GPL";
