/* SPDX-License-Identifier: Apache-2.0 */
/* When to poll next: pure functions of what has happened and a random number, so that a fleet can be simulated with them
 * (tests/bench/fleet). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct schedule {
        int64_t interval_ns;
        unsigned jitter_percent; /* of the interval, to both sides */
};

/* 16 intervals: then a server that is down hears an eighth of what it hears at rest, and after an outage of any length the whole
 * fleet has been there within as much again. Waiting longer would relieve it no more than that, and keep nodes old. */
#define SCHEDULE_BACKOFF_DOUBLINGS 4
#define SCHEDULE_BACKOFF_MAX_NS (3600 * 1000000000LL)
#define SCHEDULE_SPREAD_NS (300 * 1000000000LL)

/* After the start: anywhere in one interval, so that a fleet that boots together does not poll together. */
int64_t schedule_first(const struct schedule *s, uint64_t random);
/* After a poll; failures: how many in a row have failed. Then exponential back-off with full jitter, on top of what the server
 * asked for (0: it did not). What it asks for counts up to the longest back-off: a mirror that asks for a year must not stop a
 * node for a year. */
int64_t schedule_next(const struct schedule *s, uint32_t failures, int retry_after_s, uint64_t random);
/*
 * When to look again, if a poll is due in poll_ns and the rollout's answer changes by itself in change_s seconds (0: it does not).
 * shared: all nodes of a wave are told the same moment, and fetch then. They come a little later, each at another time, and those
 * that poll anyway within that time, with their polls. Else (the end of a bake): at that moment, or with the poll before it.
 */
int64_t schedule_wake(const struct schedule *s, int64_t poll_ns, int64_t change_s, bool shared, uint64_t random);
uint64_t random_u64(void);
