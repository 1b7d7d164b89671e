// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Somebody else's sleepable program on the same hook. For one process it reads a page of that process which is not there yet, and
 * so sleeps, in the middle of the hook's chain, for as long as whoever provides the page likes.
 */
#include "lsm_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct {
        __u32 victim, pad; /* its pid */
        __u64 page;        /* address in the victim */
        __u64 slept;       /* times it came out of the sleep */
} state;                   /* one variable, so that user space knows where what is */

SEC("lsm.s/file_open")
int BPF_PROG(sleeper, struct file *file) {
        char byte;

        if ((bpf_get_current_pid_tgid() >> 32) != state.victim || !state.page)
                return 0;
        bpf_copy_from_user(&byte, 1, (void *)state.page);
        __sync_fetch_and_add(&state.slept, 1);
        return 0;
}

char LICENSE[] SEC("license") = "GPL";
