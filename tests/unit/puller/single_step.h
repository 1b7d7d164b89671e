/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a function does before something happens, one instruction at a time: how many instructions, and how many of them are
 * system calls. x86-64 only.
 */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEPS_MAX 10000000

struct steps {
        unsigned long instructions; /* from the function's first up to the one that changed the word */
        unsigned long syscalls;     /* among them */
        bool changed;               /* false: the function was never entered, or ended without changing the word */
};

#ifdef __x86_64__

static inline uint64_t stepped_rip(pid_t pid) {
        struct user_regs_struct regs;

        return ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0 ? 0 : regs.rip;
}

/* `syscall`, `sysenter`, `int $0x80`: all the ways into the kernel that a program has. */
static inline bool stepped_syscall(pid_t pid, uint64_t rip) {
        uint16_t op = (uint16_t)ptrace(PTRACE_PEEKTEXT, pid, (void *)rip, NULL);

        return op == 0x050f || op == 0x340f || op == 0x80cd;
}

/*
 * Runs call(arg) in a child. Counting begins where `entry` begins (a function that call() calls, or call itself) and ends with
 * the change of *word, which must lie in memory shared with the child. The child goes no further. Negative errno: it cannot be
 * traced here.
 */
static inline int steps_count(void (*call)(void *), void *arg, const void *entry, const volatile uint64_t *word,
                              struct steps *ret) {
        uint64_t before = *word;
        struct steps s = {0};
        bool counting = false;
        int status;
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
                        _exit(1);
                raise(SIGSTOP);
                call(arg);
                _exit(0);
        }
        if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
                return -EPERM;
        for (unsigned long i = 0; i < STEPS_MAX && !s.changed; i++) {
                uint64_t rip = stepped_rip(pid);

                counting = counting || rip == (uint64_t)entry;
                if (counting) {
                        s.instructions++;
                        s.syscalls += stepped_syscall(pid, rip);
                }
                if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
                        break;
                s.changed = counting && *word != before;
        }
        if (WIFSTOPPED(status)) {
                kill(pid, SIGKILL);
                waitpid(pid, &status, 0);
        }
        *ret = s;
        return 0;
}

#else

static inline int steps_count(void (*call)(void *), void *arg, const void *entry, const volatile uint64_t *word,
                              struct steps *ret) {
        return -EOPNOTSUPP;
}

#endif
