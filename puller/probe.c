/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "child.h"
#include "probe_ops.h"

static const struct probe_op *const ops[SELFTEST_OP_COUNT] = {
        [SELFTEST_OPEN] = &probe_op_open,
        [SELFTEST_READ] = &probe_op_read,
        [SELFTEST_MMAP] = &probe_op_mmap,
        [SELFTEST_CREATE] = &probe_op_create,
        [SELFTEST_UNLINK] = &probe_op_unlink,
        [SELFTEST_RENAME] = &probe_op_rename,
        [SELFTEST_LINK] = &probe_op_link,
        [SELFTEST_SYMLINK] = &probe_op_symlink,
        [SELFTEST_MKDIR] = &probe_op_mkdir,
        [SELFTEST_RMDIR] = &probe_op_rmdir,
        [SELFTEST_CHMOD] = &probe_op_chmod,
        [SELFTEST_CHOWN] = &probe_op_chown,
        [SELFTEST_TRUNCATE] = &probe_op_truncate,
        [SELFTEST_MKNOD] = &probe_op_mknod,
        [SELFTEST_SETXATTR] = &probe_op_setxattr,
        [SELFTEST_EXEC] = &probe_op_exec,
        [SELFTEST_SOCKET] = &probe_op_socket,
        [SELFTEST_BIND] = &probe_op_bind,
        [SELFTEST_CONNECT] = &probe_op_connect,
        [SELFTEST_LISTEN] = &probe_op_listen,
        [SELFTEST_ACCEPT] = &probe_op_accept,
        [SELFTEST_SENDMSG] = &probe_op_sendmsg,
        [SELFTEST_MOUNT] = &probe_op_mount,
        [SELFTEST_UMOUNT] = &probe_op_umount,
        [SELFTEST_MOVE_MOUNT] = &probe_op_move_mount,
        [SELFTEST_PIVOT_ROOT] = &probe_op_pivot_root,
        [SELFTEST_PTRACE] = &probe_op_ptrace,
        [SELFTEST_SIGNAL] = &probe_op_signal,
        [SELFTEST_CAPABILITY] = &probe_op_capability,
        [SELFTEST_BPF] = &probe_op_bpf,
        [SELFTEST_MODULE_LOAD] = &probe_op_module_load,
        [SELFTEST_KEXEC] = &probe_op_kexec,
        [SELFTEST_USERNS] = &probe_op_userns,
        [SELFTEST_SETUID] = &probe_op_setuid,
        [SELFTEST_SETGID] = &probe_op_setgid,
        [SELFTEST_FORK] = &probe_op_fork,
};

int setup_failed(struct attempt *a, int r, const char *what) {
        snprintf(a->out->what, sizeof(a->out->what), "%s", what);
        return r;
}

/* ---- in the process that tries ---- */

