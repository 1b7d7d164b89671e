/* SPDX-License-Identifier: Apache-2.0 */
#include "../lib/unit.h"

#include "json.h"
#include "yaml.h"
#include "yaml_json.h"

static struct yaml_doc *parse(const char *text, struct diags *diags) {
        struct yaml_doc *doc = NULL;
        int r = yaml_parse("f.yaml", text, strlen(text), diags, &doc);

        assert_true(r == 0 || (r == -EBADMSG && !doc));
        assert_int_equal(r == 0, diags->n_errors == 0);
        return doc;
}

/* Refused, with the first finding at this place. */
static void assert_finding(const char *text, unsigned line, unsigned column) {
        cleanup_diags struct diags diags = {};

        assert_null(parse(text, &diags));
        assert_true(diags.n >= 1);
        assert_string_equal(diags.items[0].file, "f.yaml");
        if (diags.items[0].line != line || diags.items[0].column != column)
                fail_msg("'%s': %u:%u: %s", text, diags.items[0].line, diags.items[0].column, diags.items[0].text);
}

static void test_positions(void **state) {
        cleanup_diags struct diags diags = {};
        cleanup_yaml struct yaml_doc *doc = parse("a: 1\nb:\n  - x\n  - {c: 'd', e: \"f\"}\ng:\n", &diags);
        const struct yaml_node *root = yaml_root(doc), *list, *map;

        assert_int_equal(root->kind, YAML_MAP);
        assert_int_equal(root->n, 3);
        assert_int_equal(root->pos.line, 1);
        list = root->items[1];
        assert_int_equal(list->kind, YAML_LIST);
        assert_int_equal(list->pos.line, 3);
        assert_int_equal(list->pos.column, 3);
        map = list->items[1];
        assert_int_equal(map->pos.line, 4);
        assert_int_equal(map->pos.column, 5);
        assert_string_equal(map->keys[0]->text, "c");
        assert_int_equal(map->items[0]->pos.column, 9);
        assert_true(map->items[0]->quoted);
        assert_int_equal(map->items[1]->pos.column, 17);
        /* Nothing has no place of its own: its key's. */
        assert_int_equal(root->items[2]->pos.line, 5);
        assert_int_equal(yaml_scalar_type(root->items[2]), YAML_NULL);
}

static void test_refused(void **state) {
        assert_finding("", 1, 1);
        assert_finding("# only a comment\n", 1, 1);
        assert_finding("a: [1\n", 2, 1);
        assert_finding("a: b: c", 1, 5);
        assert_finding("a: 1\nb: 2\na: 3\n", 3, 1);
        assert_finding("{a: 1, 'a': 2}", 1, 8);
        assert_finding("a: &x 1\n", 1, 7);
        assert_finding("a: *x\n", 1, 4);
        assert_finding("a: !!str 1\n", 1, 10);
        assert_finding("a: 1\n---\nb: 2\n", 2, 1);
        assert_finding("a: \x7f\n", 1, 4);
        assert_finding("a: \x1b[31m\n", 1, 4);
}

static void test_every_repeated_key_is_found(void **state) {
        cleanup_diags struct diags diags = {};

        assert_null(parse("a: 1\nb: 1\na: 2\nb: 2\na: 3\n", &diags));
        assert_int_equal(diags.n_errors, 3);
}

static void test_zero_byte(void **state) {
        static const char text[] = "a: 1\n\0b: 2\n";
        cleanup_diags struct diags diags = {};
        struct yaml_doc *doc = NULL;

        assert_int_equal(yaml_parse("f", text, sizeof(text) - 1, &diags, &doc), -EBADMSG);
        assert_int_equal(diags.items[0].line, 2);
}

static void test_depth(void **state) {
        char deep[2 * (YAML_DEPTH_MAX + 2) + 1] = "";
        cleanup_diags struct diags diags = {}, fine = {};
        struct yaml_doc *doc;

        memset(deep, '[', YAML_DEPTH_MAX + 2);
        memset(deep + YAML_DEPTH_MAX + 2, ']', YAML_DEPTH_MAX + 2);
        assert_null(parse(deep, &diags));
        deep[2 * (YAML_DEPTH_MAX + 1) + 1] = '\0';
        doc = parse(deep + 1, &fine);
        assert_non_null(doc);
        yaml_free(doc);
}

static void test_scalars(void **state) {
        static const struct {
                const char *text;
                enum yaml_type type;
        } cases[] = {
                {"~", YAML_NULL},       {"null", YAML_NULL},    {"nULL", YAML_STRING},     {"true", YAML_BOOL},
                {"FALSE", YAML_BOOL},   {"yes", YAML_STRING},   {"on", YAML_STRING},       {"0", YAML_INT},
                {"-0", YAML_INT},       {"+7", YAML_INT},       {"0x1F", YAML_INT},        {"0o17", YAML_INT},
                {"0x", YAML_STRING},    {"0o8", YAML_STRING},   {"010", YAML_AMBIGUOUS},   {"-00", YAML_AMBIGUOUS},
                {"1.5", YAML_FLOAT},    {".5", YAML_FLOAT},     {"1e3", YAML_FLOAT},       {"-.inf", YAML_FLOAT},
                {"1.2.3", YAML_STRING}, {"1_000", YAML_STRING}, {"12:30", YAML_STRING},    {"-", YAML_STRING},
                {"1e", YAML_STRING},    {"'1'", YAML_STRING},   {"\"true\"", YAML_STRING},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[64];
                cleanup_diags struct diags diags = {};
                cleanup_yaml struct yaml_doc *doc = NULL;

                snprintf(text, sizeof(text), "a: [%s]", cases[i].text);
                if (streq(cases[i].text, "-"))
                        strcpy(text, "a: ['-']");
                doc = parse(text, &diags);
                assert_non_null(doc);
                if (yaml_scalar_type(yaml_root(doc)->items[0]->items[0]) != cases[i].type)
                        fail_msg("%s", cases[i].text);
        }
}

