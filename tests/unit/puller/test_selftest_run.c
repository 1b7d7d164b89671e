/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running self-tests in a probe: whatever the probe does or is denied, the supervisor comes back in time, and only a test that
 * has ended as it must counts as passed.
 */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "child.h"
#include "probe.h"
#include "seccomp_deny.h"
#include "selftest_run.h"

#define S 1000000000LL

/* ---- the probe: this program again; LSM_TEST_PROBE says what is wrong with it ---- */

static int scatter(const struct probe_order *order) {
        char path[PATH_MAX];

        snprintf(path, sizeof(path), "%s/.lsmpull-selftest-%s-0", getenv("LSM_TEST_SCRATCH"), order->token);
        return open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
}

static int probe_faulty(const char *how) {
        struct probe_order order;
        char packet[2 * sizeof(struct probe_result)] = {};

        if (streq(how, "exits"))
                return 7;
        if (streq(how, "is killed"))
                return raise(SIGKILL);
        if (msg_recv(CHILD_SOCK, &order, sizeof(order), NULL, NULL) <= 0)
                return 98;
        if (streq(how, "hangs"))
                return pause();
        if (streq(how, "hangs up")) { /* but lives on */
                close(CHILD_SOCK);
                return pause();
        }
        if (streq(how, "talks too little"))
                msg_send(CHILD_SOCK, packet, 1, NULL, 0);
        else if (streq(how, "talks too much"))
                msg_send(CHILD_SOCK, packet, sizeof(packet), NULL, 0);
        else if (streq(how, "talks nonsense"))
                msg_send(CHILD_SOCK, packet, sizeof(struct probe_result), NULL, 0);
        else if (streq(how, "scatters")) /* leaves its scratch file behind, and hangs */
                return scatter(&order) < 0 ? 97 : pause();
        return pause();
}

static int probe_role(void) {
        const char *how = getenv("LSM_TEST_PROBE");

        if (seccomp_deny_from_environment() < 0)
                return 99;
        return how ? probe_faulty(how) : probe_main(CHILD_SOCK);
}

/* ---- helpers ---- */

static struct selftests tests_of(const char *list) {
        cleanup_buf struct buf text = {}, b = {};
        cleanup_json json_t *j = NULL;
        struct selftests tests = {};
        struct err err = {};

        assert_int_equal(buf_printf(&text, "{\"_type\":\"lsm-selftests\",\"format\":1,\"tests\":%s}", list), 0);
        assert_int_equal(json_parse(text.data, text.len, &j, NULL), 0);
        assert_int_equal(json_canonical(j, &b, NULL), 0);
        if (selftests_parse(b.data, b.len, &tests, &err) < 0)
                fail_msg("%s", err.msg);
        return tests;
}

/* A subject that needs no privilege to become. */
static void subject(char *ret, size_t n) {
        snprintf(ret, n, "\"as\":{\"comm\":\"unprivileged\",\"uid\":%u,\"gid\":%u,\"caps\":\"none\"}", geteuid(), getegid());
}

static struct selftests one_test(const char *what, const char *expect) {
        cleanup_buf struct buf b = {};
        char as[128];

        subject(as, sizeof(as));
        assert_int_equal(buf_printf(&b, "[{\"name\":\"one\",%s,\"do\":%s,\"expect\":\"%s\"}]", as, what, expect), 0);
        return tests_of(b.data);
}

static int run(const struct selftests *tests, int64_t seconds, struct selftest_report *ret, struct err *err) {
        return selftest_run(tests, NULL, NULL, NULL, &waiter_plain, monotonic_ns() + seconds * S, ret, err);
}

