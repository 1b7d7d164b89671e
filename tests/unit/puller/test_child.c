/* SPDX-License-Identifier: Apache-2.0 */
/* Children and packets: the supervisor must neither hang, nor leak descriptors or processes, whatever a child does. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "child.h"
#include "util.h"

#define S 1000000000LL

static size_t open_fds(void) {
        DIR *d = opendir("/proc/self/fd");
        size_t n = 0;

        assert_non_null(d);
        while (readdir(d))
                n++;
        closedir(d);
        return n;
}

static bool no_children(void) {
        return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

/* ---- the children: this program again, with one of these as its role ---- */

static int child_echo(void) {
        char buf[256];
        int fds[2];
        size_t n_fds = 2;
        ssize_t n = msg_recv(CHILD_SOCK, buf, sizeof(buf), fds, &n_fds);

        return n > 0 && msg_send(CHILD_SOCK, buf, n, fds, n_fds) == 0 ? 0 : 1;
}

/* What it was born with, for the parent to judge. */
struct birth {
        int extra_fds, pdeathsig, environment;
        int masked, ignored;
};

static int child_birth(void) {
        struct birth b = {.environment = environ && *environ};
        sigset_t set;

        for (int fd = CHILD_SOCK + 1; fd < 1024; fd++)
                if (fcntl(fd, F_GETFD) >= 0)
                        b.extra_fds++;
        prctl(PR_GET_PDEATHSIG, &b.pdeathsig);
        sigprocmask(SIG_SETMASK, NULL, &set);
        for (int i = 1; i < NSIG; i++) {
                struct sigaction sa;

                b.masked += sigismember(&set, i) == 1;
                if (sigaction(i, NULL, &sa) == 0)
                        b.ignored += sa.sa_handler == SIG_IGN;
        }
        return msg_send(CHILD_SOCK, &b, sizeof(b), NULL, 0) == 0 ? 0 : 1;
}

static int child_main(const char *role) {
        if (streq(role, "@echo"))
                return child_echo();
        if (streq(role, "@birth"))
                return child_birth();
        if (streq(role, "@exit7"))
                return 7;
        if (streq(role, "@abort"))
                abort();
        if (streq(role, "@hang"))
                for (;;)
                        pause();
        return 99;
}

static struct child spawn(const char *role) {
        struct child_spec spec = {.role = role, .cgroup = -1};
        struct child c = CHILD_INIT;
        struct err err;

        if (child_spawn(&spec, &c, &err) < 0)
                fail_msg("%s", err.msg);
        return c;
}

/* ---- tests ---- */

static void packets_and_descriptors_pass_both_ways(void **state) {
        size_t before = open_fds(), n_fds = 1;
        struct child c = spawn("@echo");
        struct stat a, b;
        char buf[16];
        int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC), got;

        assert_int_equal(msg_send(c.sock, "hello", 5, &zero, 1), 0);
        assert_int_equal(msg_recv_wait(c.sock, &waiter_plain, monotonic_ns() + 10 * S, buf, sizeof(buf), &got, &n_fds), 5);
        assert_memory_equal(buf, "hello", 5);
        assert_int_equal(n_fds, 1);
        assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
        assert_int_equal(fstat(zero, &a) | fstat(got, &b), 0);
        assert_int_equal(a.st_rdev, b.st_rdev);
        assert_int_equal(child_wait(&c, &waiter_plain, monotonic_ns() + 10 * S, NULL), 0);
        close(zero);
        close(got);
        child_kill(&c);
        assert_int_equal(open_fds(), before);
        assert_true(no_children());
}

