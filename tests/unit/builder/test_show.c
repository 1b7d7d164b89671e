/* SPDX-License-Identifier: Apache-2.0 */
#include "../lib/unit.h"

#include "show.h"

static void assert_bytes(const char *bytes, size_t n, const char *want) {
        cleanup_buf struct buf out = {};

        assert_int_equal(show_bytes(&out, (const uint8_t *)bytes, n), 0);
        assert_string_equal(out.data, want);
}

static void test_bytes(void **state) {
        assert_bytes("shadow\0\0\0\0\0\0", 12, "shadow");
        assert_bytes("a\0\0\0\0", 5, "a");
        assert_bytes("two words\0\0\0", 12, "two words");
        assert_bytes("it's: \"x\"\0\0\0", 12, "\"it's: \\\"x\\\"\"");
        assert_bytes("bash\0\0\0\0", 8, "bash");
        assert_bytes("\5\0\0\0", 4, "5");
        assert_bytes("A\0\0\0", 4, "65");
        assert_bytes("\1", 1, "1");
        assert_bytes("\377\377\377\377\377\377\377\377", 8, "18446744073709551615");
        assert_bytes("\12\0\0\1\2", 5, "0a00000102");
        /* Text that fills its place or goes on behind a zero is none. */
        assert_bytes("abcde", 5, "6162636465");
        assert_bytes("ab\0cd\0", 6, "616200636400");
        assert_bytes("\0\0\0\0\0\0", 6, "000000000000");
        /* Control characters never come out. */
        assert_bytes("\33[31m\0", 6, "1b5b33316d00");
}

static void assert_flow(const char *json, const char *want) {
        cleanup_buf struct buf out = {};
        json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);

        assert_non_null(value);
        assert_int_equal(show_flow(&out, value), 0);
        assert_string_equal(out.data, want);
        json_decref(value);
}

static void test_flow(void **state) {
        assert_flow("{\"a\": [1, true, null, \"x\"]}", "{a: [1, true, null, x]}");
        assert_flow("\"/etc/shadow\"", "/etc/shadow");
        assert_flow("\"true\"", "\"true\"");
        assert_flow("\"12\"", "\"12\"");
        assert_flow("\"\"", "\"\"");
        assert_flow("\"a, b\"", "\"a, b\"");
        assert_flow("\"a: b\"", "\"a: b\"");
        assert_flow("\"- a\"", "\"- a\"");
        assert_flow("\"end \"", "\"end \"");
        assert_flow("[]", "[]");
}

static void test_operation_comes_first(void **state) {
        cleanup_buf struct buf out = {};
        json_t *value = json_loads("{\"flags\": [\"read\"], \"open\": \"/x\"}", 0, NULL);

        assert_int_equal(show_operation(&out, value), 0);
        assert_string_equal(out.data, "{open: /x, flags: [read]}");
        json_decref(value);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_flow),
                cmocka_unit_test(test_operation_comes_first),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