/* Runs it with the probe in this condition, and expects it to be reported as a failed test, in these words. */
static void fails(const char *variable, const char *value, int64_t seconds, const char *words) {
        cleanup_selftests struct selftests tests = one_test("{\"open\":\"/etc/hostname\"}", "ok");
        cleanup_selftest_report struct selftest_report report = {};
        int64_t start = monotonic_ns();
        struct err err = {};
        int r;

        assert_int_equal(setenv(variable, value, 1), 0);
        r = run(&tests, seconds, &report, &err);
        assert_int_equal(unsetenv(variable), 0);
        if (r != -EBADE || err.reason != REASON_SELFTEST_FAILED || !strstr(err.msg, words))
                fail_msg("%s=%s: %d [%s] %s; expected ...%s...", variable, value, r, reason_word(err.reason), err.msg, words);
        assert_int_equal(report.n_failed, 1);
        assert_int_equal(report.results[0].state, SELFTEST_FAILED);
        assert_non_null(strstr(report.results[0].story, words));
        assert_true(monotonic_ns() - start < (seconds + 5) * S);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

/* ---- the tests ---- */

static void an_empty_list_starts_nothing(void **state) {
        cleanup_selftests struct selftests tests = tests_of("[]");
        cleanup_selftest_report struct selftest_report report = {};

        /* No program, no time: it would fail if it tried. */
        assert_int_equal(selftest_run(&tests, NULL, "/absent", NULL, &waiter_plain, 0, &report, NULL), 0);
        assert_int_equal(report.n, 0);
}

static void what_ends_as_expected_passes(void **state) {
        cleanup_selftest_report struct selftest_report report = {};
        cleanup_selftests struct selftests tests = {};
        cleanup_buf struct buf b = {};
        struct err err = {};
        char as[128];

        subject(as, sizeof(as));
        assert_int_equal(buf_printf(&b,
                                    "[{\"name\":\"opens\",%s,\"do\":{\"open\":\"/etc/hostname\"},\"expect\":\"ok\"},"
                                    "{\"name\":\"is absent\",%s,\"do\":{\"open\":\"/absent\"},\"expect\":\"ENOENT\"},"
                                    "{\"name\":\"runs\",%s,\"do\":{\"exec\":\"/tmp/\"},\"expect\":\"ok\"}]",
                                    as, as, as),
                         0);
        tests = tests_of(b.data);
        if (run(&tests, 30, &report, &err) != 0)
                fail_msg("%s", err.msg);
        assert_int_equal(report.n, 3);
        assert_int_equal(report.n_passed, 3);
        assert_int_equal(report.n_failed, 0);
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(report.results[i].state, SELFTEST_PASSED);
                assert_null(report.results[i].story);
        }
        assert_string_equal(report.results[1].name, "is absent");
        assert_int_equal(selftest_run(&tests, NULL, NULL, NULL, &waiter_plain, monotonic_ns() + 30 * S, NULL, NULL), 0);
}

static void the_message_says_what_was_expected(void **state) {
        cleanup_selftest_report struct selftest_report report = {};
        cleanup_selftests struct selftests tests = {};
        cleanup_buf struct buf b = {};
        struct err err = {};

        if (geteuid() != 0)
                skip(); /* "as unprivileged" alone is uid 0 */
        tests = tests_of("[{\"name\":\"hostname is closed\",\"as\":{\"comm\":\"unprivileged\"},"
                         "\"do\":{\"open\":\"/etc/hostname\"},\"expect\":\"EACCES\"}]");
        assert_int_equal(run(&tests, 30, &report, &err), -EBADE);
        assert_int_equal(err.reason, REASON_SELFTEST_FAILED);
        assert_string_equal(err.msg, "self-test 'hostname is closed': open /etc/hostname as unprivileged: "
                                     "expected EACCES, got ok");
        assert_string_equal(report.results[0].story, "open /etc/hostname as unprivileged: expected EACCES, got ok");
}

/* The author of a policy wants to see all that is wrong, not the first line of it. */
static void all_are_tried_and_the_first_failure_is_told(void **state) {
        cleanup_selftest_report struct selftest_report report = {};
        cleanup_selftests struct selftests tests = {};
        cleanup_buf struct buf b = {};
        struct err err = {};
        char as[128];

        subject(as, sizeof(as));
        assert_int_equal(buf_printf(&b,
                                    "[{\"name\":\"a\",%s,\"do\":{\"open\":\"/etc/hostname\"},\"expect\":\"ok\"},"
                                    "{\"name\":\"b\",%s,\"do\":{\"open\":\"/absent\"},\"expect\":\"EACCES\"},"
                                    "{\"name\":\"c\",%s,\"do\":{\"create\":\"/absent/*/x\"},\"expect\":\"ENOENT\"},"
                                    "{\"name\":\"d\",%s,\"do\":{\"open\":\"/absent\"},\"expect\":\"ENOENT\"}]",
                                    as, as, as, as),
                         0);
        tests = tests_of(b.data);
        assert_int_equal(run(&tests, 30, &report, &err), -EBADE);
        assert_int_equal(report.n_passed, 2);
        assert_int_equal(report.n_failed, 2);
        assert_int_equal(report.results[0].state, SELFTEST_PASSED);
        assert_int_equal(report.results[1].state, SELFTEST_FAILED);
        assert_int_equal(report.results[2].state, SELFTEST_FAILED);
        assert_int_equal(report.results[3].state, SELFTEST_PASSED);
        assert_non_null(strstr(err.msg, "2 of 4 self-tests failed: self-test 'b': open /absent"));
        assert_non_null(strstr(err.msg, "expected EACCES, got ENOENT"));
        /* ENOENT was expected, and ENOENT came, but not from the operation. */
        assert_non_null(strstr(report.results[2].story, "could not be tried: making a scratch directory: ENOENT"));
}

