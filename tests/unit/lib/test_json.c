/* SPDX-License-Identifier: Apache-2.0 */
/* Signed documents: two readers must never understand one text differently, and one document has one canonical text. */
#include "json.h"
#include "unit.h"

static int parse(const char *text, json_t **ret, struct err *err) {
        return json_parse(text, strlen(text), ret, err);
}

static const struct {
        const char *in, *canonical;
} good[] = {
        {"{}", "{}"},
        {" [ ] ", "[]"},
        {"null", "null"},
        {"{\"b\":1,\"a\":[true,false,null]}", "{\"a\":[true,false,null],\"b\":1}"},
        {"{\"aa\":1,\"a\":2,\"B\":3,\"\":4}", "{\"\":4,\"B\":3,\"a\":2,\"aa\":1}"},
        {"[9007199254740991,-9007199254740991,0,-0]", "[9007199254740991,-9007199254740991,0,0]"},
        {"\"\\\"\\\\\\/\"", "\"\\\"\\\\/\""}, /* only the first two are escaped */
        {"\"\\u00e4\\u20ac\"", "\"\xc3\xa4\xe2\x82\xac\""},
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
        {"\"\xc2\xa0\"", "\"\xc2\xa0\""}, /* the first behind the C1 controls */
        /* By code point: U+FFFD before U+1F600. By UTF-16 unit it would be the other way round. */
        {"{\"\xf0\x9f\x98\x80\":1,\"\xef\xbf\xbd\":2}", "{\"\xef\xbf\xbd\":2,\"\xf0\x9f\x98\x80\":1}"},
        {"{\"a\":{\"a\":1},\"b\":{\"a\":1}}", "{\"a\":{\"a\":1},\"b\":{\"a\":1}}"},
};

static void test_canonical(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                cleanup_json json_t *j = NULL, *again = NULL;
                cleanup_buf struct buf a = {}, b = {};
                struct err err = {};

                assert_done(parse(good[i].in, &j, &err), err);
                assert_done(json_canonical(j, &a, &err), err);
                assert_string_equal(a.data, good[i].canonical);
                assert_done(json_parse(a.data, a.len, &again, &err), err);
                assert_done(json_canonical(again, &b, &err), err);
                assert_string_equal(a.data, b.data);
        }
}

static void test_refused(void **state) {
        static const char *const bad[] = {
                "",
                " ",
                "{",
                "}",
                "[1,]",
                "{\"a\":}",
                "{\"a\" 1}",
                "{a:1}",
                "{'a':1}",
                "[1 2]",
                "nul",
                "tru",
                "NaN",
                "Infinity",
                /* duplicate keys, at any depth, however they are written */
                "{\"a\":1,\"a\":1}",
                "{\"x\":[{\"a\":1,\"a\":2}]}",
                "{\"a\":1,\"\\u0061\":2}",
                /* something after it */
                "{}{}",
                "{} x",
                "[]]",
                "1 2",
                "{}\xef\xbb\xbf",
                /* numbers */
                "1.0",
                "1e3",
                "[0.5]",
                "1E0",
                "-0.0",
                "1e400",
                "01",
                "+1",
                "0x1",
                ".5",
                "1.",
                "9007199254740992",
                "-9007199254740992",
                "{\"a\":[9007199254740992]}",
                "9223372036854775807",
                "9223372036854775808",
                "-9223372036854775809",
                "18446744073709551616",
                "99999999999999999999999999999999999999999",
                /* control characters */
                "\"\n\"",
                "\"\\n\"",
                "\"\\u0000\"",
                "\"\\u001f\"",
                "\"\x7f\"",
                "\"\\u007f\"",
                "\"\\u009b\"",
                "\"\xc2\x9b\"",
                "\"\\t\"",
                "{\"\\u0001\":1}",
                "{\"\x7f\":1}",
                "[[\"\\u001b[2J\"]]",
                "{\"\\u0000\":1}",
                /* UTF-8 and surrogates */
                "\"\xff\"",
                "\"\xc0\x80\"",
                "\"\xc3\"",
                "\"\xed\xa0\x80\"",
                "\"\xf4\x90\x80\x80\"",
                "\"\xe0\x80\x80\"",
                "\"\\ud800\"",
                "\"\\udc00\"",
                "\"\\ud800x\"",
                "\"\\ud800\\u0041\"",
                "{\"\xff\":1}",
                /* other people's extensions */
                "// x\n{}",
                "/* x */{}",
                "#x\n1",
                "\xef\xbb\xbf{}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                cleanup_json json_t *j = NULL;
                struct err err = {};
                int r = parse(bad[i], &j, &err);

                if (r >= 0)
                        fail_msg("accepted: %s", bad[i]);
                assert_refused(r, err, REASON_MALFORMED);
                assert_null(j);
                for (const char *p = err.msg; *p; p++) /* what the message quotes cannot move a terminal's cursor */
                        assert_in_range(*p, 0x20, 0x7e);
        }
}

static void test_nul_inside(void **state) {
        cleanup_json json_t *j = NULL;
        struct err err = {};

        assert_refused(json_parse("{}\0", 3, &j, &err), err, REASON_MALFORMED);
        assert_refused(json_parse("\"a\0b\"", 5, &j, &err), err, REASON_MALFORMED);
        assert_refused(json_parse("[1\0]", 4, &j, &err), err, REASON_MALFORMED);
        assert_done(json_parse("[1]x", 3, &j, &err), err); /* the length counts, no terminator */
}

static void nested(struct buf *b, size_t depth) {
        for (size_t i = 0; i < depth; i++)
                buf_append(b, "[", 1);
        for (size_t i = 0; i < depth; i++)
                buf_append(b, "]", 1);
}