static void assert_int(const char *text, int want, bool negative, uint64_t value) {
        struct yaml_node node = {.text = (char *)text, .len = strlen(text)};
        bool is_negative;
        uint64_t v;
        int r = yaml_int(&node, &is_negative, &v);

        assert_int_equal(r, want);
        if (r == 0) {
                assert_int_equal(is_negative, negative);
                assert_true(v == value);
        }
}

static void test_ints(void **state) {
        assert_int("0", 0, false, 0);
        assert_int("-0", 0, false, 0);
        assert_int("-1", 0, true, 1);
        assert_int("+12", 0, false, 12);
        assert_int("0xfF", 0, false, 255);
        assert_int("-0x10", 0, true, 16);
        assert_int("0o777", 0, false, 511);
        assert_int("18446744073709551615", 0, false, UINT64_MAX);
        assert_int("18446744073709551616", -ERANGE, false, 0);
        assert_int("99999999999999999999999", -ERANGE, false, 0);
        assert_int("0x10000000000000000", -ERANGE, false, 0);
}

static void test_json(void **state) {
        cleanup_diags struct diags diags = {};
        cleanup_yaml struct yaml_doc *doc = parse("- {a: 1, b: [true, ~, 'x', -5, 0x10]}\n- \"quoted 1\"\n", &diags);
        cleanup_json json_t *json = NULL;
        char *dump;

        assert_int_equal(yaml_to_json(yaml_root(doc), &diags, &json), 0);
        dump = json_dumps(json, JSON_COMPACT);
        assert_string_equal(dump, "[{\"a\":1,\"b\":[true,null,\"x\",-5,16]},\"quoted 1\"]");
        free(dump);
}

/* All that signed JSON cannot hold is reported, not only the first. */
static void test_json_refused(void **state) {
        cleanup_diags struct diags diags = {};
        cleanup_yaml struct yaml_doc *doc =
                parse("- 1.5\n- 010\n- 9007199254740992\n- \"a\\nb\"\n- ? [x]\n  : y\n- -9007199254740991\n", &diags);
        cleanup_json json_t *json = NULL;

        assert_non_null(doc);
        assert_int_equal(yaml_to_json(yaml_root(doc), &diags, &json), -EBADMSG);
        assert_null(json);
        assert_int_equal(diags.n_errors, 5);
        for (unsigned i = 0; i < 5; i++)
                assert_int_equal(diags.items[i].line, i + 1);
}

static void test_utf8(void **state) {
        static const struct {
                const char *text;
                unsigned column; /* of the first byte that is none; 0: all is good */
        } cases[] = {
                {"a: \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 0},
                {"a: \xff", 4},
                {"a: \x80", 4},
                {"a: \xc3", 4},
                {"a: \xc3\xa4\xc3(", 5},
                {"a: \xc0\xaf", 4},
                {"a: \xe0\x80\xaf", 4},
                {"a: \xed\xa0\x80", 4},
                {"a: \xf4\x90\x80\x80", 4},
                {"a: \xf5\x80\x80\x80", 4},
                {"%a\xff\xff b\n", 3}, /* libfyaml would not come back */
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_diags struct diags diags = {};
                cleanup_yaml struct yaml_doc *doc = parse(cases[i].text, &diags);

                if (cases[i].column > 0)
                        assert_finding(cases[i].text, 1, cases[i].column);
                assert_int_equal(doc != NULL, cases[i].column == 0);
        }
}

static void test_documents(void **state) {
        static const char text[] = "# first\na: 1\n---\n---\n# nothing\n---\nb:\n  - c\n...\n";
        cleanup_diags struct diags diags = {};
        cleanup_yaml struct yaml_doc *doc = NULL;
        struct yaml_doc *none = NULL;

        assert_int_equal(yaml_parse_all("f.yaml", text, strlen(text), &diags, &doc), 0);
        assert_int_equal(yaml_count(doc), 4);
        assert_ptr_equal(yaml_nth(doc, 0), yaml_root(doc));
        assert_int_equal(yaml_nth(doc, 0)->pos.line, 2);
        for (size_t i = 1; i < 3; i++) {
                assert_int_equal(yaml_nth(doc, i)->kind, YAML_SCALAR);
                assert_int_equal(yaml_scalar_type(yaml_nth(doc, i)), YAML_NULL);
        }
        assert_int_equal(yaml_nth(doc, 3)->pos.line, 7);
        assert_int_equal(yaml_nth(doc, 3)->items[0]->items[0]->pos.line, 8);
        assert_int_equal(yaml_nth(doc, 3)->items[0]->items[0]->pos.column, 5);
        /* what is wrong is found in whichever it is */
        assert_int_equal(yaml_parse_all("f.yaml", "a: 1\n---\nb: 1\nb: 2\n", 19, &diags, &none), -EBADMSG);
        assert_null(none);
        assert_int_equal(diags.n, 1);
        assert_int_equal(diags.items[0].line, 4);
        assert_int_equal(yaml_parse_all("f.yaml", "", 0, &diags, &none), -EBADMSG);
        assert_null(none);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_positions),
                cmocka_unit_test(test_documents),
                cmocka_unit_test(test_utf8),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_every_repeated_key_is_found),
                cmocka_unit_test(test_zero_byte),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_scalars),
                cmocka_unit_test(test_ints),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_json_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