/* A descriptor, an ignored signal or a variable that goes along is a hole in a sandbox, or a child that cannot be stopped. */
static void a_child_inherits_nothing(void **state) {
        int stray = open("/dev/null", O_RDONLY); /* not close-on-exec, on purpose */
        struct birth b = {};
        struct child c;
        sigset_t set, old;

        assert_true(stray >= 0);
        signal(SIGPIPE, SIG_IGN);
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, &old);
        setenv("http_proxy", "http://attacker.example", 1);
        c = spawn("@birth");
        sigprocmask(SIG_SETMASK, &old, NULL);
        signal(SIGPIPE, SIG_DFL);
        close(stray);

        assert_int_equal(msg_recv(c.sock, &b, sizeof(b), NULL, NULL), sizeof(b));
        assert_int_equal(b.extra_fds, 0);
        assert_int_equal(b.pdeathsig, SIGKILL);
        assert_int_equal(b.masked, 0);
        assert_int_equal(b.ignored, 0);
        if (!getenv("ASAN_OPTIONS") && !getenv("UBSAN_OPTIONS"))
                assert_int_equal(b.environment, 0);
        child_kill(&c);
        assert_true(no_children());
}

static void the_wait_status_is_told(void **state) {
        struct child c = spawn("@exit7");
        int status = 0;

        assert_int_equal(child_wait(&c, &waiter_plain, monotonic_ns() + 10 * S, &status), 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 7);
        assert_int_equal(child_wait(&c, &waiter_plain, 0, &status), -ESRCH);
        child_kill(&c);

        c = spawn("@abort");
        assert_int_equal(child_wait(&c, &waiter_plain, monotonic_ns() + 10 * S, &status), 0);
        assert_true(WIFSIGNALED(status));
        child_kill(&c);
        assert_true(no_children());
}

static void a_hanging_child_times_out_and_is_killed(void **state) {
        size_t before = open_fds();
        struct child c = spawn("@hang");
        pid_t pid = c.pid;
        char buf[8];

        assert_int_equal(msg_recv_wait(c.sock, &waiter_plain, monotonic_ns() + S / 20, buf, sizeof(buf), NULL, NULL), -ETIMEDOUT);
        assert_int_equal(child_wait(&c, &waiter_plain, monotonic_ns() + S / 20, NULL), -ETIMEDOUT);
        child_kill(&c);
        assert_int_equal(kill(pid, 0), -1);
        assert_int_equal(c.pid, 0);
        child_kill(&c);
        assert_int_equal(open_fds(), before);
        assert_true(no_children());
}

static int wait_cancelled(struct waiter *w, int fd, int64_t deadline_ns) {
        return -ECANCELED;
}

static void the_waiters_verdict_is_passed_on(void **state) {
        struct waiter w = {.wait = wait_cancelled};
        struct child c = spawn("@hang");
        char buf[8];

        assert_int_equal(msg_recv_wait(c.sock, &w, INT64_MAX, buf, sizeof(buf), NULL, NULL), -ECANCELED);
        assert_int_equal(child_wait(&c, &w, INT64_MAX, NULL), -ECANCELED);
        child_kill(&c);
}

static void a_program_that_cannot_run_is_an_error(void **state) {
        struct child_spec spec = {.exe = "/nonexistent/lsmpull", .role = "@echo", .cgroup = -1};
        size_t before = open_fds();
        struct child c = CHILD_INIT;
        struct err err = {};

        assert_int_equal(child_spawn(&spec, &c, &err), -ENOENT);
        assert_non_null(strstr(err.msg, "/nonexistent/lsmpull"));
        assert_int_equal(c.pid, 0);
        child_kill(&c);
        assert_int_equal(open_fds(), before);
        assert_true(no_children());
}

static void a_cgroup_that_is_none_is_an_error(void **state) {
        cleanup_fd int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct child_spec spec = {.role = "@echo", .cgroup = dir};
        struct child c = CHILD_INIT;

        assert_true(child_spawn(&spec, &c, NULL) < 0);
        assert_true(no_children());
}

