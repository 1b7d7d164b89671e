/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executing. A copy of this program in a scratch place may run: it returns at once. Any other program is executed under a
 * seccomp filter that ends it at its first system call: it has been executed, and has done nothing.
 */
#include <seccomp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "probe_ops.h"

static int exec_prepare(struct attempt *a) {
        return place_make(a, &a->test->at, a->at, PLACE_PROGRAM);
}

/* execve() itself, and _exit() for when it is denied. */
static int filter_load(void) {
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
        int r;

        if (!filter)
                return -ENOMEM;
        r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
        if (r >= 0)
                r = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1); /* the kernel's own errno */
        if (r >= 0)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(execve), 0);
        if (r >= 0)
                r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(exit_group), 0);
        if (r >= 0)
                r = seccomp_load(filter); /* sets no_new_privs, too */
        /* Not released: once it is loaded, giving memory back would be a system call. */
        return r;
}

static int exec_arrange(struct attempt *a) {
        int r;

        if (a->test->at.dir)
                return 0;
        /* The end by the filter is one that dumps core. 1, not 0: that is what keeps a dump from a handler's pipe, too. */
        if (setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1}) < 0)
                return setup_failed(a, -errno, "turning core dumps off");
        r = filter_load();
        return r < 0 ? setup_failed(a, r, "loading the filter that keeps the program from acting") : 0;
}

static int exec_perform(struct attempt *a) {
        const char *const argv[] = {a->at, "@true", NULL}, *const env[] = {NULL};

        execve(a->at, (char *const *)argv, (char *const *)env);
        return -errno;
}

bool probe_exec_ran(const struct selftest *t, int status) {
        if (t->at.dir)
                return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

const struct probe_op probe_op_exec = {.prepare = exec_prepare, .arrange = exec_arrange, .perform = exec_perform};
