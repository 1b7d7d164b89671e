/* SPDX-License-Identifier: Apache-2.0 */
/* Texts from outside: none may move a terminal's cursor, forge a line of a log, or make a record unreadable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "text.h"
#include "util.h"

static void cleaned(void **state) {
        static const struct {
                const char *text, *want;
        } cases[] = {
                {"", ""},
                {"plain", "plain"},
                {"a\nb\r\tc\x1b[2J\x7f", "a b  c [2J "},
                {"\xc2\x80\xc2\x9f", "  "},               /* C1 controls: two bytes, one place */
                {"\xc2\xa0\xc3\xa9", "\xc2\xa0\xc3\xa9"}, /* the first that is none */
                {"\xe2\x82\xac\xf0\x9f\x90\x9d", "\xe2\x82\xac\xf0\x9f\x90\x9d"},
                {"\xff\xfe\x80", "???"},
                {"\xc0\xaf", "??"}, /* '/' the long way */
                {"\xe0\x80\xaf", "???"},
                {"\xf0\x80\x80\xaf", "????"},
                {"\xed\xa0\x80", "???"},      /* a surrogate */
                {"\xf4\x90\x80\x80", "????"}, /* beyond U+10FFFF */
                {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
                {"\xe2\x82", "??"}, /* cut off */
                {"\xe2\x82x", "??x"},
                {"\xf0\x9f\x90", "???"},
        };
        char got[64];

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                text_clean(got, sizeof(got), cases[i].text);
                assert_string_equal(got, cases[i].want);
                assert_true(utf8_valid(got, strlen(got)));
                text_clean(got, sizeof(got), got); /* again, in place: nothing left to do */
                assert_string_equal(got, cases[i].want);
        }
}

static void cut_between_characters(void **state) {
        char got[8] = "1234567";

        text_clean(got, 0, "x");
        assert_string_equal(got, "1234567");
        text_clean(got, 1, "x");
        assert_string_equal(got, "");
        text_clean(got, 4, "ab\xe2\x82\xac");
        assert_string_equal(got, "ab");
        text_clean(got, 6, "ab\xe2\x82\xac");
        assert_string_equal(got, "ab\xe2\x82\xac");
        text_clean(got, 8, "123456789");
        assert_string_equal(got, "1234567");
}

/* Without a terminator: nothing behind the bytes is looked at (the sanitizers say so). */
static void validity(void **state) {
        static const char *const good[] = {"", "a", "\xc3\xa9", "\xf0\x9f\x90\x9d"}, *const bad[] = {"\xff", "a\xc3",
                                                                                                     "\xf0\x9f\x90", "\xc0\x80"};

        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                cleanup_free char *copy = memcpy(malloc(strlen(good[i]) + 1), good[i], strlen(good[i]) + 1);
                cleanup_free char *tight = memcpy(malloc(strlen(good[i]) + !*good[i]), good[i], strlen(good[i]));

                assert_true(utf8_valid(copy, strlen(copy) + 1)); /* NUL is a character, too */
                assert_true(utf8_valid(tight, strlen(good[i])));
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                cleanup_free char *tight = memcpy(malloc(strlen(bad[i])), bad[i], strlen(bad[i]));

                assert_false(utf8_valid(tight, strlen(bad[i])));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(cleaned),
                cmocka_unit_test(cut_between_characters),
                cmocka_unit_test(validity),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
