/* SPDX-License-Identifier: Apache-2.0 */
/* The reporter: what it is told of generations, and what one that has been taken over could still do. */
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "reporter.h"
#include "reporter_proto.h"
#include "sandbox.h"

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* ---- what it is told --------------------------------------------------------------------------------------------------- */

struct watched {
        struct reporter_watch watch;
        struct child child; /* its socket alone */
        int other;          /* where the reporter would listen */
        struct bundle bundle, *bundles[1];
        struct node node;
};

static void watched_init(struct watched *w) {
        int socks[2];

        *w = (struct watched){.child = CHILD_INIT};
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, socks), 0);
        w->child.sock = socks[0];
        w->child.pid = 1;
        w->other = socks[1];
        snprintf(w->bundle.name, sizeof(w->bundle.name), "web");
        snprintf(w->bundle.journal.bundle, sizeof(w->bundle.journal.bundle), "web");
        w->bundles[0] = &w->bundle;
        w->node = (struct node){.state_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), .bundles = w->bundles, .n_bundles = 1};
}

static void watched_done(struct watched *w) {
        reporter_watch_done(&w->watch);
        close(w->child.sock);
        close(w->other);
        close(w->node.state_fd);
}

static void look(struct watched *w) {
        reporter_watch(&w->watch, &w->child, &w->node);
}

/* The next thing it is told: a state with the release, "names", or "" when nothing. */
static const char *told(struct watched *w) {
        static char text[64];
        struct reporter_packet p;
        cleanup_fd int fd = -1;
        size_t n_fds = 1;
        ssize_t n = msg_recv(w->other, &p, sizeof(p), &fd, &n_fds);

        if (n == -EAGAIN)
                return "";
        assert_int_equal(n, sizeof(p));
        if (p.message == REPORTER_NAMES) {
                assert_true(fd >= 0);
                return "names";
        }
        assert_string_equal(p.note.bundle, "web");
        snprintf(text, sizeof(text), "%s %d%s%s", p.note.state, (int)p.note.release, p.note.reason[0] ? " " : "", p.note.reason);
        return text;
}

static struct journal_gen gen(const char *id, uint64_t release) {
        struct journal_gen g = {.present = true, .version = "1.0.0", .release = release};

        memcpy(g.content_hex, id, sizeof(g.content_hex));
        return g;
}

static void left(struct journal *j, const char *reason, const char *id, uint64_t release) {
        j->staged.present = false;
        j->step = STEP_NONE;
        snprintf(j->left_reason, sizeof(j->left_reason), "%s", reason);
        memcpy(j->left_content, id, sizeof(j->left_content));
        j->left_release = release;
}

static void test_what_was_there_is_no_news(void **state) {
        struct watched w;

        watched_init(&w);
        w.bundle.journal.confirmed = gen(ID_A, 1);
        look(&w);
        assert_string_equal(told(&w), "names");
        look(&w);
        look(&w);
        assert_string_equal(told(&w), "");
        watched_done(&w);
}

static void test_a_swap(void **state) {
        struct watched w;
        struct journal *j = &w.bundle.journal;

        watched_init(&w);
        j->confirmed = gen(ID_A, 1);
        look(&w);
        told(&w);
        j->staged = gen(ID_B, 2);
        j->step = STEP_STAGING;
        look(&w);
        assert_string_equal(told(&w), "names"); /* before anything of it is loaded */
        assert_string_equal(told(&w), "");
        j->step = STEP_FLIPPING;
        look(&w);
        look(&w);
        assert_string_equal(told(&w), "pending 2");
        assert_string_equal(told(&w), "");
        j->previous = j->confirmed;
        j->confirmed = j->staged;
        j->staged.present = false;
        j->step = STEP_NONE;
        look(&w);
        assert_string_equal(told(&w), "confirmed 2");
        w.node.n_bundles = 0;
        told(&w);
        look(&w);
        assert_string_equal(told(&w), "removed 2");
        look(&w);
        assert_string_equal(told(&w), "");
        watched_done(&w);
}

static void test_failures(void **state) {
        struct watched w;
        struct journal *j = &w.bundle.journal;

        watched_init(&w);
        look(&w);
        j->staged = gen(ID_A, 1);
        j->step = STEP_PROBING;
        look(&w);
        told(&w);
        left(j, "selftest-failed", ID_A, 1);
        look(&w);
        assert_string_equal(told(&w), "failed 1 selftest-failed"); /* no task has met it */
        j->staged = gen(ID_A, 1);
        j->step = STEP_FLIPPING;
        look(&w);
        assert_string_equal(told(&w), "pending 1");
        assert_string_equal(told(&w), "names");
        left(j, "health-failed", ID_A, 1);
        look(&w);
        assert_string_equal(told(&w), "rolled-back 1 health-failed");
        assert_string_equal(told(&w), "");
        watched_done(&w);
}

