/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "util.h"

#define MSG_MAX (64 * 1024)
#define SEND_TIMEOUT_S 10
#define ENVIRONMENT_MAX 16

/* What a child sees of the environment: nothing but switches for tests and sanitizers. Its work comes with its request, and
 * variables that change how libraries behave (proxies, OpenSSL's configuration, the notify socket) are not its business. */
static void environment_filter(const char *ret[static ENVIRONMENT_MAX + 1]) {
        static const char *const kept[] = {"LSM_", "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS="};
        size_t n = 0;

        for (char **e = environ; e && *e && n < ENVIRONMENT_MAX; e++)
                for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
                        if (strncmp(*e, kept[i], strlen(kept[i])) == 0) {
                                ret[n++] = *e;
                                break;
                        }
        ret[n] = NULL;
}

/* Between clone3() and exec; returns the errno of what failed. */
static int child_exec(const struct child_spec *spec, int sock, pid_t parent, const char *const *env) {
        const char *const argv[] = {"lsmpull", spec->role, NULL};
        sigset_t none;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
                return errno;
        if (getppid() != parent) /* it died before the line above */
                return ESRCH;

        if (sock == CHILD_SOCK) {
                if (fcntl(sock, F_SETFD, 0) < 0)
                        return errno;
        } else if (dup2(sock, CHILD_SOCK) < 0)
                return errno;
        if (close_range(CHILD_SOCK + 1, ~0U, 0) < 0)
                return errno;

        /* exec resets handlers, but keeps what is ignored; numbers that glibc keeps to itself fail, and need not be reset. */
        for (int i = 1; i <= SIGRTMAX; i++)
                signal(i, SIG_DFL);
        sigemptyset(&none);
        if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                return errno;

        execve(spec->exe ? spec->exe : "/proc/self/exe", (char *const *)argv, (char *const *)env);
        return errno;
}

/*
 * CLONE_VFORK: the parent goes on when the child has executed or exited, so that *failure tells the two apart without another
 * descriptor. Signals are blocked meanwhile: no handler of the parent may run in the child.
 */
static pid_t child_clone(const struct child_spec *spec, int sock, int *ret_pidfd, volatile int *failure) {
        struct clone_args args = {
                .flags = CLONE_PIDFD | CLONE_VFORK | (spec->cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
                .pidfd = (uintptr_t)ret_pidfd,
                .exit_signal = SIGCHLD,
                .cgroup = spec->cgroup >= 0 ? spec->cgroup : 0,
        };
        const char *env[ENVIRONMENT_MAX + 1];
        pid_t parent = getpid(), pid;
        sigset_t all, old;
        int e;

        environment_filter(env);
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, &old);
        pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid == 0) {
                *failure = child_exec(spec, sock, parent, env);
                _exit(EXIT_FAILURE);
        }
        e = errno;
        sigprocmask(SIG_SETMASK, &old, NULL);
        return pid < 0 ? -e : pid;
}

int child_spawn(const struct child_spec *spec, struct child *ret, struct err *err) {
        struct timeval timeout = {.tv_sec = SEND_TIMEOUT_S};
        struct child c = CHILD_INIT;
        cleanup_fd int theirs = -1;
        int socks[2], failure;
        volatile int *shared;
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
                return err_errno(err, -errno, "cannot start %s: socketpair", spec->role);
        c.sock = socks[0];
        theirs = socks[1];
        /* A child that does not read must not hold up the supervisor. */
        if (setsockopt(c.sock, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0) {
                int r = -errno;

                child_kill(&c);
                return err_errno(err, r, "cannot start %s: SO_SNDTIMEO", spec->role);
        }

        shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (shared == MAP_FAILED) {
                int r = -errno;

                child_kill(&c);
                return err_errno(err, r, "cannot start %s: mmap", spec->role);
        }
        pid = child_clone(spec, theirs, &c.pidfd, shared);
        failure = *shared;
        munmap((void *)shared, sizeof(*shared));
        if (pid < 0) {
                child_kill(&c);
                return err_errno(err, pid, "cannot start %s: clone3", spec->role);
        }
        c.pid = pid;
        if (failure) {
                child_kill(&c);
                return err_errno(err, -failure, "cannot start %s: %s", spec->role, spec->exe ? spec->exe : "/proc/self/exe");
        }

        *ret = c;
        return 0;
}

static pid_t reap(pid_t pid, int *ret_status, int flags) {
        pid_t r;

        do
                r = waitpid(pid, ret_status, flags);
        while (r < 0 && errno == EINTR);
        return r;
}

int child_wait(struct child *c, struct waiter *w, int64_t deadline_ns, int *ret_status) {
        int r, status;

        if (c->pid <= 0)
                return -ESRCH;
        r = w->wait(w, c->pidfd, deadline_ns);
        if (r < 0)
                return r;
        if (r == 0)
                return -ETIMEDOUT;
        if (reap(c->pid, &status, 0) < 0)
                return -errno;
        c->pid = 0;
        close_p(&c->pidfd);
        c->pidfd = -1;
        if (ret_status)
                *ret_status = status;
        return 0;
}

void child_kill(struct child *c) {
        close_p(&c->sock);
        c->sock = -1;
        if (c->pid > 0) {
                int status;

                if (syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0) == 0)
                        reap(c->pid, &status, 0);
                else {
                        /* A policy may deny signals even to us. The closed socket tells the child to end; a moment for that. */
                        struct pollfd p = {.fd = c->pidfd, .events = POLLIN};

                        poll(&p, 1, 1000);
                        reap(c->pid, &status, WNOHANG);
                }
                c->pid = 0;
        }
        close_p(&c->pidfd);
        c->pidfd = -1;
}

