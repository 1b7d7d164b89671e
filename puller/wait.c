/* SPDX-License-Identifier: Apache-2.0 */
#include "wait.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#define NS_PER_S 1000000000LL

int64_t monotonic_ns(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static int plain_wait(struct waiter *w, int fd, int64_t deadline_ns) {
        for (;;) {
                struct pollfd p = {.fd = fd, .events = POLLIN};
                int64_t now = monotonic_ns(), left = deadline_ns > now ? deadline_ns - now : 0;
                struct timespec ts = {};
                int r;

                if (left > 0)
                        ts = (struct timespec){.tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S};
                r = ppoll(&p, 1, &ts, NULL); /* past the deadline, too: what is there already counts */
                if (r < 0 && errno != EINTR)
                        return -errno;
                if (r > 0)
                        return p.revents & POLLNVAL ? -EBADF : 1;
                if (r == 0 && left == 0)
                        return 0;
        }
}

struct waiter waiter_plain = {.wait = plain_wait};
