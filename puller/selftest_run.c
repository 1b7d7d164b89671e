/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest_run.h"

#include <stdio.h>
#include <sys/random.h>
#include <sys/wait.h>

#include "child.h"
#include "probe.h"

#define LAST_WORDS_NS 1000000000LL /* how long a probe that has hung up may take to be gone */

const char *selftest_state_word(enum selftest_state state) {
        static const char *const words[] = {
                [SELFTEST_NOT_RUN] = "not run",
                [SELFTEST_PASSED] = "passed",
                [SELFTEST_FAILED] = "failed",
        };

        return (size_t)state < ARRAY_SIZE(words) ? words[state] : "?";
}

void selftest_report_done(struct selftest_report *report) {
        for (size_t i = 0; i < report->n; i++) {
                free(report->results[i].name);
                free(report->results[i].story);
        }
        free(report->results);
        *report = (struct selftest_report){};
}

static int report_new(const struct selftests *tests, struct selftest_report *ret) {
        cleanup_selftest_report struct selftest_report report = {};

        report.results = new_array(tests->n, sizeof(*report.results));
        if (!report.results)
                return -ENOMEM;
        for (report.n = 0; report.n < tests->n; report.n++) {
                report.results[report.n].name = strdup(tests->tests[report.n].name);
                if (!report.results[report.n].name)
                        return -ENOMEM;
        }
        *ret = report;
        report = (struct selftest_report){};
        return 0;
}

/* ---- one test ---- */

struct run {
        const struct selftests *tests;
        struct selftest_report *report;
        const struct selftest_witness *witness;
        const struct selftest_ground *ground;
        const char *exe;
        struct child *probe;
        struct waiter *w;
        int64_t deadline_ns;
        struct err *err;
};

/* Notes the failure; the first one is the run's. Returns -EBADE. */
static int test_failed(struct run *run, size_t i, const char *story) {
        const struct selftest *t = &run->tests->tests[i];
        struct selftest_result *result = &run->report->results[i];
        char what[512];

        selftest_describe(t, what, sizeof(what));
        result->state = SELFTEST_FAILED;
        if (asprintf(&result->story, "%s: %s", what, story) < 0)
                result->story = NULL;
        if (run->report->n_failed++ == 0)
                err_set(run->err, -EBADE, REASON_SELFTEST_FAILED, "self-test '%s': %s: %s", t->name, what, story);
        return -EBADE;
}

static void denials_look(const struct run *run, struct selftest_denials *ret) {
        *ret = (struct selftest_denials){};
        if (run->witness)
                run->witness->look(run->witness->ctx, ret);
}

static int test_passed(struct run *run, size_t i) {
        run->report->results[i].state = SELFTEST_PASSED;
        run->report->n_passed++;
        return 0;
}

/* It has been tried, and has ended in `error`. before: as counted before it. */
static int error_judge(struct run *run, size_t i, int error, const struct selftest_denials *before) {
        const struct selftest *t = &run->tests->tests[i];
        struct selftest_denials now;
        char story[200];

        denials_look(run, &now);
        if (error == 0 && t->expect != 0 && run->witness && run->witness->audits && now.would_own > before->would_own) {
                run->report->n_audited++;
                return test_passed(run, i);
        }
        if (error != t->expect) {
                snprintf(story, sizeof(story), "expected %s, got %s", errno_name(t->expect), errno_name(error));
                return test_failed(run, i, story);
        }
        if (error == 0 || !run->witness || !run->witness->strict || now.own > before->own)
                return test_passed(run, i);
        if (now.others > before->others) {
                run->report->n_others++;
                return test_passed(run, i);
        }
        snprintf(story, sizeof(story), "%s, but no policy has denied it: it would have ended so without this bundle",
                 errno_name(error));
        return test_failed(run, i, story);
}

static int test_judge(struct run *run, size_t i, const struct probe_result *result, const struct selftest_denials *before) {
        const struct selftest *t = &run->tests->tests[i];
        char story[PROBE_WHAT_MAX + 100];

        switch (result->kind) {
        case PROBE_TRIED:
                return error_judge(run, i, result->error, before);
        case PROBE_SETUP:
                snprintf(story, sizeof(story), "could not be tried: %s: %s", result->what, errno_name(result->error));
                break;
        case PROBE_DIED:
                snprintf(story, sizeof(story), "expected %s, but %s", errno_name(t->expect), result->what);
                break;
        default:
                snprintf(story, sizeof(story), "could not be tried: the probe's answer makes no sense");
        }
        return test_failed(run, i, story);
}

/* The probe has hung up, in the middle of test i. */
static int probe_gone(struct run *run, size_t i) {
        int64_t soon = monotonic_ns() + LAST_WORDS_NS;
        char story[100];
        int status, r;

        r = child_wait(run->probe, run->w, soon, &status);
        if (r == -ECANCELED)
                return err_errno(run->err, r, "self-tests");
        if (r < 0)
                snprintf(story, sizeof(story), "the probe hung up");
        else if (WIFSIGNALED(status))
                snprintf(story, sizeof(story), "the probe was ended by signal %d", WTERMSIG(status));
        else
                snprintf(story, sizeof(story), "the probe ended with status %d before it could answer", WEXITSTATUS(status));
        return test_failed(run, i, story);
}

static int token_draw(char ret[static PROBE_TOKEN_HEX]) {
        uint8_t bytes[PROBE_TOKEN_HEX / 2];

        if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
                return -EIO;
        hex_encode(bytes, sizeof(bytes), ret);
        return 0;
}