static void test_depth(void **state) {
        static const size_t deep[] = {34, 35, 100, 2047, 2049, 100000};
        struct err err = {};

        for (size_t i = 0; i < ARRAY_SIZE(deep); i++) {
                cleanup_json json_t *j = NULL;
                cleanup_buf struct buf b = {};

                nested(&b, deep[i]);
                assert_refused(json_parse(b.data, b.len, &j, &err), err, REASON_MALFORMED);
        }
        for (size_t depth = 1; depth <= 33; depth++) { /* the outermost is at level 0 */
                cleanup_json json_t *j = NULL;
                cleanup_buf struct buf b = {}, out = {};

                nested(&b, depth);
                assert_done(json_parse(b.data, b.len, &j, &err), err);
                assert_done(json_canonical(j, &out, &err), err);
                assert_string_equal(out.data, b.data);
        }
}

/* What is built in the program and could not be read back is not written. */
static void test_canonical_refuses(void **state) {
        json_t *const bad[] = {
                json_real(1),
                json_integer(1LL << 53),
                json_integer(-(1LL << 53)),
                json_integer(INT64_MIN),
                json_string("a\nb"),
                json_stringn("a\0b", 3),
                json_pack("[[f]]", 1.5),
                json_pack("{s:i}", "a\x7f", 1),
                json_pack("{s:[s]}", "a", "\x1b[0m"),
        };
        cleanup_buf struct buf out = {};

        assert_int_equal(buf_append(&out, "before", 6), 0);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct err err = {};

                assert_non_null(bad[i]);
                assert_refused(json_canonical(bad[i], &out, &err), err, REASON_MALFORMED);
                assert_string_equal(out.data, "before");
                json_decref(bad[i]);
        }
}

static void test_appends(void **state) {
        cleanup_json json_t *j = json_pack("[i]", 1);
        cleanup_buf struct buf out = {};

        assert_int_equal(buf_append(&out, "x", 1), 0);
        assert_int_equal(json_canonical(j, &out, NULL), 0);
        assert_string_equal(out.data, "x[1]");
}

static void test_members(void **state) {
        cleanup_json json_t *j = NULL;
        struct err err = {};
        const char *s;
        long long n;
        json_t *v;

        assert_done(parse("{\"s\":\"x\",\"i\":7,\"a\":[],\"o\":{},\"n\":null}", &j, &err), err);
        assert_done(json_get_string(j, "s", &s, &err), err);
        assert_string_equal(s, "x");
        assert_done(json_get_int(j, "i", 7, 7, &n, &err), err);
        assert_int_equal(n, 7);
        assert_done(json_get_array(j, "a", &v, &err), err);
        assert_done(json_get_object(j, "o", &v, &err), err);
        assert_refused(json_get_string(j, "i", &s, &err), err, REASON_MALFORMED);
        assert_non_null(strstr(err.msg, "'i'"));
        assert_refused(json_get_string(j, "none", &s, &err), err, REASON_MALFORMED);
        assert_refused(json_get_string(j, "n", &s, &err), err, REASON_MALFORMED);
        assert_refused(json_get_int(j, "s", 0, 9, &n, &err), err, REASON_MALFORMED);
        assert_refused(json_get_int(j, "i", 8, 9, &n, &err), err, REASON_MALFORMED);
        assert_refused(json_get_int(j, "i", 0, 6, &n, &err), err, REASON_MALFORMED);
        assert_refused(json_get_array(j, "o", &v, &err), err, REASON_MALFORMED);
        assert_refused(json_get_object(j, "a", &v, &err), err, REASON_MALFORMED);
        json_decref(j);
        j = json_array();
        assert_refused(json_get_string(j, "s", &s, &err), err, REASON_MALFORMED);
}

/* What others wrote: control characters in strings, integers of 64 bits; and still no float, no NUL, no member twice. */
static void test_foreign(void **state) {
        static const char *const foreign[] = {
                "{\"a\":\"line\nfeed\"}", "\"\x1f\x7f\xc2\x85\"", "{\"\t\":-9223372036854775808}",
                "9223372036854775807",    "\"\\\\\\\"\n\"",
        };
        static const char *const bad[] = {
                "{\"a\":\"line\\nfeed\"}", /* an escape: the canonical form has it raw */
                "{ \"a\":1}",
                "{\n\"a\":1}",
                "{\"b\":1,\"a\":2}",
                "{\"a\":1,\"a\":1}",
                "1.0",
                "1e3",
                "-0",
                "9223372036854775808",
                "\"\\u0000\"",
                "\"\\u0041\"",
                "\"\\\n\"",
                "\"\xff\"",
                "\"a",
                "",
                "{} ",
                "\n1",
        };

        for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
                cleanup_json json_t *j = NULL;
                cleanup_buf struct buf b = {};
                struct err err = {};

                assert_done(json_parse_canonical(foreign[i], strlen(foreign[i]), &j, &err), err);
                assert_done(json_canonical_foreign(j, &b, &err), err);
                assert_string_equal(b.data, foreign[i]);
                assert_refused(json_canonical(j, &b, &err), err, REASON_MALFORMED);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                json_t *j = NULL;
                struct err err = {};

                assert_refused(json_parse_canonical(bad[i], strlen(bad[i]), &j, &err), err, REASON_MALFORMED);
                assert_null(j);
        }
        {
                json_t *j = NULL;
                struct err err = {};

                assert_refused(json_parse_canonical("\"a\0b\"", 5, &j, &err), err, REASON_MALFORMED);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_foreign),    cmocka_unit_test(test_canonical), cmocka_unit_test(test_refused),
                cmocka_unit_test(test_nul_inside), cmocka_unit_test(test_depth),     cmocka_unit_test(test_canonical_refuses),
                cmocka_unit_test(test_appends),    cmocka_unit_test(test_members),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
