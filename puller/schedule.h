/* SPDX-License-Identifier: Apache-2.0 */
/* When to poll next: pure functions of what has happened and a random number, so that a fleet can be simulated with them. */
#pragma once

#include <stdint.h>

struct schedule {
        int64_t interval_ns;
        unsigned jitter_percent; /* of the interval, to both sides */
};

#define SCHEDULE_BACKOFF_MAX_NS (3600 * 1000000000LL)

/* After the start: anywhere in one interval, so that a fleet that boots together does not poll together. */
int64_t schedule_first(const struct schedule *s, uint64_t random);
/* After a poll; failures: how many in a row have failed. Then exponential back-off with full jitter, but never sooner than the
 * server asked (0: it did not). */
int64_t schedule_next(const struct schedule *s, uint32_t failures, int retry_after_s, uint64_t random);
uint64_t random_u64(void);