static int order_send(struct run *run, const struct selftest *t, const char *token) {
        cleanup_free struct probe_order *order = new_array(1, sizeof(*order));
        size_t n = strlen(t->json);

        if (!order)
                return -ENOMEM;
        if (n > sizeof(order->json))
                return -EMSGSIZE;
        memcpy(order->token, token, sizeof(order->token));
        memcpy(order->json, t->json, n);
        return msg_send(run->probe->sock, order, offsetof(struct probe_order, json) + n, NULL, 0);
}

/* The probe's answer; its length, 0 when it has gone. */
static ssize_t probe_ask(struct run *run, const struct selftest *t, const char *token, struct probe_result *ret) {
        int r = order_send(run, t, token);

        if (r < 0)
                return r == -EPIPE ? 0 : r;
        return msg_recv_wait(run->probe->sock, run->w, run->deadline_ns, ret, sizeof(*ret), NULL, NULL);
}

/* 0: the probe can take the next one. -EBADE: it is lost. Else: the agent has failed. */
static int test_run(struct run *run, size_t i) {
        const struct selftest *t = &run->tests->tests[i];
        char token[PROBE_TOKEN_HEX];
        struct selftest_denials before;
        struct probe_result result;
        ssize_t n;
        int r;

        r = token_draw(token);
        if (r < 0)
                return err_errno(run->err, r, "self-tests: random numbers");
        denials_look(run, &before);
        n = probe_ask(run, t, token, &result);
        if (n == sizeof(result)) {
                result.what[sizeof(result.what) - 1] = 0;
                test_judge(run, i, &result, &before);
                return 0;
        }

        if (n == 0)
                r = probe_gone(run, i);
        else if (n == -ETIMEDOUT)
                r = test_failed(run, i, "no answer in time: the test, or the probe itself, hangs");
        else if (n > 0 || n == -EBADMSG)
                r = test_failed(run, i, "could not be tried: the probe's answer makes no sense");
        else
                r = err_errno(run->err, n, "self-tests: asking the probe");
        /* It cannot clear up behind itself any more. */
        child_kill(run->probe);
        probe_clear(t, token);
        return r;
}

/* ---- the run ---- */

/* An error of the release, if the policy has caused it: executing the probe is the first thing that happens under it. */
static int spawn_failed(struct run *run, size_t first, int r, const struct err *why) {
        if (r == -EACCES || r == -EPERM)
                return test_failed(run, first, why->msg);
        if (run->err)
                *run->err = *why;
        return r;
}

static const char *scope_of(const struct run *run, size_t i) {
        return run->tests->tests[i].as.scope;
}

/* Test `first`, and all behind it in the same scope. */
static int same_scope_run(struct run *run, size_t first) {
        for (size_t i = first; i < run->tests->n; i++) {
                int r = streq(scope_of(run, i), scope_of(run, first)) ? test_run(run, i) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

/* The release has no such scope: a failure of every test that names it. */
static void same_scope_failed(struct run *run, size_t first, const struct err *why) {
        char story[sizeof(why->msg) + 30];

        snprintf(story, sizeof(story), "could not be tried: %s", why->msg);
        for (size_t i = first; i < run->tests->n; i++)
                if (streq(scope_of(run, i), scope_of(run, first)))
                        test_failed(run, i, story);
}

static int ground_enter(const struct run *run, const char *scope, int *ret_cgroup, struct err *why) {
        *ret_cgroup = -1;
        if (run->ground)
                return run->ground->enter(run->ground->ctx, scope, ret_cgroup, why);
        return *scope ? err_set(why, -EBADE, REASON_SELFTEST_FAILED, "there are no scopes here") : 0;
}

static int scope_run(struct run *run, size_t first) {
        struct err why = {};
        int cgroup, r;

        r = ground_enter(run, scope_of(run, first), &cgroup, &why);
        if (r == -EBADE) {
                same_scope_failed(run, first, &why);
                return 0;
        }
        if (r < 0) {
                if (run->err)
                        *run->err = why;
                return r;
        }
        r = child_spawn(&(struct child_spec){.exe = run->exe, .role = "@probe", .cgroup = cgroup}, run->probe, &why);
        r = r < 0 ? spawn_failed(run, first, r, &why) : same_scope_run(run, first);
        child_kill(run->probe);
        return r;
}

static int tests_run(struct run *run) {
        for (size_t i = 0; i < run->tests->n; i++) {
                size_t first = 0;
                int r;

                while (!streq(scope_of(run, first), scope_of(run, i)))
                        first++;
                r = first == i ? scope_run(run, i) : 0;
                if (r < 0)
                        return r;
        }
        return run->report->n_failed > 0 ? -EBADE : 0;
}

int selftest_run(const struct selftests *tests, const struct selftest_ground *ground, const char *exe,
                 const struct selftest_witness *witness, struct waiter *w, int64_t deadline_ns, struct selftest_report *ret,
                 struct err *err) {
        cleanup_selftest_report struct selftest_report report = {};
        struct child probe = CHILD_INIT;
        struct run run = {tests, &report, witness, ground, exe, &probe, w, deadline_ns, err};
        int r;

        r = report_new(tests, &report);
        if (r < 0)
                return err_errno(err, r, "self-tests");
        r = tests_run(&run);
        if (report.n_failed > 1 && r == -EBADE)
                r = err_wrap(err, r, "%zu of %zu self-tests failed", report.n_failed, report.n);
        if (ret) {
                *ret = report;
                report = (struct selftest_report){};
        }
        return r;
}