/* Counts a denial, or none, for each test, on behalf of a policy. */
struct counting {
        struct selftest_denials step, sum;
        unsigned looks;
};
static void count(void *ctx, struct selftest_denials *ret) {
        struct counting *c = ctx;

        if (c->looks++ % 2) { /* once before a test, once after it */
                c->sum.own += c->step.own;
                c->sum.would_own += c->step.would_own;
                c->sum.others += c->step.others;
        }
        *ret = c->sum;
}

static int run_counted(const char *what, const char *expect, struct selftest_denials step, bool lowered,
                       struct selftest_report *report, struct err *err) {
        cleanup_selftests struct selftests tests = one_test(what, expect);
        struct counting counting = {.step = step};
        struct selftest_witness witness = {count, &counting, lowered, true};

        selftest_report_done(report);
        return selftest_run(&tests, NULL, NULL, &witness, &waiter_plain, monotonic_ns() + 30 * S, report, err);
}

/* /absent ends in ENOENT, whoever denies it or not. */
static void an_error_from_elsewhere_is_no_denial(void **state) {
        const char *absent = "{\"open\":\"/absent\"}", *there = "{\"open\":\"/etc/hostname\"}";
        const struct selftest_denials nobody = {}, own = {.own = 1}, would = {.would_own = 1}, others = {.others = 1};
        cleanup_selftest_report struct selftest_report report = {};
        struct err err = {};

        assert_int_equal(run_counted(absent, "ENOENT", own, false, &report, &err), 0);
        assert_int_equal(report.n_passed, 1);
        assert_int_equal(run_counted(absent, "ENOENT", nobody, false, &report, &err), -EBADE);
        assert_string_equal(err.msg,
                            "self-test 'one': open /absent as unprivileged: ENOENT, but no policy has denied it: it would "
                            "have ended so without this bundle");
        assert_int_equal(run_counted(absent, "ENOENT", would, false, &report, &err), -EBADE);
        assert_int_equal(run_counted(absent, "ENOENT", others, false, &report, &err), 0);
        assert_int_equal(report.n_others, 1);
        /* What is allowed needs nobody's word. */
        assert_int_equal(run_counted(there, "ok", nobody, false, &report, &err), 0);
        /* Nor does a denial make up for the wrong error. */
        assert_int_equal(run_counted(absent, "EACCES", own, false, &report, &err), -EBADE);
        assert_non_null(strstr(err.msg, "expected EACCES, got ENOENT"));
}

static void what_a_lowered_policy_would_deny_passes(void **state) {
        const char *there = "{\"open\":\"/etc/hostname\"}";
        const struct selftest_denials nobody = {}, would = {.would_own = 1};
        cleanup_selftest_report struct selftest_report report = {};
        struct err err = {};

        assert_int_equal(run_counted(there, "EACCES", would, true, &report, &err), 0);
        assert_int_equal(report.n_audited, 1);
        assert_int_equal(run_counted(there, "EACCES", nobody, true, &report, &err), -EBADE);
        assert_int_equal(run_counted(there, "EACCES", would, false, &report, &err), -EBADE);
        assert_non_null(strstr(err.msg, "expected EACCES, got ok"));
}

static void a_probe_that_fails_is_a_failed_test(void **state) {
        fails("LSM_TEST_PROBE", "exits", 20, "ended with status 7");
        fails("LSM_TEST_PROBE", "is killed", 20, "ended by signal 9");
        fails("LSM_TEST_PROBE", "hangs", 1, "no answer in time");
        fails("LSM_TEST_PROBE", "hangs up", 20, "hung up");
        fails("LSM_TEST_PROBE", "talks too little", 20, "makes no sense");
        fails("LSM_TEST_PROBE", "talks too much", 20, "makes no sense");
        fails("LSM_TEST_PROBE", "talks nonsense", 20, "makes no sense");
}

/* As a policy that denies these to everybody would. */
static void a_probe_that_is_denied_everything_is_a_failed_test(void **state) {
        fails("LSM_TEST_DENY", "clone", 20, "could not be tried: starting a process: EACCES");
        fails("LSM_TEST_DENY", "mmap,3=33", 20, "could not be tried: sharing memory: EACCES");
        fails("LSM_TEST_DENY", "recvmsg", 20, "ended with status 1");
        fails("LSM_TEST_DENY", "sendmsg", 20, "ended with status 1");
        fails("LSM_TEST_DENY", "wait4", 20, "could not be tried: waiting for the process: EACCES");
        fails("LSM_TEST_DENY", "openat", 20, "expected ok, got EACCES");
}

