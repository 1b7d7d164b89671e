/* SPDX-License-Identifier: Apache-2.0 */
#include "../lib/unit.h"

#include "depfile.h"

static void assert_deps(const char *text, const char *const *want, size_t n) {
        cleanup_strv struct strv deps = {};
        struct err err = {};

        assert_done(depfile_parse(text, strlen(text), &deps, &err), err);
        assert_int_equal(deps.n, n);
        for (size_t i = 0; i < n; i++)
                assert_string_equal(deps.v[i], want[i]);
}

static void test_lists(void **state) {
        assert_deps("x.o: a.c\n", (const char *const[]){"a.c"}, 1);
        assert_deps("x.o: a.c \\\n  b.h \\\n  c.h\n", (const char *const[]){"a.c", "b.h", "c.h"}, 3);
        assert_deps("x.o: a.c\\\n b.h", (const char *const[]){"a.c", "b.h"}, 2);
        assert_deps("x.o:\n", NULL, 0);
}

static void test_quoting(void **state) {
        assert_deps("x.o: with\\ space.c a\\#b.h c$$d.h e\\f.h\n",
                    (const char *const[]){"with space.c", "a#b.h", "c$d.h", "e\\f.h"}, 4);
}

static void test_no_rule(void **state) {
        cleanup_strv struct strv deps = {};
        struct err err = {};

        assert_true(depfile_parse("nothing", 7, &deps, &err) < 0);
        assert_true(depfile_parse("", 0, &deps, &err) < 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_quoting),
                cmocka_unit_test(test_no_rule),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