static void a_child_starts_in_its_cgroup(void **state) {
        static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
        char dir[PATH_MAX], path[PATH_MAX + 16], line[32] = "";
        cleanup_fd int fd = -1;
        struct child c;
        FILE *f;

        for (size_t i = 0; i < ARRAY_SIZE(roots) && fd < 0; i++) {
                snprintf(path, sizeof(path), "%s/cgroup.controllers", roots[i]);
                if (access(path, F_OK) < 0)
                        continue;
                snprintf(dir, sizeof(dir), "%s/lsmpull-test-%d", roots[i], getpid());
                if (mkdir(dir, 0755) == 0)
                        fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        }
        if (fd < 0) {
                print_message("no cgroup can be made here\n");
                skip();
        }
        c = (struct child)CHILD_INIT;
        assert_int_equal(child_spawn(&(struct child_spec){.role = "@hang", .cgroup = fd}, &c, NULL), 0);
        snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
        f = fopen(path, "re");
        assert_non_null(f);
        assert_non_null(fgets(line, sizeof(line), f));
        fclose(f);
        assert_int_equal(atoi(line), c.pid);
        child_kill(&c);
        assert_int_equal(rmdir(dir), 0);
}

struct pair {
        int a, b;
};

static struct pair pair_new(void) {
        int s[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
        return (struct pair){s[0], s[1]};
}

static void more_descriptors_than_room_leak_nothing(void **state) {
        size_t before = open_fds();
        struct pair s = pair_new();
        int fds[MSG_FDS_MAX], got[MSG_FDS_MAX];
        char buf[8];

        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                fds[i] = s.b;
        /* one too many; none wanted; as many as there are */
        static const size_t rooms[][2] = {{1, 2}, {0, 1}, {2, 3}, {15, 16}};
        for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
                size_t n_fds = rooms[i][0];

                assert_int_equal(msg_send(s.b, "x", 1, fds, rooms[i][1]), 0);
                assert_int_equal(msg_recv(s.a, buf, sizeof(buf), got, n_fds ? &n_fds : NULL), -EBADMSG);
                assert_int_equal(open_fds(), before + 2);
        }
        size_t n_fds = MSG_FDS_MAX;
        assert_int_equal(msg_send(s.b, "x", 1, fds, MSG_FDS_MAX), 0);
        assert_int_equal(msg_recv(s.a, buf, sizeof(buf), got, &n_fds), 1);
        assert_int_equal(n_fds, MSG_FDS_MAX);
        for (size_t i = 0; i < n_fds; i++)
                close(got[i]);
        close(s.a);
        close(s.b);
        assert_int_equal(open_fds(), before);
}

/* More than MSG_FDS_MAX at once, which msg_send() refuses but a hostile peer can do. */
static void a_heap_of_descriptors_leaks_nothing(void **state) {
        size_t before = open_fds(), n_fds = MSG_FDS_MAX;
        struct pair s = pair_new();
        enum { N = 200 };
        static char control[CMSG_SPACE(N * sizeof(int))] __attribute__((aligned(sizeof(size_t))));
        char x = 'x';
        struct iovec iov = {.iov_base = &x, .iov_len = 1};
        struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
        struct cmsghdr *h = CMSG_FIRSTHDR(&m);
        int got[MSG_FDS_MAX];
        char buf[8];

        *h = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(N * sizeof(int))};
        for (int i = 0; i < N; i++)
                memcpy(CMSG_DATA(h) + i * sizeof(int), &s.b, sizeof(int));
        assert_int_equal(sendmsg(s.b, &m, 0), 1);
        assert_int_equal(msg_recv(s.a, buf, sizeof(buf), got, &n_fds), -EBADMSG);
        assert_int_equal(n_fds, 0);
        close(s.a);
        close(s.b);
        assert_int_equal(open_fds(), before);
}

