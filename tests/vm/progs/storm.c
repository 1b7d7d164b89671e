/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storm FILE N PROCESSES [NAME [KINDS]]: so many processes, all called NAME (default: unprivileged), try to open FILE, N times
 * altogether and as fast as they can, as KINDS users in turn (real ids from 10000 on; default: as whoever calls it); then:
 *
 *      1000000 attempts: 0 let through, 1000000 denied
 *
 * What failed for another reason than EACCES is neither, and makes it fail. On stderr: how long it took.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIRST_USER 10000

struct tally {
        atomic_ulong through, denied, odd;
};

static void attempt(const char *file, struct tally *t) {
        int fd = open(file, O_RDONLY | O_CLOEXEC);

        if (fd >= 0) {
                close(fd);
                atomic_fetch_add(&t->through, 1);
        } else
                atomic_fetch_add(errno == EACCES ? &t->denied : &t->odd, 1);
}

static double seconds(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
        unsigned long n = argc > 3 ? strtoul(argv[2], NULL, 10) : 0, processes = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
        unsigned long kinds = argc > 5 ? strtoul(argv[5], NULL, 10) : 0;
        double begin = seconds();
        struct tally *t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (!n || !processes || argc > 6) {
                fputs("usage: storm FILE N PROCESSES [NAME [KINDS]]\n", stderr);
                return 2;
        }
        if (t == MAP_FAILED)
                return 1;
        for (unsigned long i = 0; i < processes; i++) {
                pid_t pid = fork();

                if (pid < 0)
                        return 1;
                if (pid > 0)
                        continue;
                prctl(PR_SET_NAME, argc > 4 ? argv[4] : "unprivileged");
                for (unsigned long k = i; k < n; k += processes) {
                        if (kinds && setresuid((uid_t)(FIRST_USER + k / processes % kinds), (uid_t)-1, (uid_t)-1) < 0)
                                _exit(1); /* fewer than n: seen below */
                        attempt(argv[1], t);
                }
                _exit(0);
        }
        while (wait(NULL) > 0)
                ;
        printf("%lu attempts: %lu let through, %lu denied\n", n, t->through, t->denied);
        fprintf(stderr, "%.1f s, %.0f a second\n", seconds() - begin, (double)n / (seconds() - begin));
        return t->odd || t->through + t->denied != n;
}
