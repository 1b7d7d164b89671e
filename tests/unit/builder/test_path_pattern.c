/* SPDX-License-Identifier: Apache-2.0 */
/* What can be written as a path of a rule, what cannot and where it is wrong, and which of two is the more specific or takes in the
 * other. Which paths they match: test_automaton.c. */
#include "../lib/unit.h"

#include "path_pattern.h"

static const struct {
        const char *text;
        enum path_kind kind;
        bool tree;
        const char *prefix;
        size_t n;
} good[] = {
        {"/", PATH_TREE, true, "", 0},
        {"/a", PATH_EXACT, false, "/a", 0},
        {"/etc/shadow", PATH_EXACT, false, "/etc/shadow", 0},
        {"/etc/ssh/", PATH_TREE, true, "/etc/ssh", 0},
        {"/a/.b/...", PATH_EXACT, false, "/a/.b/...", 0},
        {"/a/..b/c.", PATH_EXACT, false, "/a/..b/c.", 0},
        {"/a/\\\\.", PATH_EXACT, false, "/a/\\.", 0},
        {"/a b/\xc3\xa4", PATH_EXACT, false, "/a b/\xc3\xa4", 0},
        {"/a\\*\\?\\[\\]\\{\\}\\ ", PATH_EXACT, false, "/a*?[]{} ", 0},
        {"/a*", PATH_GLOB, false, "/a", 1},
        {"/a/*/b", PATH_GLOB, false, "/a/", 3},
        {"/a/*/b/", PATH_GLOB, true, "/a/", 3},
        {"/a/**", PATH_GLOB, false, "/a/", 1},
        {"/a/**/", PATH_GLOB, true, "/a/", 1},
        {"/a/**/b", PATH_GLOB, false, "/a/", 2},
        {"/**/**/b", PATH_GLOB, false, "/", 2},
        {"/a**/b", PATH_GLOB, false, "/a", 3},
        {"/a?\\*", PATH_GLOB, false, "/a", 2},
        {"/[a-c]", PATH_GLOB, false, "/", 1},
        {"/[]]x", PATH_GLOB, false, "/", 2},
        {"/[!]]", PATH_GLOB, false, "/", 1},
        {"/[a\\]]", PATH_GLOB, false, "/", 1},
        {"/[{}*?]", PATH_GLOB, false, "/", 1},
        {"/a\\*[*]", PATH_GLOB, false, "/a*", 1},
};

static void test_good(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                cleanup_path_pattern struct path_pattern p = {};
                struct err err = {};

                assert_done(path_pattern_parse(good[i].text, &p, &err), err);
                if (p.kind != good[i].kind || p.tree != good[i].tree || p.n != good[i].n || !streq(p.prefix, good[i].prefix))
                        fail_msg("'%s': kind %d, tree %d, prefix '%s', %zu tokens", good[i].text, p.kind, p.tree, p.prefix, p.n);
                assert_int_equal(p.literal, strlen(p.prefix));
                assert_string_equal(p.text, good[i].text);
        }
}

static const struct {
        const char *text;
        size_t column;
        const char *says;
} bad[] = {
        {"", 1, "absolute"},
        {"a", 1, "absolute"},
        {"a/b", 1, "absolute"},
        {"*", 1, "absolute"},
        {"\\/a", 1, "absolute"},
        {"//", 2, "empty"},
        {"/a//b", 4, "empty"},
        {"/a//", 4, "empty"},
        {"/**//a", 5, "empty"},
        {"/.", 2, "'.'"},
        {"/./a", 2, "'.'"},
        {"/a/../b", 4, "'..'"},
        {"/a/..", 4, "'..'"},
        {"/a/\\.\\./", 4, "'..'"},
        {"/a/./", 4, "'.'"},
        {"/a\tb", 3, "0x09"},
        {"/a\nb", 3, "0x0a"},
        {"/a\x7f", 3, "0x7f"},
        {"/a/***", 4, "***"},
        {"/a/****/b", 4, "***"},
        {"/a/[b", 4, "no ']'"},
        {"/a/[", 4, "no ']'"},
        {"/a/[!", 4, "no ']'"},
        {"/a/[]", 4, "no ']'"},
        {"/a/[b/c]", 4, "no ']'"},
        {"/a/[b\\]", 4, "no ']'"},
        {"/a/[b\\/]", 4, "no ']'"},
        {"/a/b]", 5, "no '['"},
        {"/a/[^b]", 5, "[!...]"},
        {"/a/[[:alpha:]]", 5, "[:"},
        {"/a/[c-a]", 5, "backwards"},
        {"/a/[\\d]", 5, "\\d"},
        {"/a/[x\xc3\xa4]", 6, "ASCII"},
        {"/a/[a-\xc3\xa4]", 7, "ASCII"},
        {"/a/b\\", 5, "nothing follows"},
        {"/a\\/b", 3, "cannot be escaped"},
        {"/a/\\d+", 4, "regular expression"},
        {"/a/{b,c}", 4, "braces"},
        {"/a/b}", 5, "braces"},
};

