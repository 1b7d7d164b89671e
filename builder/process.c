/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#include "fileio.h"

#define GRACE_MS 3000

/* A process while it runs; its output goes to memory files, so that nobody has to drain pipes. */
struct running {
        pid_t pid;
        int out, err;
};

void process_done(struct process *p) {
        buf_done(&p->out);
        buf_done(&p->err);
}

bool process_ok(const struct process *p) {
        return WIFEXITED(p->status) && WEXITSTATUS(p->status) == 0;
}

static void handled_signals(sigset_t *set) {
        sigemptyset(set);
        sigaddset(set, SIGCHLD);
        sigaddset(set, SIGINT);
        sigaddset(set, SIGTERM);
        sigaddset(set, SIGHUP);
}

/* 0 or a positive errno, as posix_spawn(3) says it. */
static int spawn(const struct process *p, struct running *r, const sigset_t *mask) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attr;
        int e;

        e = posix_spawn_file_actions_init(&actions);
        if (e != 0)
                return e;
        e = posix_spawnattr_init(&attr);
        if (e != 0) {
                posix_spawn_file_actions_destroy(&actions);
                return e;
        }
        e = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (e == 0)
                e = posix_spawn_file_actions_adddup2(&actions, r->out, STDOUT_FILENO);
        if (e == 0)
                e = posix_spawn_file_actions_adddup2(&actions, r->err, STDERR_FILENO);
        if (e == 0 && p->dir)
                e = posix_spawn_file_actions_addchdir_np(&actions, p->dir);
        if (e == 0)
                e = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
        if (e == 0)
                e = posix_spawnattr_setsigmask(&attr, mask);
        if (e == 0)
                e = posix_spawnp(&r->pid, p->argv[0], &actions, &attr, (char **)p->argv, p->env ? (char **)p->env : environ);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&actions);
        return e;
}

static int process_start(const struct process *p, struct running *r, const sigset_t *mask, struct err *err) {
        int e;

        r->out = memfd_create("stdout", MFD_CLOEXEC);
        r->err = memfd_create("stderr", MFD_CLOEXEC);
        if (r->out < 0 || r->err < 0)
                return err_errno(err, -errno, "cannot make a memory file");
        e = spawn(p, r, mask);
        if (e != 0) {
                r->pid = 0;
                return err_errno(err, -e, "cannot run '%s'", p->argv[0]);
        }
        return 0;
}

static int collect(int *fd, struct buf *ret, struct err *err) {
        cleanup_fd int own = steal_fd(fd);
        off_t size = lseek(own, 0, SEEK_END);

        if (size > PROCESS_OUTPUT_MAX && ftruncate(own, PROCESS_OUTPUT_MAX) < 0)
                return err_errno(err, -errno, "cannot cut a subprocess's output");
        if (lseek(own, 0, SEEK_SET) < 0)
                return err_errno(err, -errno, "cannot read a subprocess's output");
        return fd_read_all(own, PROCESS_OUTPUT_MAX, ret, err);
}

/* Takes every child that has ended. */
static int reap(struct process *p, struct running *r, size_t n, size_t *ended, struct err *err) {
        for (size_t i = 0; i < n; i++) {
                int e;

                if (r[i].pid <= 0 || waitpid(r[i].pid, &p[i].status, WNOHANG) != r[i].pid)
                        continue;
                r[i].pid = 0;
                (*ended)++;
                e = collect(&r[i].out, &p[i].out, err);
                if (e >= 0)
                        e = collect(&r[i].err, &p[i].err, err);
                if (e < 0)
                        return e;
        }
        return 0;
}

static int wait_signal(int sfd, struct err *err) {
        struct signalfd_siginfo info;
        ssize_t got;

        do
                got = read(sfd, &info, sizeof(info));
        while (got < 0 && errno == EINTR);
        if (got != (ssize_t)sizeof(info))
                return err_errno(err, got < 0 ? -errno : -EIO, "cannot wait for a subprocess");
        if (info.ssi_signo != SIGCHLD)
                return err_set(err, -EINTR, REASON_NONE, "interrupted (%s)", strsignal((int)info.ssi_signo));
        return 0;
}

static void signal_all(const struct running *r, size_t n, int sig) {
        for (size_t i = 0; i < n; i++)
                if (r[i].pid > 0)
                        kill(r[i].pid, sig);
}

static bool any_left(struct running *r, size_t n) {
        bool left = false;

        for (size_t i = 0; i < n; i++) {
                if (r[i].pid > 0 && waitpid(r[i].pid, NULL, WNOHANG) == r[i].pid)
                        r[i].pid = 0;
                left = left || r[i].pid > 0;
        }
        return left;
}

/* Asked to, first: a script ends what it has started itself. */
static void end_all(struct running *r, size_t n) {
        signal_all(r, n, SIGTERM);
        for (size_t waited = 0; waited < GRACE_MS && any_left(r, n); waited += 10)
                nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        signal_all(r, n, SIGKILL);
        for (size_t i = 0; i < n; i++) {
                if (r[i].pid > 0)
                        while (waitpid(r[i].pid, NULL, 0) < 0 && errno == EINTR)
                                ;
                close_p(&r[i].out);
                close_p(&r[i].err);
        }
}

static int run_all(struct process *p, struct running *r, size_t n, unsigned parallel, process_progress_fn progress, void *ctx,
                   int sfd, const sigset_t *mask, struct err *err) {
        size_t started = 0, ended = 0;
        int e;

        while (ended < n) {
                size_t before = ended;

                while (started < n && started - ended < parallel) {
                        e = process_start(&p[started], &r[started], mask, err);
                        if (e < 0)
                                return e;
                        started++;
                }
                e = wait_signal(sfd, err);
                if (e < 0)
                        return e;
                e = reap(p, r, started, &ended, err);
                if (e < 0)
                        return e;
                if (progress && ended != before)
                        progress(ctx, ended, n);
        }
        return 0;
}

int processes_run(struct process *p, size_t n, unsigned parallel, process_progress_fn progress, void *ctx, struct err *err) {
        cleanup_free struct running *r = new_array(n, sizeof(*r));
        cleanup_fd int sfd = -1;
        struct sigaction old_child;
        sigset_t handled, old;
        int e;

        if (!r)
                return err_errno(err, -ENOMEM, "subprocesses");
        for (size_t i = 0; i < n; i++)
                r[i].out = r[i].err = -1;
        handled_signals(&handled);
        if (sigprocmask(SIG_BLOCK, &handled, &old) < 0)
                return err_errno(err, -errno, "cannot block signals");
        /* Ignored by whoever started us, children would vanish without a status. */
        sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, &old_child);
        sfd = signalfd(-1, &handled, SFD_CLOEXEC);
        e = sfd < 0 ? err_errno(err, -errno, "cannot make a signal descriptor")
                    : run_all(p, r, n, parallel ?: 1, progress, ctx, sfd, &old, err);
        end_all(r, n);
        sigaction(SIGCHLD, &old_child, NULL);
        sigprocmask(SIG_SETMASK, &old, NULL);
        return e;
}

int process_run(struct process *p, struct err *err) {
        return processes_run(p, 1, 1, NULL, NULL, err);
}
