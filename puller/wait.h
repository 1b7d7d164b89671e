/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for a descriptor without losing the rest of the agent: while a step of the cycle waits for a child, the
 * supervisor still feeds its watchdog and answers its control socket. So the cycle itself is straight-line code.
 */
#pragma once

#include <stdint.h>

struct waiter {
        /* 1: fd is readable (or its peer has gone); 0: the deadline has passed; -ECANCELED: the agent is stopping, or the
         * operator has called the step off; other negative errno: failed. fd may be -1: just wait. */
        int (*wait)(struct waiter *w, int fd, int64_t deadline_ns);
};

/* CLOCK_MONOTONIC in ns. */
int64_t monotonic_ns(void);
/* A waiter for programs that have nothing else to do: poll(2). */
extern struct waiter waiter_plain;
