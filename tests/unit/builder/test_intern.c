/* SPDX-License-Identifier: Apache-2.0 */
#include "../lib/unit.h"

#include "intern.h"

static void test_numbers(void **state) {
        cleanup_intern struct intern *in = intern_new();
        size_t n;

        assert_non_null(in);
        assert_int_equal(intern_add(in, "b", 1), 0);
        assert_int_equal(intern_add(in, "", 0), 1);
        assert_int_equal(intern_add(in, NULL, 0), 1);
        assert_int_equal(intern_add(in, "b\0", 2), 2);
        assert_int_equal(intern_add(in, "b", 1), 0);
        assert_int_equal(intern_count(in), 3);
        assert_memory_equal(intern_get(in, 2, &n), "b\0", 2);
        assert_int_equal(n, 2);
        intern_get(in, 1, &n);
        assert_int_equal(n, 0);
}

/* Beyond several growths, everything is still found by what it was. */
static void test_many(void **state) {
        cleanup_intern struct intern *in = intern_new();

        assert_non_null(in);
        for (uint32_t pass = 0; pass < 2; pass++)
                for (uint32_t i = 0; i < 100000; i++)
                        assert_int_equal(intern_add(in, &i, sizeof(i)), i);
        assert_int_equal(intern_count(in), 100000);
        for (uint32_t i = 0; i < 100000; i++) {
                size_t n;

                assert_memory_equal(intern_get(in, i, &n), &i, sizeof(i));
                assert_int_equal(n, sizeof(i));
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_numbers),
                cmocka_unit_test(test_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