/* Denied before the probe's first instruction of its own: exec, and the mappings that exec and the dynamic linker make. */
static int run_denied(const char *call, unsigned n, struct scmp_arg_cmp match, const char *words) {
        cleanup_selftests struct selftests tests = one_test("{\"open\":\"/etc/hostname\"}", "ok");
        struct err err = {};

        if (seccomp_deny_matching(seccomp_syscall_resolve_name(call), EACCES, n, &match) < 0)
                return 2;
        if (run(&tests, 20, NULL, &err) != -EBADE || err.reason != REASON_SELFTEST_FAILED || !strstr(err.msg, words)) {
                print_error("denied %s: [%s] %s\n", call, reason_word(err.reason), err.msg);
                return 1;
        }
        return 0;
}

static void fails_denied(const char *call, unsigned n, struct scmp_arg_cmp match, const char *words) {
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0)
                _exit(run_denied(call, n, match, words));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static void a_probe_that_cannot_start_is_a_failed_test(void **state) {
        fails_denied("execve", 0, (struct scmp_arg_cmp){}, "cannot start @probe");
        /* MAP_PRIVATE of a file, as the dynamic linker does it */
        fails_denied("mmap", 1, SCMP_A3_32(SCMP_CMP_EQ, MAP_PRIVATE | MAP_DENYWRITE), "before it could answer");
}

static void what_a_lost_probe_leaves_is_cleared(void **state) {
        char dir[] = "/tmp/test_selftest.XXXXXX", what[64];
        cleanup_selftests struct selftests tests = {};
        struct err err = {};

        assert_non_null(mkdtemp(dir));
        snprintf(what, sizeof(what), "{\"create\":\"%s/\"}", dir);
        tests = one_test(what, "ok");
        assert_int_equal(setenv("LSM_TEST_PROBE", "scatters", 1), 0);
        assert_int_equal(setenv("LSM_TEST_SCRATCH", dir, 1), 0);
        assert_int_equal(run(&tests, 1, NULL, &err), -EBADE);
        assert_non_null(strstr(err.msg, "no answer in time")); /* not 97: it has made the file */
        assert_int_equal(unsetenv("LSM_TEST_PROBE"), 0);
        assert_int_equal(unsetenv("LSM_TEST_SCRATCH"), 0);
        assert_int_equal(rmdir(dir), 0);
}

/* ---- where they are tried ---- */

struct visits {
        const char *missing; /* no such scope */
        int result;
        char seen[128];
};

static int visit(void *ctx, const char *scope, int *ret_cgroup, struct err *err) {
        struct visits *v = ctx;
        size_t len = strlen(v->seen);

        snprintf(v->seen + len, sizeof(v->seen) - len, "[%s]", scope);
        if (v->missing && streq(scope, v->missing))
                return err_set(err, -EBADE, REASON_SELFTEST_FAILED, "there is no scope of '%s'", scope);
        *ret_cgroup = -1;
        return v->result < 0 ? err_set(err, v->result, REASON_NONE, "the ground gives way") : 0;
}

static struct selftests tests_in_scopes(void) {
        static const char *const scopes[] = {"a", "", "b", "a", "", "b"};
        cleanup_buf struct buf b = {};

        for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
                char in[32] = "";

                if (*scopes[i])
                        snprintf(in, sizeof(in), ",\"scope\":\"%s\"", scopes[i]);
                assert_int_equal(buf_printf(&b,
                                            "%s{\"name\":\"%zu\",\"as\":{\"uid\":%u,\"gid\":%u,\"caps\":\"none\"%s},"
                                            "\"do\":{\"fork\":true},\"expect\":\"ok\"}",
                                            i == 0 ? "[" : ",", i, geteuid(), getegid(), in),
                                 0);
        }
        assert_int_equal(buf_printf(&b, "]"), 0);
        return tests_of(b.data);
}

static void each_scope_is_entered_once(void **state) {
        cleanup_selftests struct selftests tests = tests_in_scopes();
        cleanup_selftest_report struct selftest_report report = {};
        struct visits v = {};
        struct err err = {};

        if (selftest_run(&tests, &(struct selftest_ground){visit, &v}, NULL, NULL, &waiter_plain, monotonic_ns() + 30 * S,
                         &report, &err) != 0)
                fail_msg("%s", err.msg);
        assert_string_equal(v.seen, "[a][][b]");
        assert_int_equal(report.n_passed, 6);
}

