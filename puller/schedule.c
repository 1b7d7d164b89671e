/* SPDX-License-Identifier: Apache-2.0 */
#include "schedule.h"

#include <sys/random.h>

#include "wait.h"

/* random / 2^64 of n. */
static int64_t share(int64_t n, uint64_t random) {
        return (int64_t)((unsigned __int128)(uint64_t)n * random >> 64);
}

int64_t schedule_first(const struct schedule *s, uint64_t random) {
        return share(s->interval_ns, random);
}

/* The longest that anything makes a node wait: an hour, but not less than its own interval. */
static int64_t longest(const struct schedule *s) {
        return s->interval_ns > SCHEDULE_BACKOFF_MAX_NS ? s->interval_ns : SCHEDULE_BACKOFF_MAX_NS;
}

int64_t schedule_next(const struct schedule *s, uint32_t failures, int retry_after_s, uint64_t random) {
        int64_t spread, ceiling = s->interval_ns, asked = (int64_t)retry_after_s * 1000000000;

        if (failures == 0) {
                spread = s->interval_ns / 100 * s->jitter_percent;
                return s->interval_ns - spread + share(2 * spread, random);
        }
        for (uint32_t i = 0; i < failures && i < SCHEDULE_BACKOFF_DOUBLINGS && ceiling < SCHEDULE_BACKOFF_MAX_NS; i++)
                ceiling *= 2;
        if (ceiling > longest(s))
                ceiling = longest(s);
        asked = asked < 0 ? 0 : asked > longest(s) ? longest(s) : asked;
        /* On top, not instead: a server that asked everybody to come back in ten minutes does not want everybody in ten minutes, and
         * one that is overloaded and always asks for a second is relieved all the same. */
        return asked + share(ceiling, random);
}

int64_t schedule_wake(const struct schedule *s, int64_t poll_ns, int64_t change_s, bool shared, uint64_t random) {
        int64_t due;

        if (change_s <= 0 || change_s > poll_ns / 1000000000 || (shared && s->interval_ns <= SCHEDULE_SPREAD_NS))
                return poll_ns;
        due = change_s * 1000000000 + (shared ? share(SCHEDULE_SPREAD_NS, random) : 0);
        return due < poll_ns ? due : poll_ns;
}

uint64_t random_u64(void) {
        uint64_t r;

        if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
                r = (uint64_t)monotonic_ns() * 0x9e3779b97f4a7c15ULL; /* spread, not secrecy */
        return r;
}