static void a_packet_that_does_not_fit_is_refused(void **state) {
        size_t before = open_fds(), n_fds = 2;
        struct pair s = pair_new();
        char buf[8];
        int got[2];

        assert_int_equal(msg_send(s.b, "123456789", 9, &s.b, 1), 0);
        assert_int_equal(msg_recv(s.a, buf, sizeof(buf), got, &n_fds), -EBADMSG);
        assert_int_equal(n_fds, 0);
        close(s.a);
        close(s.b);
        assert_int_equal(open_fds(), before);
}

static void senders_limits(void **state) {
        static char big[64 * 1024 + 1];
        struct pair s = pair_new();
        int fds[MSG_FDS_MAX + 1] = {};

        assert_int_equal(msg_send(s.b, big, sizeof(big), NULL, 0), -EMSGSIZE);
        assert_int_equal(msg_send(s.b, big, 0, NULL, 0), -EMSGSIZE);
        assert_int_equal(msg_send(s.b, big, 1, fds, MSG_FDS_MAX + 1), -EMSGSIZE);
        assert_int_equal(msg_send(s.b, big, sizeof(big) - 1, NULL, 0), 0);
        close(s.a);
        assert_int_equal(msg_send(s.b, big, 1, NULL, 0), -EPIPE); /* and no SIGPIPE */
        close(s.b);
}

/* A peer that died without reading what we sent: its last packet still counts, then comes the end. */
static void the_last_packet_of_a_dead_peer_is_read(void **state) {
        struct pair s = pair_new();
        char buf[8];

        assert_int_equal(msg_send(s.a, "unread", 6, NULL, 0), 0);
        assert_int_equal(msg_send(s.b, "last", 4, NULL, 0), 0);
        close(s.b);
        assert_int_equal(msg_recv_wait(s.a, &waiter_plain, monotonic_ns() + S, buf, sizeof(buf), NULL, NULL), 4);
        assert_int_equal(msg_recv_wait(s.a, &waiter_plain, monotonic_ns() + S, buf, sizeof(buf), NULL, NULL), 0);
        close(s.a);
}

static void plain_waiter(void **state) {
        struct pair s = pair_new();
        int64_t start = monotonic_ns();

        assert_int_equal(waiter_plain.wait(&waiter_plain, s.a, 0), 0);
        assert_int_equal(waiter_plain.wait(&waiter_plain, s.a, INT64_MIN), 0);
        assert_int_equal(waiter_plain.wait(&waiter_plain, -1, start + S / 50), 0);
        assert_true(monotonic_ns() >= start + S / 50);
        assert_int_equal(msg_send(s.b, "x", 1, NULL, 0), 0);
        assert_int_equal(waiter_plain.wait(&waiter_plain, s.a, 0), 1); /* there already: counts past the deadline, too */
        assert_int_equal(waiter_plain.wait(&waiter_plain, s.a, INT64_MAX), 1);
        close(s.a);
        assert_int_equal(waiter_plain.wait(&waiter_plain, s.a, INT64_MAX), -EBADF);
        close(s.b);
}

int main(int argc, char **argv) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(packets_and_descriptors_pass_both_ways),
                cmocka_unit_test(a_child_inherits_nothing),
                cmocka_unit_test(the_wait_status_is_told),
                cmocka_unit_test(a_hanging_child_times_out_and_is_killed),
                cmocka_unit_test(the_waiters_verdict_is_passed_on),
                cmocka_unit_test(a_program_that_cannot_run_is_an_error),
                cmocka_unit_test(a_cgroup_that_is_none_is_an_error),
                cmocka_unit_test(a_child_starts_in_its_cgroup),
                cmocka_unit_test(more_descriptors_than_room_leak_nothing),
                cmocka_unit_test(a_heap_of_descriptors_leaks_nothing),
                cmocka_unit_test(a_packet_that_does_not_fit_is_refused),
                cmocka_unit_test(senders_limits),
                cmocka_unit_test(the_last_packet_of_a_dead_peer_is_read),
                cmocka_unit_test(plain_waiter),
        };

        if (argc > 1 && argv[1][0] == '@')
                return child_main(argv[1]);
        return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
