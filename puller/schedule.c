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

int64_t schedule_next(const struct schedule *s, uint32_t failures, int retry_after_s, uint64_t random) {
        int64_t spread, ceiling = s->interval_ns, asked = (int64_t)retry_after_s * 1000000000;

        if (failures == 0) {
                spread = s->interval_ns / 100 * s->jitter_percent;
                return s->interval_ns - spread + share(2 * spread, random);
        }
        for (uint32_t i = 0; i < failures && ceiling < SCHEDULE_BACKOFF_MAX_NS; i++)
                ceiling *= 2;
        if (ceiling > SCHEDULE_BACKOFF_MAX_NS && ceiling > s->interval_ns)
                ceiling = s->interval_ns > SCHEDULE_BACKOFF_MAX_NS ? s->interval_ns : SCHEDULE_BACKOFF_MAX_NS;
        spread = share(ceiling, random);
        /* A server that asked everybody to come back in ten minutes does not want everybody in ten minutes. */
        return asked > 0 ? asked + share(s->interval_ns, random) : spread;
}

uint64_t random_u64(void) {
        uint64_t r;

        if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
                r = (uint64_t)monotonic_ns() * 0x9e3779b97f4a7c15ULL; /* spread, not secrecy */
        return r;
}
