/* SPDX-License-Identifier: Apache-2.0 */
/* Who tries: the subject's ids, capabilities and comm, and the child that it may act on. */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "probe_ops.h"

#define TARGET_READY_MS 5000
#define TARGET_LIFE_MS 10000
#define TARGET_STOPPED_S 1 /* a signal to what has ended, and is not reaped, is judged like any other */

static int ids_assume(struct attempt *a) {
        const struct selftest_subject *as = &a->test->as;
        uid_t ru, eu, su;
        gid_t rg, eg, sg;

        if (getgroups(0, NULL) > 0 && setgroups(0, NULL) < 0)
                return setup_failed(a, -errno, "leaving the supplementary groups");
        getresgid(&rg, &eg, &sg);
        if ((rg != as->gid || eg != as->gid || sg != as->gid) && setresgid(as->gid, as->gid, as->gid) < 0)
                return setup_failed(a, -errno, "taking the gid");
        getresuid(&ru, &eu, &su);
        if ((ru != as->uid || eu != as->uid || su != as->uid) && setresuid(as->uid, as->uid, as->uid) < 0)
                return setup_failed(a, -errno, "taking the uid");
        return 0;
}

/* Both halves of the 64-bit set; the system call itself, because libcap allocates. */
static int caps_get(uint64_t *ret_permitted) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2] = {};

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        *ret_permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
        return 0;
}

static int caps_set(uint64_t caps) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2] = {
                {.effective = caps, .permitted = caps},
                {.effective = caps >> 32, .permitted = caps >> 32},
        };

        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int subject_assume(struct attempt *a, pid_t parent) {
        const struct selftest_subject *as = &a->test->as;
        uint64_t permitted = 0, caps;
        int r;

        r = caps_get(&permitted);
        if (r < 0)
                return setup_failed(a, r, "reading the capabilities");
        caps = as->caps == SELFTEST_CAPS_ALL ? permitted : as->caps;
        if (caps & ~permitted)
                return setup_failed(a, -EPERM, "taking capabilities that the agent has not got");

        if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
                return setup_failed(a, -errno, "keeping the capabilities");
        r = ids_assume(a);
        if (r < 0)
                return r;
        r = caps_set(caps);
        if (r < 0)
                return setup_failed(a, r, "taking the capabilities");

        /* Not earlier: a change of ids forgets it. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                return setup_failed(a, -errno, "binding itself to the probe");
        if (getppid() != parent)
                return setup_failed(a, -ESRCH, "binding itself to the probe");
        if (prctl(PR_SET_NAME, as->comm, 0, 0, 0) < 0)
                return setup_failed(a, -errno, "taking the comm");
        return 0;
}

/* What is stopped (SIGSTOP cannot be held back) sees nothing close: a timer's SIGKILL is the kernel's own, of which no policy is
 * asked. */
static int target_limit(bool stops) {
        struct sigevent end = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
        struct itimerspec when = {.it_value.tv_sec = stops ? TARGET_STOPPED_S : 2 * TARGET_LIFE_MS / 1000};
        sigset_t all;
        timer_t timer;

        /* No signal is to act: some would write a core dump. They stay pending; the policy has been asked. */
        sigfillset(&all);
        if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
                return -errno;
        if (timer_create(CLOCK_MONOTONIC, &end, &timer) < 0 || timer_settime(timer, 0, &when, NULL) < 0)
                return -errno;
        return 0;
}

/* Ends when `life` is closed, or by itself: a policy may deny every signal to it. */
static void target_run(struct outcome *out, const uid_t *uid, bool dumpable, bool stops, int life, int ready) {
        struct pollfd p = {.fd = life};

        /* The outcome goes first: a target that can be traced must have nothing to give away. */
        munmap(out, sizeof(*out));
        if (uid && (setgroups(0, NULL) < 0 || setresuid(*uid, *uid, *uid) < 0))
                _exit(EXIT_FAILURE);
        if (prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0) < 0)
                _exit(EXIT_FAILURE);
        if (target_limit(stops) < 0)
                _exit(EXIT_FAILURE);
        close(ready);
        poll(&p, 1, TARGET_LIFE_MS);
        _exit(EXIT_SUCCESS);
}

static int target_fork(struct attempt *a, const uid_t *uid, bool dumpable) {
        int life[2], ready[2];
        struct pollfd p;
        pid_t pid;

        if (pipe2(life, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0)
                return setup_failed(a, -errno, "making a pipe");
        pid = fork();
        if (pid < 0)
                return setup_failed(a, -errno, "starting a child");
        if (pid == 0) {
                close(life[1]);
                close(ready[0]);
                target_run(a->out, uid, dumpable, a->test->op == SELFTEST_SIGNAL && a->test->signal == SIGSTOP, life[0],
                           ready[1]);
        }
        close(life[0]);
        close(ready[1]);
        a->target = pid;
        a->target_life = life[1];

        /* Closing says "ready": writing to a pipe may be denied. */
        p = (struct pollfd){.fd = ready[0]};
        if (poll(&p, 1, TARGET_READY_MS) != 1)
                return setup_failed(a, -ETIMEDOUT, "waiting for a child");
        close(ready[0]);
        if (waitpid(pid, NULL, WNOHANG) == pid) {
                a->target = 0;
                close(life[1]);
                return setup_failed(a, -ESRCH, "keeping a child");
        }
        return 0;
}

int target_start(struct attempt *a, bool dumpable) {
        return target_fork(a, NULL, dumpable);
}

int target_start_as(struct attempt *a, uid_t uid) {
        return target_fork(a, &uid, true);
}

void target_end(struct attempt *a) {
        if (a->target <= 0)
                return;
        close(a->target_life);
        while (waitpid(a->target, NULL, 0) < 0 && errno == EINTR)
                ;
        a->target = 0;
}