static void test_rollback_by_operator(void **state) {
        struct watched w;
        struct journal *j = &w.bundle.journal;

        watched_init(&w);
        j->confirmed = gen(ID_B, 2);
        look(&w);
        told(&w);
        j->confirmed = gen(ID_A, 1);
        left(j, "operator", ID_B, 2);
        look(&w);
        assert_string_equal(told(&w), "rolled-back 2 operator");
        assert_string_equal(told(&w), "confirmed 1");
        watched_done(&w);
}

/* A reporter that hangs, and one that has died: the agent goes on, at once. */
static void test_a_reporter_that_does_not_listen(void **state) {
        struct watched w;
        struct journal *j = &w.bundle.journal;

        watched_init(&w);
        look(&w);
        for (int i = 0; i < 5000; i++) {
                j->confirmed = gen(i % 2 ? ID_A : ID_B, (uint64_t)i + 1);
                look(&w);
        }
        close(w.other);
        w.other = -1;
        j->confirmed = gen(ID_A, 9999);
        look(&w);
        w.child.pid = 0;
        j->confirmed = gen(ID_B, 10000);
        look(&w);
        watched_done(&w);
}

/* ---- its sandbox ------------------------------------------------------------------------------------------------------- */

static int result(long r) {
        return r < 0 ? errno : 0;
}

static int try_accept(int listener) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        struct ucred cred;
        socklen_t len = sizeof(cred);

        return result(fd < 0 ? fd : getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len));
}
static int try_tcp(int listener) {
        return result(socket(AF_INET, SOCK_STREAM, 0));
}
static int try_unix(int listener) {
        return result(socket(AF_UNIX, SOCK_STREAM, 0));
}
static int try_connect(int listener) {
        struct sockaddr_un sa = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/private"};

        return result(connect(listener, (struct sockaddr *)&sa, sizeof(sa)));
}
static int try_exec(int listener) {
        const char *const argv[] = {"true", NULL};

        return result(execv("/bin/true", (char *const *)argv));
}
static int try_fork(int listener) {
        return result(fork());
}
static int try_signal(int listener) {
        return result(kill(getppid(), 0));
}
static int try_state(int listener) {
        return result(open("/etc/passwd", O_RDONLY));
}

static int in_sandbox(int listener, int (*probe)(int)) {
        const struct sandbox_spec spec = {.uid = 65534, .gid = 65534, .profile = SANDBOX_REPORT, .writable_dir = -1};
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
                struct sandbox_report report;
                struct err err = {0};

                if (sandbox_enter(&spec, &report, &err) < 0) {
                        fprintf(stderr, "%s\n", err.msg);
                        _exit(250);
                }
                if (probe == try_state && !(report.parts & SANDBOX_LANDLOCK_FILES))
                        _exit(EACCES); /* a kernel without Landlock leaves what everybody may read */
                _exit(probe(listener));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void test_sandbox(void **state) {
        static const struct {
                const char *name;
                int (*probe)(int);
                int want;
        } cases[] = {
                {"accept a reader", try_accept, 0},      {"reach the network", try_tcp, EPERM},
                {"make a socket", try_unix, EPERM},      {"connect", try_connect, EPERM},
                {"execute a program", try_exec, EPERM},  {"fork", try_fork, EPERM},
                {"signal the agent", try_signal, EPERM}, {"open a file", try_state, EACCES},
        };
        struct sockaddr_un sa = {.sun_family = AF_UNIX}; /* a name by the kernel's choice */
        socklen_t len = sizeof(sa);
        int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0),
            reader = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof(sa_family_t)), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&sa, &len), 0);
        assert_int_equal(connect(reader, (struct sockaddr *)&sa, len), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                int got = in_sandbox(listener, cases[i].probe);

                if (got != cases[i].want)
                        fail_msg("%s: %s", cases[i].name, got == 250 ? "no sandbox" : strerror(got));
        }
        close(reader);
        close(listener);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_was_there_is_no_news),
                cmocka_unit_test(test_a_swap),
                cmocka_unit_test(test_failures),
                cmocka_unit_test(test_rollback_by_operator),
                cmocka_unit_test(test_a_reporter_that_does_not_listen),
                cmocka_unit_test(test_sandbox),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
