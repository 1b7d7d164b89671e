/* SPDX-License-Identifier: Apache-2.0 */
/* One value, one spelling: a digest or a name that can be written in two ways could be listed twice. */
#include "unit.h"

static void test_hex_round_trip(void **state) {
        uint8_t in[256], out[256];
        char hex[513];

        for (int i = 0; i < 256; i++)
                in[i] = (uint8_t)i;
        hex_encode(in, sizeof(in), hex);
        assert_int_equal(strlen(hex), 512);
        assert_memory_equal(hex, "000102030405060708090a0b0c0d0e0f10", 34);
        assert_int_equal(hex_decode(hex, out, sizeof(out)), 0);
        assert_memory_equal(in, out, sizeof(in));
}

static void test_hex_refused(void **state) {
        static const char *const bad[] = {"",     "0",    "0a0",  "0a0b0", "0a0b0c", "0A0b",
                                          "0g0b", "0a 0", " a0b", "-a0b",  "0x0b",   "0a0\n"};
        uint8_t out[2];

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                memset(out, 0x5a, sizeof(out));
                assert_int_equal(hex_decode(bad[i], out, sizeof(out)), -EINVAL);
                assert_memory_equal(out, "\x5a\x5a", 2);
        }
        assert_int_equal(hex_decode("", out, 0), 0);
        assert_int_equal(hex_decode("00", out, 0), -EINVAL);
}

static void test_names(void **state) {
        static const char *const good[] = {"a", "0", "baseline", "a-b-c", "9lives", "a--b", "a-"};
        static const char *const bad[] = {"", "-a", "A", "a_b", "a.b", "a/b", "a b", "..", "a\n", "\xc3\xa4"};
        char name[65];

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_true(name_valid(good[i]));
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_false(name_valid(bad[i]));
        memset(name, 'a', sizeof(name));
        name[63] = 0;
        assert_true(name_valid(name));
        name[63] = 'a';
        name[64] = 0;
        assert_false(name_valid(name));
}

static void test_reasons_have_words_and_codes(void **state) {
        for (int i = REASON_NONE + 1; i < REASON_COUNT; i++) {
                assert_true(*reason_word(i));
                assert_int_equal(reason_from_word(reason_word(i)), i);
                assert_in_range(reason_exit_code(i), 1, 4);
        }
        assert_int_equal(reason_from_word("no-such-word"), REASON_NONE);
        assert_string_equal(reason_word(REASON_COUNT), "");
        assert_int_equal(reason_exit_code(REASON_COUNT), 1);
}

static void test_errors(void **state) {
        struct err err = {};

        assert_int_equal(err_set(&err, -EBADMSG, REASON_EXPIRED, "%d days", 3), -EBADMSG);
        assert_int_equal(err_wrap(&err, -EBADMSG, "root '%s'", "x"), -EBADMSG);
        assert_string_equal(err.msg, "root 'x': 3 days");
        assert_int_equal(err.reason, REASON_EXPIRED);
        assert_int_equal(err_exit_code(&err, -EBADMSG), 3);
        assert_int_equal(err_exit_code(&err, 0), 0);
        assert_int_equal(err_errno(&err, -ENOENT, "file"), -ENOENT);
        assert_string_equal(err.msg, "file: No such file or directory");
        assert_int_equal(err.reason, REASON_NONE);
        assert_int_equal(err_set(NULL, -EIO, REASON_NONE, "x"), -EIO);
        assert_int_equal(err_errno(NULL, -EIO, "x"), -EIO);
        assert_int_equal(err_wrap(NULL, -EIO, "x"), -EIO);
}

/* A message from outside may be as long as it likes. */
static void test_long_errors(void **state) {
        struct err err = {};
        char text[sizeof(err.msg) * 2];

        memset(text, 'x', sizeof(text));
        text[sizeof(text) - 1] = 0;
        err_set(&err, -EIO, REASON_MALFORMED, "%s", text);
        assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
        err_wrap(&err, -EIO, "%s", text);
        assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
        err_errno(&err, -EIO, "%s", text);
        assert_int_equal(strlen(err.msg), sizeof(err.msg) - 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hex_round_trip), cmocka_unit_test(test_hex_refused),
                cmocka_unit_test(test_names),          cmocka_unit_test(test_reasons_have_words_and_codes),
                cmocka_unit_test(test_errors),         cmocka_unit_test(test_long_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