int msg_send(int sock, const void *p, size_t n, const int *fds, size_t n_fds) {
        union {
                char buf[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))];
                struct cmsghdr align;
        } control = {};
        struct iovec iov = {.iov_base = (void *)p, .iov_len = n};
        struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
        ssize_t r;

        if (n == 0 || n > MSG_MAX || n_fds > MSG_FDS_MAX) /* an empty packet would read as the end */
                return -EMSGSIZE;
        if (n_fds > 0) {
                struct cmsghdr *h = &control.align;

                m.msg_control = &control;
                m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                h->cmsg_level = SOL_SOCKET;
                h->cmsg_type = SCM_RIGHTS;
                h->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                memcpy(CMSG_DATA(h), fds, n_fds * sizeof(int));
        }
        do
                r = sendmsg(sock, &m, MSG_NOSIGNAL);
        while (r < 0 && (errno == EINTR || errno == ECONNRESET)); /* the latter is reported once; then comes EPIPE */
        if (r < 0)
                return errno == EAGAIN ? -ETIMEDOUT : -errno;
        return 0;
}

/* Moves what m brought into fds; the number of those, or -EBADMSG when there are more than room, and then none stays open. */
static ssize_t take_fds(struct msghdr *m, int *fds, size_t room) {
        bool refused = m->msg_flags & MSG_CTRUNC;
        size_t n = 0;

        for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
                size_t here = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
                        continue;
                for (size_t i = 0; i < here; i++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(fd));
                        if (n < room)
                                fds[n++] = fd;
                        else {
                                close(fd);
                                refused = true;
                        }
                }
        }
        if (refused) {
                for (size_t i = 0; i < n; i++)
                        close(fds[i]);
                return -EBADMSG;
        }
        return n;
}

static ssize_t recv_packet(int sock, void *p, size_t max, int *fds, size_t *n_fds, int flags) {
        union {
                char buf[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))];
                struct cmsghdr align;
        } control;
        struct iovec iov = {.iov_base = p, .iov_len = max};
        size_t room = n_fds ? *n_fds : 0;
        struct msghdr m;
        ssize_t n, got;

        if (n_fds)
                *n_fds = 0;
        do {
                m = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
                n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC | flags);
                /* ECONNRESET is reported once, when the peer went without reading everything; what it sent is still there. */
        } while (n < 0 && (errno == EINTR || errno == ECONNRESET));
        if (n < 0)
                return -errno;

        got = take_fds(&m, fds, n > 0 && !(m.msg_flags & MSG_TRUNC) ? room : 0);
        if (got < 0 || m.msg_flags & MSG_TRUNC)
                return -EBADMSG;
        if (n_fds)
                *n_fds = got;
        return n;
}

ssize_t msg_recv(int sock, void *p, size_t max, int *fds, size_t *n_fds) {
        return recv_packet(sock, p, max, fds, n_fds, 0);
}

ssize_t msg_recv_wait(int sock, struct waiter *w, int64_t deadline_ns, void *p, size_t max, int *fds, size_t *n_fds) {
        size_t room = n_fds ? *n_fds : 0;

        for (;;) {
                ssize_t r = w->wait(w, sock, deadline_ns);

                if (r <= 0)
                        return r < 0 ? r : -ETIMEDOUT;
                if (n_fds)
                        *n_fds = room;
                r = recv_packet(sock, p, max, fds, n_fds, MSG_DONTWAIT);
                if (r != -EAGAIN)
                        return r;
        }
}
