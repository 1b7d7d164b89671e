/* SPDX-License-Identifier: Apache-2.0 */
/* Names, patterns and times: each of them decides which key may speak for which file, or until when. */
#include "tuf_path.h"
#include "tuf_time.h"
#include "unit.h"

static void patterns(void **state) {
        static const struct {
                const char *pattern, *path;
                bool matches;
        } cases[] = {
                {"*", "a", true},
                {"*", "", true},
                {"*", "a/b", false},
                {"*/*", "a/b", true},
                {"*/*", "a/b/c", false},
                {"a/*", "a/", true},
                {"bundles/*", "bundles/x", true},
                {"bundles/*", "bundles", false},
                {"bundles/*", "bundles/x/y", false},
                {"bundles/*", "rollouts/x", false},
                {"?", "a", true},
                {"?", "", false},
                {"?", "/", false},
                {"?", "\303\251", true},
                {"??", "\303\251", false},
                {"?", "\360\237\230\200", true},
                {"a*c", "abc", true},
                {"a*c", "ac", true},
                {"a*c", "abcd", false},
                {"a**c", "abc", true},
                {"*.tgz", "x.tgz", true},
                {"*.tgz", ".tgz", true},
                {"*ab*ab", "abxabab", true},
                {"*ab*ab", "ab", false},
                {"[abc]", "b", true},
                {"[abc]", "d", false},
                {"[a-c]", "b", true},
                {"[!a-c]", "b", false},
                {"[!a-c]", "x", true},
                {"[]]", "]", true},
                {"[]", "[]", true},
                {"[a", "[a", true},
                {"[a-]", "-", true},
                {"[/]", "/", false},
                {"[!a]", "/", false},
                {"[a/b]", "[a/b]", true},
                {"", "", true},
                {"", "a", false},
                {"a", "", false},
                {"a/b", "a/b", true},
                {"*/b", "/b", true},
                {"a*/c", "ab/c", true},
                {"a*/c", "ab/x/c", false},
                {"x*y*/z", "xay/z", true},
                {"\303\251*", "\303\251t\303\251", true},
                {"[\303\240-\303\257]", "\303\251", true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (tuf_path_matches(cases[i].pattern, cases[i].path) != cases[i].matches)
                        fail_msg("'%s' and '%s': %s expected", cases[i].pattern, cases[i].path,
                                 cases[i].matches ? "a match" : "no match");
}

/* A pattern that makes other matchers try for ever. */
static void patterns_in_time(void **state) {
        char pattern[2001], path[20001];

        for (size_t i = 0; i < 1000; i++)
                memcpy(pattern + 2 * i, "*a", 2);
        pattern[1999] = 'b';
        pattern[2000] = 0;
        memset(path, 'a', sizeof(path) - 1);
        path[sizeof(path) - 1] = 0;
        assert_false(tuf_path_matches(pattern, path));
}

static void encoded(void **state) {
        static const struct {
                const char *role, *name;
        } cases[] = {
                {"targets", "1.targets.json"}, {"?", "1.%3F.json"},     {"../x", "1...%2Fx.json"}, {"a b", "1.a%20b.json"},
                {"\303\251", "1.%C3%A9.json"}, {"~.-_", "1.~.-_.json"}, {"%3F", "1.%253F.json"},   {"", "1..json"},
        };
        char long_name[TUF_ROLE_ENCODED_MAX + 2];

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_buf struct buf b = {}, unversioned = {};

                assert_int_equal(tuf_metadata_name(cases[i].role, 1, &b, NULL), 0);
                assert_string_equal(b.data, cases[i].name);
                assert_int_equal(tuf_metadata_name(cases[i].role, 0, &unversioned, NULL), 0);
                assert_string_equal(unversioned.data, cases[i].name + 2);
        }
        memset(long_name, 'x', sizeof(long_name));
        long_name[sizeof(long_name) - 1] = 0;
        {
                cleanup_buf struct buf b = {};

                assert_int_equal(tuf_role_encode(long_name, &b), -ENAMETOOLONG);
                assert_int_equal(b.len, 0);
                assert_int_equal(tuf_role_encode(long_name + 1, &b), 0);
        }
}

static void hash_prefixes(void **state) {
        /* SHA-256 of "abc" is ba7816bf... */
        assert_true(tuf_path_hash_matches("", "abc"));
        assert_true(tuf_path_hash_matches("ba7", "abc"));
        assert_true(tuf_path_hash_matches("BA78", "abc"));
        assert_false(tuf_path_hash_matches("ba6", "abc"));
        assert_true(tuf_path_hash_matches("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "abc"));
        assert_false(tuf_path_hash_matches("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0", "abc"));
}

static void bins(void **state) {
        static const struct {
                int bits;
                const char *name;
        } cases[] = {{1, "b-1"}, {4, "b-b"}, {5, "b-17"}, {8, "b-ba"}, {9, "b-174"}, {16, "b-ba78"}, {32, "b-ba7816bf"}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_buf struct buf b = {};

                assert_int_equal(tuf_path_bin("b", cases[i].bits, "abc", &b), 0);
                assert_string_equal(b.data, cases[i].name);
        }
        {
                cleanup_buf struct buf b = {};

                assert_true(tuf_path_bin("b", 0, "abc", &b) < 0);
                assert_true(tuf_path_bin("b", 33, "abc", &b) < 0);
        }
}

static void target_names(void **state) {
        static const char *const bad[] = {"", "/", "/etc/passwd", ".", "..", "../x", "a/..", "a/../b", "./a", "a/.", "a/./b"};
        static const char *const good[] = {"a", "a/b", "...", ".a", "a..", "a/..b/c", "a//b", "a/"};
        cleanup_buf struct buf b = {}, c = {}, d = {};

        assert_int_equal(tuf_target_name("a/b/c.txt", "00ff", &b, NULL), 0);
        assert_string_equal(b.data, "a/b/00ff.c.txt");
        assert_int_equal(tuf_target_name("c.txt", "00ff", &c, NULL), 0);
        assert_string_equal(c.data, "00ff.c.txt");
        assert_int_equal(tuf_target_name("a/c.txt", NULL, &d, NULL), 0);
        assert_string_equal(d.data, "a/c.txt");
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct err err = {};

                assert_refused(tuf_path_check(bad[i], &err), err, REASON_UNSAFE_PATH);
                assert_refused(tuf_target_name(bad[i], "00", &b, &err), err, REASON_UNSAFE_PATH);
        }
        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_int_equal(tuf_path_check(good[i], NULL), 0);
}

static void times(void **state) {
        static const struct {
                const char *text;
                int64_t t;
        } good[] = {
                {"1970-01-01T00:00:00Z", 0},
                {"1969-12-31T23:59:59Z", -1},
                {"2000-02-29T12:30:45Z", 951827445},
                {"2038-01-19T03:14:08Z", 2147483648},
                {"2027-01-15T08:00:00Z", 1800000000},
                {"9999-12-31T23:59:59Z", 253402300799},
                {"0001-01-01T00:00:00Z", -62135596800},
                {"0000-03-01T00:00:00Z", -62162035200},
        };
        static const char *const bad[] = {
                "",
                "2027-01-15",
                "2027-01-15T08:00:00",
                "2027-01-15T08:00:00z",
                "2027-01-15 08:00:00Z",
                "2027-01-15T08:00:00+00:00",
                "2027-01-15T08:00:00.0Z",
                "2027-13-15T08:00:00Z",
                "2027-00-15T08:00:00Z",
                "2027-02-29T08:00:00Z",
                "2100-02-29T08:00:00Z",
                "2027-04-31T08:00:00Z",
                "2027-01-00T08:00:00Z",
                "2027-01-15T24:00:00Z",
                "2027-01-15T08:60:00Z",
                "2027-01-15T08:00:60Z",
                "+027-01-15T08:00:00Z",
                "2027-1 -15T08:00:00Z",
                "20270-1-15T08:00:00Z",
        };
        char text[TUF_TIME_SIZE];
        int64_t t = 42;

        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                assert_int_equal(tuf_time_parse(good[i].text, &t), 0);
                assert_int_equal(t, good[i].t);
                tuf_time_format(t, text);
                assert_string_equal(text, good[i].text);
        }
        t = 42;
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (tuf_time_parse(bad[i], &t) == 0)
                        fail_msg("'%s' is accepted", bad[i]);
        assert_int_equal(t, 42);
        tuf_time_format(INT64_MAX, text);
        assert_string_equal(text, "9999-12-31T23:59:59Z");
        tuf_time_format(INT64_MIN, text);
        assert_string_equal(text, "0000-01-01T00:00:00Z");
        /* Every day of 400 years and a bit, there and back. */
        for (int64_t day = -719162; day < -719162 + 150000; day++) {
                int64_t again;

                tuf_time_format(day * 86400 + 86399, text);
                assert_int_equal(tuf_time_parse(text, &again), 0);
                assert_int_equal(again, day * 86400 + 86399);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(patterns), cmocka_unit_test(patterns_in_time),
                cmocka_unit_test(encoded),  cmocka_unit_test(hash_prefixes),
                cmocka_unit_test(bins),     cmocka_unit_test(target_names),
                cmocka_unit_test(times),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
