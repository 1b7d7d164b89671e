/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that try what is denied, as fast as they can, while something else swaps the policy under them. */
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HAMMERS_MAX 4
#define SECRET "/tmp/hammer/shadow"
#define HARMLESS "/tmp/hammer/harmless"

/* What is tried, beside opening SECRET, which every policy under the hammer denies, and HARMLESS, which none does. */
enum hammer_what {
        HAMMER_FILE,       /* nothing */
        HAMMER_SOCKETS,    /* raw sockets, which are denied, too */
        HAMMER_OPERATIONS, /* instead: what hammer_operations.h has */
};

struct hammer {
        volatile bool go, stop;
        enum hammer_what what;
        int n;
        struct {
                volatile unsigned long tries, leaks, wrong;
        } of[HAMMERS_MAX];
        pid_t pids[HAMMERS_MAX];
};

#include "hammer_operations.h"

static inline void hammer_try(struct hammer *h, int i) {
        int fd;

        if (h->what == HAMMER_OPERATIONS) {
                hammer_operations_try(h, i);
                return;
        }
        fd = open(SECRET, O_RDONLY);

        h->of[i].tries++;
        if (fd >= 0) {
                h->of[i].leaks++;
                close(fd);
        }
        if (h->what == HAMMER_SOCKETS) {
                fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
                h->of[i].tries++;
                if (fd >= 0) {
                        h->of[i].leaks++;
                        close(fd);
                }
        }
        /* What no generation denies must never be denied. */
        fd = open(HARMLESS, O_RDONLY);
        if (fd < 0)
                h->of[i].wrong++;
        else
                close(fd);
}

/* n: how many processes, at most HAMMERS_MAX. They begin when h->go is set. */
static inline struct hammer *hammer_start(enum hammer_what what, int n) {
        struct hammer *h = mmap(NULL, sizeof(*h), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

        if (h == MAP_FAILED)
                exit(2);
        mkdir("/tmp/hammer", 0755);
        close(open(SECRET, O_CREAT | O_WRONLY, 0644));
        close(open(HARMLESS, O_CREAT | O_WRONLY, 0644));
        h->what = what;
        h->n = n;
        if (what == HAMMER_OPERATIONS)
                hammer_operations_begin(n);
        for (int i = 0; i < n; i++) {
                h->pids[i] = fork();
                if (h->pids[i] == 0) {
                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        prctl(PR_SET_NAME, "unprivileged");
                        /* All the time that swapping leaves, but no more: what is swapped must come to an end. */
                        if (nice(10) < 0)
                                _exit(2);
                        while (!h->go)
                                usleep(1000);
                        while (!h->stop)
                                hammer_try(h, i);
                        _exit(0);
                }
        }
        return h;
}

static inline void hammer_sum(const struct hammer *h, unsigned long *tries, unsigned long *leaks, unsigned long *wrong) {
        *tries = *leaks = *wrong = 0;
        for (int i = 0; i < h->n; i++) {
                *tries += h->of[i].tries;
                *leaks += h->of[i].leaks;
                *wrong += h->of[i].wrong;
        }
}

static inline void hammer_stop(struct hammer *h) {
        h->stop = true;
        for (int i = 0; i < h->n; i++)
                waitpid(h->pids[i], NULL, 0);
}

/* On one processor the swapping process must be able to cut in anywhere. */
static inline void hammer_preempt(void) {
        struct sched_param p = {.sched_priority = 20};

        if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
                sched_setscheduler(0, SCHED_FIFO, &p);
}