static int attempt_setup(struct attempt *a, const struct probe_op *op, pid_t parent) {
        int r;

        /* Nothing of the probe's goes with the subject: the socket to the supervisor least of all. */
        if (close_range(STDERR_FILENO + 1, ~0U, 0) < 0)
                return setup_failed(a, -errno, "closing descriptors");
        /* Taking other ids will undo this: subject_assume() does it again. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                return setup_failed(a, -errno, "binding itself to the probe");
        r = op->prepare ? op->prepare(a) : 0;
        if (r < 0)
                return r;
        r = subject_assume(a, parent);
        if (r < 0)
                return r;
        return op->arrange ? op->arrange(a) : 0;
}

static void attempt_run(struct attempt *a, pid_t parent) {
        const struct probe_op *op = ops[a->test->op];
        int r = attempt_setup(a, op, parent);

        a->out->error = -r;
        if (r >= 0) {
                a->out->stage = STAGE_PERFORM;
                a->out->error = -op->perform(a);
                a->out->stage = STAGE_DONE;
        }
        target_end(a);
}

/* ---- in the process that waits ---- */

static void result_set(struct probe_result *ret, enum probe_kind kind, int error, const char *what) {
        *ret = (struct probe_result){.kind = kind, .error = error};
        snprintf(ret->what, sizeof(ret->what), "%.*s", PROBE_WHAT_MAX - 1, what);
}

static void how_it_ended(int status, char *ret, size_t n) {
        if (WIFSIGNALED(status))
                snprintf(ret, n, "its process was ended by signal %d", WTERMSIG(status));
        else
                snprintf(ret, n, "its process ended with status %d", WEXITSTATUS(status));
}

static void attempt_judge(const struct attempt *a, int status, struct probe_result *ret) {
        const struct outcome *out = a->out;
        char end[PROBE_WHAT_MAX];

        how_it_ended(status, end, sizeof(end));
        switch (out->stage) {
        case STAGE_DONE:
                result_set(ret, PROBE_TRIED, out->error, "");
                return;
        case STAGE_PERFORM:
                if (a->test->op == SELFTEST_EXEC && probe_exec_ran(a->test, status))
                        result_set(ret, PROBE_TRIED, 0, "");
                else
                        result_set(ret, PROBE_DIED, 0, end);
                return;
        case STAGE_SETUP:
                result_set(ret, PROBE_SETUP, out->error, out->error ? out->what : end);
        }
}

static int attempt_places(const struct selftest *t, const char *token, struct attempt *a) {
        int r = place_resolve(&t->at, token, 0, a->at);

        return r < 0 ? r : place_resolve(&t->to, token, 1, a->to);
}

/* All that tells a container from the node; its user is the node's. */
#define APART (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)

/* fork(2). ret_parent: what the child sees as its parent. */
static pid_t attempt_start(const struct attempt *a, pid_t *ret_parent) {
        *ret_parent = getpid();
        if (!a->test->as.apart)
                return fork();
        *ret_parent = 0; /* it is the first of its PID namespace */
        return syscall(SYS_clone, APART | SIGCHLD, NULL, NULL, NULL, NULL);
}

static void attempt_fork(struct attempt *a, struct probe_result *ret) {
        pid_t pid, parent;
        int status;

        pid = attempt_start(a, &parent);
        if (pid < 0) {
                result_set(ret, PROBE_SETUP, errno, "starting a process");
                return;
        }
        if (pid == 0) {
                attempt_run(a, parent);
                _exit(EXIT_SUCCESS);
        }
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR) {
                        result_set(ret, PROBE_SETUP, errno, "waiting for the process");
                        return;
                }
        attempt_judge(a, status, ret);
}

void probe_try(const struct selftest *t, const char *token, struct probe_result *ret) {
        struct attempt a = {.test = t, .fd = -1};
        int r;

        r = attempt_places(t, token, &a);
        if (r < 0) {
                result_set(ret, PROBE_SETUP, -r, "naming a scratch file");
                return;
        }
        a.out = mmap(NULL, sizeof(*a.out), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (a.out == MAP_FAILED) {
                result_set(ret, PROBE_SETUP, errno, "sharing memory");
                return;
        }
        attempt_fork(&a, ret);
        munmap(a.out, sizeof(*a.out));
        place_remove(&t->at, a.at);
        place_remove(&t->to, a.to);
}

void probe_clear(const struct selftest *t, const char *token) {
        struct attempt a;

        if (attempt_places(t, token, &a) < 0)
                return;
        place_remove(&t->at, a.at);
        place_remove(&t->to, a.to);
}

/* ---- orders ---- */

static void order_obey(const struct probe_order *order, size_t n, struct probe_result *ret) {
        cleanup_selftest struct selftest t = {};
        struct err err = {};
        int r;

        if (n <= offsetof(struct probe_order, json) || strnlen(order->token, sizeof(order->token)) != PROBE_TOKEN_HEX - 1) {
                result_set(ret, PROBE_SETUP, EBADMSG, "reading the order");
                return;
        }
        r = selftest_parse(order->json, n - offsetof(struct probe_order, json), &t, &err);
        if (r < 0)
                result_set(ret, PROBE_SETUP, -r, err.msg);
        else
                probe_try(&t, order->token, ret);
}

int probe_main(int sock) {
        struct probe_order order;
        struct probe_result result;

        for (;;) {
                ssize_t n = msg_recv(sock, &order, sizeof(order), NULL, NULL);

                if (n <= 0)
                        return n == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
                order_obey(&order, n, &result);
                if (msg_send(sock, &result, sizeof(result), NULL, 0) < 0)
                        return EXIT_FAILURE;
        }
}
