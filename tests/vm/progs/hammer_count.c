// SPDX-License-Identifier: Apache-2.0
/*
 * hammer_count: tries what is denied (opens /tmp/hammer/shadow as "unprivileged") until SIGTERM, and after that until it has tried
 * often enough, for at most some seconds; then says how often and with what success. To be started when the policy is in force, which
 * it must still be then. It leaves the processor to others now and then: what it watches are tests of minutes, with agents that must
 * meet deadlines beside it.
 * Exit status 0: nothing got through, and enough was tried.
 */
#include "hammer.h"

#define TRIES_AT_ONCE 5
#define PAUSE_US 5000
#define TRIES_MIN 1000     /* in all: what is watched may be over soon, or the machine be slow */
#define TRIES_WATCHING 100 /* of these, before SIGTERM */
#define AFTER_MS 10000

static void hammer_loop(struct hammer *h) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "unprivileged");
        while (!h->stop) {
                for (int i = 0; i < TRIES_AT_ONCE; i++)
                        hammer_try(h, 0);
                usleep(PAUSE_US);
        }
        _exit(0);
}

int main(void) {
        struct hammer *h = mmap(NULL, sizeof(*h), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        unsigned long watching, tries, leaks, wrong;
        sigset_t end;
        pid_t pid;
        int sig;

        if (h == MAP_FAILED)
                return 2;
        h->n = 1;
        mkdir("/tmp/hammer", 0755);
        close(open(SECRET, O_CREAT | O_WRONLY, 0644));
        close(open(HARMLESS, O_CREAT | O_WRONLY, 0644));
        sigemptyset(&end);
        sigaddset(&end, SIGTERM);
        sigprocmask(SIG_BLOCK, &end, NULL);
        pid = fork();
        if (pid == 0)
                hammer_loop(h);
        sigwait(&end, &sig);
        hammer_sum(h, &watching, &leaks, &wrong);
        for (int i = 0; i < AFTER_MS && h->of[0].tries < TRIES_MIN; i++)
                usleep(1000);
        h->stop = true;
        waitpid(pid, NULL, 0);
        hammer_sum(h, &tries, &leaks, &wrong);
        printf("%lu attempts, %lu leaks\n", tries, leaks);
        return leaks || tries < TRIES_MIN || watching < TRIES_WATCHING ? 1 : 0;
}
