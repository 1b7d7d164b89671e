/* SPDX-License-Identifier: Apache-2.0 */
/* What `lsmbundle test` makes of a guest's words: a bundle must not pass because a guest died, or said something unexpected. */
#include "test_guest.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct test_result read_text(const char *text, int status, const char *vm_text) {
        struct buf guest = {.data = (char *)text, .len = strlen(text)}, vm = {.data = (char *)vm_text, .len = strlen(vm_text)};
        struct test_result r = {};

        assert_int_equal(test_result_read(&r, &guest, status, &vm), 0);
        return r;
}

static void a_pass(void **state) {
        struct test_result r = read_text("@kernel 6.12.9\n@empty 100 6000\n@out a: 2 self-tests passed\n@install 0\n"
                                         "@hook file_open 10 1600 workload\n@hook quota_on 0 0 all\n@hook x 4 40 all\n"
                                         "@program file_open 249 1477 316\n@workload 500 2\n@note no more\n",
                                         0, "");

        assert_int_equal(r.code, 0);
        assert_string_equal(r.kernel, "6.12.9");
        assert_string_equal(r.said.data, "a: 2 self-tests passed\n");
        assert_int_equal(r.n_hooks, 3);
        assert_string_equal(r.hooks[0].name, "file_open");
        assert_true(r.hooks[0].by_workload && r.hooks[0].calls == 10 && r.hooks[0].instructions == 100);
        assert_true(!r.hooks[1].by_workload && r.hooks[1].calls == 0);
        /* Less than what timing costs is nothing, not less than nothing. */
        assert_true(r.hooks[2].instructions == 0);
        assert_int_equal(r.n_programs, 1);
        assert_int_equal(r.programs[0].verified, 316);
        assert_int_equal(r.tried, 500);
        assert_int_equal(r.denied, 2);
        assert_string_equal(r.notes.data, "no more\n");
        test_result_done(&r);
}

static void a_failure(void **state) {
        struct test_result r =
                read_text("@kernel 6.1\n@out x: a\n@out lsmpull: failed: verifier-rejected: policy 'p'\n@out   R1\n"
                          "@install 4\n@log one\n@log two\n",
                          0, "");

        assert_int_equal(r.code, 4);
        assert_int_equal(r.reason, REASON_VERIFIER_REJECTED);
        assert_string_equal(r.message, "policy 'p'\n  R1");
        assert_string_equal(r.log.data, "one\ntwo\n");
        test_result_done(&r);

        r = read_text("@kernel 6.1\n@out lsmpull: refused: unsupported-format: no\n@install 3\n", 0, "");
        assert_int_equal(r.code, 3);
        assert_int_equal(r.reason, REASON_UNSUPPORTED_FORMAT);
        test_result_done(&r);

        r = read_text("@kernel 6.1\n@out lsmpull: /var/lib: No space\n@install 1\n", 0, "");
        assert_int_equal(r.code, 1);
        assert_int_equal(r.reason, REASON_NONE);
        assert_string_equal(r.message, "/var/lib: No space");
        test_result_done(&r);

        /* No program, or one that a signal ended. */
        r = read_text("@kernel 6.1\n@install 127\n", 0, "");
        assert_int_equal(r.code, 1);
        assert_string_equal(r.message, "lsmpull said nothing");
        test_result_done(&r);
}

/* How a guest ends counts as much as what it has said. */
static void a_death(void **state) {
        static const struct {
                const char *text;
                int status, code;
                enum reason reason;
        } cases[] = {
                {"@kernel 6.1\n@out x\n", 125, 4, REASON_NOT_CONFIRMED},
                {"@kernel 6.1\n@out x\n", 124, 4, REASON_NOT_CONFIRMED},
                {"@kernel 6.1\n@install 0\n", 125, 4, REASON_NOT_CONFIRMED},
                {"", 125, 1, REASON_NONE},
                {"", 126, 1, REASON_NONE},
                {"", 0, 1, REASON_NONE},
                {"@kernel 6.1\n", 0, 1, REASON_NONE},
                {"@kernel 6.1\n@install 0\n", 143, 1, REASON_NONE},
                {"@kernel 6.1\n@install x\n", 0, 1, REASON_NONE},
                {"@kernel 6.1\n@installed 0\n", 0, 1, REASON_NONE},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct test_result r = read_text(cases[i].text, cases[i].status, "vm: the last of the console\n");

                assert_int_equal(r.code, cases[i].code);
                assert_int_equal(r.reason, cases[i].reason);
                assert_non_null(strstr(r.message, "the last of the console"));
                test_result_done(&r);
        }
}

static void nonsense(void **state) {
        cleanup_buf struct buf text = {};
        struct test_result r =
                read_text("@hook\n@hook a\n@hook a b c d\n@program a\n@program ? file_open 1 2 3\n@empty x\n@workload\n@\n"
                          "\n@kernel 6.1\n@out\n@install 0",
                          0, "");

        assert_int_equal(r.code, 0);
        assert_int_equal(r.n_hooks + r.n_programs, 0);
        assert_string_equal(r.said.data, "\n");
        test_result_done(&r);

        for (size_t i = 0; i < 2000; i++)
                assert_int_equal(buf_printf(&text, "@hook h%zu 1 1 all\n", i), 0);
        r = (struct test_result){};
        assert_int_equal(test_result_read(&r, &text, 0, &(struct buf){}), -ENOMEM);
        assert_true(r.n_hooks <= 1024);
        test_result_done(&r);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(a_pass), cmocka_unit_test(a_failure), cmocka_unit_test(a_death),
                                           cmocka_unit_test(nonsense)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
