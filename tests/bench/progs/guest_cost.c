/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_cost.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "guest_node.h"

static double round_cost(cost_of does, unsigned long n) {
        int64_t start = monotonic_ns();

        does(n);
        return (double)(monotonic_ns() - start) / (double)n;
}

static void measure(const char *what, const char *comm, cost_of does, unsigned long n, bool first) {
        int status;
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid == 0) {
                prctl(PR_SET_NAME, comm);
                if (!first) {
                        does(n / 10);
                        round_cost(does, n);
                }
                printf("%s %.1f\n", what, round_cost(does, n));
                fflush(stdout);
                _exit(0);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
                guest_die(what, NULL);
}

void guest_cost(const char *what, const char *comm, cost_of does, unsigned long n) {
        measure(what, comm, does, n, false);
}

void guest_cost_first(const char *what, const char *comm, cost_of does, unsigned long n) {
        measure(what, comm, does, n, true);
}

void guest_file_make(const char *path) {
        char dir[256];
        int fd;

        for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
                snprintf(dir, sizeof(dir), "%.*s", (int)(p - path), path);
                mkdir(dir, 0755);
        }
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
                guest_die(path, NULL);
        close(fd);
}
