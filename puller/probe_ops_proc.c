/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on processes. */
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "probe_ops.h"

static int traceable_arrange(struct attempt *a) {
        return target_start(a, true);
}

static int ptrace_perform(struct attempt *a) {
        /* Seizing, unlike attaching, does not stop it. */
        return ptrace(PTRACE_SEIZE, a->target, NULL, NULL) < 0 ? -errno : 0;
}

const struct probe_op probe_op_ptrace = {.arrange = traceable_arrange, .perform = ptrace_perform};

static int signal_perform(struct attempt *a) {
        return kill(a->target, a->test->signal) < 0 ? -errno : 0;
}

const struct probe_op probe_op_signal = {.arrange = traceable_arrange, .perform = signal_perform};

static int fork_perform(struct attempt *a) {
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        if (pid == 0)
                _exit(EXIT_SUCCESS);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        return 0;
}

const struct probe_op probe_op_fork = {.perform = fork_perform};

/* The rest is about the process itself, which ends at once. */

static int userns_perform(struct attempt *a) {
        return unshare(CLONE_NEWUSER) < 0 ? -errno : 0;
}

const struct probe_op probe_op_userns = {.perform = userns_perform};

/* The system calls themselves: the functions would do it for each thread, with a signal. */
static int setuid_perform(struct attempt *a) {
        return syscall(SYS_setuid, a->test->id) < 0 ? -errno : 0;
}

const struct probe_op probe_op_setuid = {.perform = setuid_perform};

static int setgid_perform(struct attempt *a) {
        return syscall(SYS_setgid, a->test->id) < 0 ? -errno : 0;
}

const struct probe_op probe_op_setgid = {.perform = setgid_perform};