static void test_bad(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct path_pattern p = {.n = 77};
                struct err err = {};
                size_t column = 0;

                assert_refused(path_pattern_parse_at(bad[i].text, strlen(bad[i].text), &p, &column, &err), err, REASON_MALFORMED);
                if (column != bad[i].column || !strstr(err.msg, bad[i].says))
                        fail_msg("'%s': at %zu: %s", bad[i].text, column, err.msg);
                assert_int_equal(p.n, 77); /* untouched */
                assert_int_equal(path_pattern_parse_at(bad[i].text, strlen(bad[i].text), &p, NULL, NULL), -EINVAL);
        }
}

static void test_bytes(void **state) {
        cleanup_path_pattern struct path_pattern p = {};
        char text[PATH_PATTERN_MAX + 2];
        struct err err = {};
        size_t column = 0;

        assert_refused(path_pattern_parse_at("/a\0b", 4, &p, &column, &err), err, REASON_MALFORMED);
        assert_int_equal(column, 3);

        memset(text, 'a', sizeof(text));
        text[0] = '/';
        text[sizeof(text) - 1] = 0;
        assert_refused(path_pattern_parse_at(text, sizeof(text) - 1, &p, &column, &err), err, REASON_TOO_LARGE);
        assert_int_equal(column, PATH_PATTERN_MAX + 1);
        assert_done(path_pattern_parse_at(text, PATH_PATTERN_MAX, &p, &column, &err), err);
        assert_int_equal(p.literal, PATH_PATTERN_MAX);
        path_pattern_done(&p);

        /* as much as there can be of everything: nothing is written too far */
        memset(text + 1, '?', PATH_PATTERN_MAX - 1);
        assert_done(path_pattern_parse_at(text, PATH_PATTERN_MAX, &p, &column, &err), err);
        assert_int_equal(p.n, PATH_PATTERN_MAX - 1);
        assert_true(path_pattern_covers(&p, &p));

        /* for people who have no column of their own */
        assert_int_equal(path_pattern_parse("/a//b", &(struct path_pattern){}, &err), -EINVAL);
        assert_non_null(strstr(err.msg, "'/a//b', byte 4: "));
}

static void parse(const char *text, struct path_pattern *p) {
        struct err err = {};

        assert_done(path_pattern_parse(text, p, &err), err);
}

static void test_compare(void **state) {
        /* each more specific than the next one */
        const char *order[] = {"/etc/ssh/x", "/etc/ssh/*.conf", "/etc/ssh/", "/etc/ss*/", "/etc/**/ssh", "/*", "/"};

        for (size_t i = 0; i < ARRAY_SIZE(order); i++)
                for (size_t j = 0; j < ARRAY_SIZE(order); j++) {
                        cleanup_path_pattern struct path_pattern a = {}, b = {};
                        int r;

                        parse(order[i], &a);
                        parse(order[j], &b);
                        r = path_pattern_compare(&a, &b);
                        if ((r > 0) != (i < j) || (r < 0) != (i > j))
                                fail_msg("'%s' and '%s': %d", order[i], order[j], r);
                }
}

static const struct {
        const char *a, *b;
        bool covers;
} pairs[] = {
        {"/a", "/a", true},
        {"/a", "/b", false},
        {"/a", "/a/", false},
        {"/a", "/a*", false},
        {"/a", "/ab", false},
        {"/a/", "/a", true},
        {"/a/", "/a/", true},
        {"/a/", "/a/b", true},
        {"/a/", "/a/b/", true},
        {"/a/", "/a/*", true},
        {"/a/", "/a/**/x", true},
        {"/a/", "/ab", false},
        {"/a/", "/a*", false},
        {"/a/", "/", false},
        {"/", "/", true},
        {"/", "/a", true},
        {"/", "/**", true},
        {"/**", "/a/b/", true},
        {"/**", "/", false},
        {"/a*", "/a", true},
        {"/a*", "/ab", true},
        {"/a*", "/a/b", false},
        {"/a*", "/ab/", false},
        {"/a*/", "/ab/", true},
        {"/a*/", "/ab/c", true},
        {"/a*", "/a?[x]*", true},
        {"/a?", "/a*", false},
        {"/a?", "/a\xc3\xa4", true},
        {"/a?",
         "/a\xc3\xa4"
         "b",
         false},
        {"/a?", "/a[!b]", true},
        {"/a[!b]", "/a?", false},
        {"/a[!b]", "/a[cd]", true},
        {"/a[!b]", "/a[bc]", false},
        {"/a[a-z]", "/a[c-d]", true},
        {"/a/**", "/a/", false},
        {"/a/**", "/a/b/", true},
        {"/a/**", "/a/*", true},
        {"/a/**/x", "/a/x", true},
        {"/a/**/x", "/a/b/*/x", true},
        {"/a/**/x", "/a/b/**/x", true},
        {"/a/**/x", "/a/b/**/y", false},
        {"/a/**/x/", "/a/b/x/y/z", true},
        {"/a/*/x", "/a/**/x", false},
        {"/*/x", "/a/x", true},
        {"/*/x", "/a/b/x", false},
};

static void test_covers(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                cleanup_path_pattern struct path_pattern a = {}, b = {};

                parse(pairs[i].a, &a);
                parse(pairs[i].b, &b);
                if (path_pattern_covers(&a, &b) != pairs[i].covers)
                        fail_msg("'%s' and '%s': expected %d", pairs[i].a, pairs[i].b, pairs[i].covers);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),    cmocka_unit_test(test_bad),    cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_compare), cmocka_unit_test(test_covers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