static void a_scope_that_is_missing_fails_its_tests_alone(void **state) {
        cleanup_selftests struct selftests tests = tests_in_scopes();
        cleanup_selftest_report struct selftest_report report = {}, nowhere = {};
        struct visits v = {.missing = "a"};
        struct err err = {};

        assert_int_equal(selftest_run(&tests, &(struct selftest_ground){visit, &v}, NULL, NULL, &waiter_plain,
                                      monotonic_ns() + 30 * S, &report, &err),
                         -EBADE);
        assert_int_equal(err.reason, REASON_SELFTEST_FAILED);
        assert_non_null(strstr(err.msg, "2 of 6 self-tests failed: self-test '0'"));
        assert_non_null(strstr(err.msg, "in the scope of 'a': could not be tried: there is no scope of 'a'"));
        assert_string_equal(v.seen, "[a][][b]");
        assert_int_equal(report.n_passed, 4);
        assert_int_equal(report.results[3].state, SELFTEST_FAILED);

        /* Without any ground: never as if it were in the scope. */
        assert_int_equal(run(&tests, 30, &nowhere, NULL), -EBADE);
        assert_int_equal(nowhere.n_failed, 4);
        assert_int_equal(nowhere.n_passed, 2);
        selftest_report_done(&nowhere);
}

static void a_ground_that_fails_is_the_agents_trouble(void **state) {
        cleanup_selftests struct selftests tests = tests_in_scopes();
        cleanup_selftest_report struct selftest_report report = {};
        struct visits v = {.result = -ENOSPC};
        struct err err = {};

        assert_int_equal(selftest_run(&tests, &(struct selftest_ground){visit, &v}, NULL, NULL, &waiter_plain,
                                      monotonic_ns() + 30 * S, &report, &err),
                         -ENOSPC);
        assert_int_equal(err.reason, REASON_NONE);
        assert_int_equal(report.n_failed, 0);
        assert_string_equal(v.seen, "[a]");
}

static int on_no_cgroup(void *ctx, const char *scope, int *ret_cgroup, struct err *err) {
        *ret_cgroup = STDIN_FILENO;
        return 0;
}

static int wait_canceled(struct waiter *w, int fd, int64_t deadline_ns) {
        return -ECANCELED;
}

/* An agent that stops must not have a good release quarantined. */
static void the_agents_own_trouble_is_no_failed_test(void **state) {
        cleanup_selftests struct selftests tests = one_test("{\"open\":\"/etc/hostname\"}", "ok");
        cleanup_selftest_report struct selftest_report report = {};
        const struct selftest_ground no_cgroup = {on_no_cgroup};
        struct waiter stopping = {.wait = wait_canceled};
        struct err err = {};

        assert_int_equal(selftest_run(&tests, NULL, NULL, NULL, &stopping, monotonic_ns() + 20 * S, &report, &err), -ECANCELED);
        assert_int_equal(err.reason, REASON_NONE);
        assert_int_equal(report.n_failed, 0);
        assert_int_equal(report.results[0].state, SELFTEST_NOT_RUN);
        assert_int_equal(selftest_run(&tests, NULL, "/absent", NULL, &waiter_plain, monotonic_ns() + 20 * S, NULL, &err),
                         -ENOENT);
        assert_int_equal(err.reason, REASON_NONE);
        assert_int_equal(selftest_run(&tests, &no_cgroup, NULL, NULL, &waiter_plain, monotonic_ns() + 20 * S, NULL, &err),
                         -EBADF);
        assert_int_equal(err.reason, REASON_NONE);
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_list_starts_nothing),
                cmocka_unit_test(what_ends_as_expected_passes),
                cmocka_unit_test(the_message_says_what_was_expected),
                cmocka_unit_test(all_are_tried_and_the_first_failure_is_told),
                cmocka_unit_test(an_error_from_elsewhere_is_no_denial),
                cmocka_unit_test(what_a_lowered_policy_would_deny_passes),
                cmocka_unit_test(a_probe_that_fails_is_a_failed_test),
                cmocka_unit_test(a_probe_that_is_denied_everything_is_a_failed_test),
                cmocka_unit_test(a_probe_that_cannot_start_is_a_failed_test),
                cmocka_unit_test(what_a_lost_probe_leaves_is_cleared),
                cmocka_unit_test(each_scope_is_entered_once),
                cmocka_unit_test(a_scope_that_is_missing_fails_its_tests_alone),
                cmocka_unit_test(a_ground_that_fails_is_the_agents_trouble),
                cmocka_unit_test(the_agents_own_trouble_is_no_failed_test),
        };

        if (argc > 1 && streq(argv[1], "@probe"))
                return probe_role();
        if (argc > 1 && streq(argv[1], "@true"))
                return 0;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
