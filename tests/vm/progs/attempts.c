/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempts FILE [NAME]: a process called NAME (default: attempts) tries to open FILE, over and over, until SIGTERM; then it says how
 * often, how often that was let through and how often denied:
 *
 *      4711 attempts: 4700 let through, 11 denied
 *
 * It rests for a millisecond now and then, so that an agent with deadlines can work beside it on a slow machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#define TRIES_AT_ONCE 20
#define REST_US 1000

static volatile sig_atomic_t stop;

static void on_signal(int sig) {
        stop = 1;
}

int main(int argc, char **argv) {
        unsigned long tries = 0, through = 0, denied = 0;

        if (argc < 2 || argc > 3) {
                fputs("usage: attempts FILE [NAME]\n", stderr);
                return 2;
        }
        signal(SIGTERM, on_signal);
        if (argc == 3)
                prctl(PR_SET_NAME, argv[2]);
        while (!stop) {
                for (int i = 0; i < TRIES_AT_ONCE; i++) {
                        int fd = open(argv[1], O_RDONLY | O_CLOEXEC);

                        tries++;
                        if (fd >= 0) {
                                through++;
                                close(fd);
                        } else if (errno == EACCES || errno == EPERM) {
                                denied++;
                        } else {
                                perror(argv[1]);
                                return 1;
                        }
                }
                usleep(REST_US);
        }
        printf("%lu attempts: %lu let through, %lu denied\n", tries, through, denied);
        return fflush(stdout) == 0 ? 0 : 1;
}
