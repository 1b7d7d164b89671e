/* SPDX-License-Identifier: Apache-2.0 */
#include "../lib/unit.h"

#include <signal.h>
#include <sys/wait.h>

#include "process.h"

#define SHELL(script) ((const char *const[]){"sh", "-c", (script), NULL})

static void test_output_and_status(void **state) {
        cleanup_process struct process p = {.argv = SHELL("echo out; echo err >&2; exit 7")};
        struct err err = {};

        assert_done(process_run(&p, &err), err);
        assert_string_equal(p.out.data, "out\n");
        assert_string_equal(p.err.data, "err\n");
        assert_true(WIFEXITED(p.status));
        assert_int_equal(WEXITSTATUS(p.status), 7);
        assert_false(process_ok(&p));
}

static void test_surroundings(void **state) {
        cleanup_process struct process p = {
                .argv = SHELL("pwd; echo $VALUE$HOME; cat; ls -l /proc/self/fd | grep -c 'memfd:\\|signalfd'"),
                .dir = "/usr",
                .env = (const char *const[]){"VALUE=5", "PATH=/usr/bin:/bin", NULL},
        };
        struct err err = {};

        assert_done(process_run(&p, &err), err);
        assert_true(process_ok(&p));
        /* stdin is empty; of the memory files, ls has its stderr alone. */
        assert_string_equal(p.out.data, "/usr\n5\n1\n");
}

static void test_killed(void **state) {
        cleanup_process struct process p = {.argv = SHELL("kill -9 $$")};
        struct err err = {};

        assert_done(process_run(&p, &err), err);
        assert_false(process_ok(&p));
}

static void test_not_there(void **state) {
        cleanup_process struct process p = {.argv = (const char *const[]){"no-such-program", NULL}};
        struct err err = {};

        assert_true(process_run(&p, &err) < 0);
        assert_non_null(strstr(err.msg, "no-such-program"));
}

static void test_output_is_bounded(void **state) {
        cleanup_process struct process p = {.argv = SHELL("head -c 3000000 /dev/zero")};
        struct err err = {};

        assert_done(process_run(&p, &err), err);
        assert_int_equal(p.out.len, PROCESS_OUTPUT_MAX);
}

struct counter {
        size_t calls, last;
};

static void count(void *ctx, size_t done, size_t n) {
        struct counter *c = ctx;

        assert_int_equal(n, 12);
        assert_true(done > c->last && done <= n);
        c->last = done;
        c->calls++;
}

static void test_many(void **state) {
        struct process p[12] = {};
        char scripts[12][32];
        const char *argv[12][4];
        struct counter counter = {};
        struct err err = {};

        for (int i = 0; i < 12; i++) {
                snprintf(scripts[i], sizeof(scripts[i]), "echo %d; exit %d", i, i % 3);
                argv[i][0] = "sh";
                argv[i][1] = "-c";
                argv[i][2] = scripts[i];
                argv[i][3] = NULL;
                p[i].argv = argv[i];
        }
        assert_done(processes_run(p, 12, 3, count, &counter, &err), err);
        assert_int_equal(counter.last, 12);
        for (int i = 0; i < 12; i++) {
                assert_int_equal(atoi(p[i].out.data), i);
                assert_int_equal(WEXITSTATUS(p[i].status), i % 3);
                process_done(&p[i]);
        }
}

/* A parent that ignores SIGCHLD hands that down; children must have a status all the same. */
static void test_ignored_sigchld(void **state) {
        cleanup_process struct process p = {.argv = SHELL("exit 3")};
        struct err err = {};

        signal(SIGCHLD, SIG_IGN);
        assert_done(process_run(&p, &err), err);
        assert_int_equal(WEXITSTATUS(p.status), 3);
        assert_true(signal(SIGCHLD, SIG_DFL) == SIG_IGN);
}

/* Interrupted: all children are dead and gone when the call returns, and the caller can clean up. */
static void test_interrupted(void **state) {
        struct process p[2] = {{.argv = SHELL("sleep 600")}, {.argv = SHELL("kill -TERM $PPID; sleep 600")}};
        struct err err = {};

        assert_int_equal(processes_run(p, 2, 2, NULL, NULL, &err), -EINTR);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
        process_done(&p[0]);
        process_done(&p[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_output_and_status), cmocka_unit_test(test_surroundings),      cmocka_unit_test(test_killed),
                cmocka_unit_test(test_not_there),         cmocka_unit_test(test_output_is_bounded), cmocka_unit_test(test_many),
                cmocka_unit_test(test_ignored_sigchld),   cmocka_unit_test(test_interrupted),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
