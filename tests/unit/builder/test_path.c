/* SPDX-License-Identifier: Apache-2.0 */
#include "../lib/unit.h"

#include "path.h"

#define assert_path(expression, want)                 \
        do {                                          \
                cleanup_free char *_p = (expression); \
                assert_non_null(_p);                  \
                assert_string_equal(_p, want);        \
        } while (0)

static void test_normal(void **state) {
        assert_path(path_normal("/a/b"), "/a/b");
        assert_path(path_normal("/a//b/"), "/a/b");
        assert_path(path_normal("/a/./b/."), "/a/b");
        assert_path(path_normal("/a/../b"), "/b");
        assert_path(path_normal("/a/b/../../c"), "/c");
        assert_path(path_normal("/.."), "/");
        assert_path(path_normal("/../a"), "/a");
        assert_path(path_normal("/"), "/");
        assert_path(path_normal("/..a/b.."), "/..a/b..");
}

static void test_common(void **state) {
        assert_path(path_common("/a/b/c", "/a/b/d"), "/a/b");
        assert_path(path_common("/a/b", "/a/b/d"), "/a/b");
        assert_path(path_common("/a/bc", "/a/bd"), "/a");
        assert_path(path_common("/a/b", "/a/bc"), "/a");
        assert_path(path_common("/a", "/b"), "/");
        assert_path(path_common("/", "/b"), "/");
        assert_path(path_common("/a/b", "/a/b"), "/a/b");
}

static void test_relative(void **state) {
        assert_path(path_relative("/a", "/a/b/c"), "b/c");
        assert_path(path_relative("/a/b", "/a/c/d"), "../c/d");
        assert_path(path_relative("/a/b", "/x"), "../../x");
        assert_path(path_relative("/", "/x/y"), "x/y");
        assert_path(path_relative("/a/b", "/"), "../..");
        assert_path(path_relative("/a", "/a"), ".");
        assert_path(path_relative("/a", "/ab"), "../ab");
}

static void test_under(void **state) {
        assert_true(path_under("/a", "/a"));
        assert_true(path_under("/a", "/a/b"));
        assert_false(path_under("/a", "/ab"));
        assert_false(path_under("/a/b", "/a"));
        assert_true(path_under("/", "/a"));
}

static void test_rest(void **state) {
        assert_path(path_dir("/a/b"), "/a");
        assert_path(path_dir("/a"), "/");
        assert_path(path_dir("a"), ".");
        assert_path(path_join("/a", "b"), "/a/b");
        assert_path(path_join("/a", "/b"), "/b");
        assert_path(path_shown("/nowhere/x"), "/nowhere/x");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_normal), cmocka_unit_test(test_common), cmocka_unit_test(test_relative),
                cmocka_unit_test(test_under),  cmocka_unit_test(test_rest),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
