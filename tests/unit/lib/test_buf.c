/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers hold what comes from outside: a length that wraps around must be an error, not a short allocation. */
#include "buf.h"
#include "unit.h"

static void test_append(void **state) {
        cleanup_buf struct buf b = {};

        for (int i = 0; i < 1000; i++)
                assert_int_equal(buf_append(&b, "abc", 3), 0);
        assert_int_equal(b.len, 3000);
        assert_int_equal(strlen(b.data), 3000);
        assert_int_equal(buf_append(&b, NULL, 0), 0);
        assert_int_equal(b.len, 3000);
        assert_int_equal(buf_append(&b, "\0x", 2), 0);
        assert_int_equal(b.len, 3002);
        assert_int_equal(b.data[3002], 0);
}

static void test_printf(void **state) {
        cleanup_buf struct buf b = {};

        assert_int_equal(buf_printf(&b, "%s", ""), 0);
        assert_string_equal(b.data, "");
        assert_int_equal(buf_printf(&b, "%d-%s", 7, "x"), 0);
        assert_int_equal(buf_printf(&b, "%0500d", 1), 0);
        assert_int_equal(b.len, 503);
        assert_int_equal(strlen(b.data), 503);
        assert_memory_equal(b.data, "7-x000", 6);
}

static void test_overflow_leaves_it_unchanged(void **state) {
        cleanup_buf struct buf b = {};

        assert_int_equal(buf_append(&b, "abc", 3), 0);
        assert_int_equal(buf_reserve(&b, SIZE_MAX), -ENOMEM);
        assert_int_equal(buf_reserve(&b, SIZE_MAX - 3), -ENOMEM);
        assert_int_equal(buf_append(&b, "x", SIZE_MAX - 2), -ENOMEM);
        assert_int_equal(b.len, 3);
        assert_string_equal(b.data, "abc");
}

static void test_reserve_keeps_data_in_place(void **state) {
        cleanup_buf struct buf b = {};
        char *p;

        assert_int_equal(buf_reserve(&b, 10000), 0);
        assert_int_equal(b.len, 0);
        assert_string_equal(b.data, "");
        p = b.data;
        for (int i = 0; i < 10000; i++)
                assert_int_equal(buf_append(&b, "x", 1), 0);
        assert_ptr_equal(b.data, p);
}

static void test_done_twice(void **state) {
        struct buf b = {};

        assert_int_equal(buf_append(&b, "secret", 6), 0);
        buf_wipe(&b);
        assert_null(b.data);
        buf_wipe(&b);
        buf_done(&b);
        assert_int_equal(b.len, 0);
        assert_int_equal(b.cap, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_append),
                cmocka_unit_test(test_printf),
                cmocka_unit_test(test_overflow_leaves_it_unchanged),
                cmocka_unit_test(test_reserve_keeps_data_in_place),
                cmocka_unit_test(test_done_twice),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
