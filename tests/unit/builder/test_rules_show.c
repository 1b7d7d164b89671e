/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of bundles that nobody has vouched for. */
#include "../lib/unit.h"

#include "diff.h"
#include "rules_show.h"

struct shown {
        struct manifest manifest;
        struct manifest_policy policy;
        struct manifest_member member;
        struct buf text;
        struct bundle_file file;
};

static void shown_make(struct shown *s, const char *rulesets, const char *text) {
        char document[512];

        *s = (struct shown){.policy = {.name = (char *)"rules"}, .member = {.path = (char *)"sources/p.yaml"}};
        snprintf(document, sizeof(document), "{\"policies\": [{\"rulesets\": %s}]}", rulesets);
        s->manifest = (struct manifest){.doc = json_loads(document, 0, NULL),
                                        .name = (char *)"n",
                                        .version = (char *)"1.0.0",
                                        .policies = &s->policy,
                                        .n_policies = 1,
                                        .members = &s->member,
                                        .n_members = 1};
        assert_non_null(s->manifest.doc);
        assert_int_equal(buf_append(&s->text, text, strlen(text)), 0);
        s->file = (struct bundle_file){.manifest = &s->manifest, .members = &s->text};
}

static void shown_done(struct shown *s) {
        json_decref(s->manifest.doc);
        buf_done(&s->text);
}
#define cleanup_shown cleanup(shown_done)

#define RULESETS "[{\"name\": \"p\", \"mode\": \"audit\"}]"

static void test_control_characters_stay_inside(void **state) {
        cleanup_shown struct shown s;
        cleanup_buf struct buf out = {};

        shown_make(&s, RULESETS,
                   "a: \033[31mred\r\nb: \xc2\x9b"
                   "2J\t\177 \xc3\xa9");
        assert_int_equal(rules_shown_append(&s.file, &out), 0);
        assert_string_equal(out.data,
                            "rules, as they were written\n  of policy p\n    a: ?[31mred?\n    b: \xc2?2J?? \xc3\xa9\n");
}

static void test_what_is_not_there_is_not_shown(void **state) {
        static const char *const rulesets[] = {"null", "[]", "{}", "[{\"name\": \"q\"}]", "[{\"name\": 5}]", "[5]", "[{}]"};

        for (size_t i = 0; i < ARRAY_SIZE(rulesets); i++) {
                cleanup_shown struct shown s;
                cleanup_buf struct buf out = {};
                json_t *json;

                shown_make(&s, rulesets[i], "rules: []\n");
                assert_int_equal(rules_shown_append(&s.file, &out), 0);
                assert_int_equal(out.len, 0);
                json = rules_shown_json(&s.file);
                assert_int_equal(json_object_size(json), 0);
                json_decref(json);
        }
}

static void test_texts_that_say_nothing(void **state) {
        static const char *const texts[] = {"",
                                            "rules: [",
                                            "rules: [{on: exec}]",
                                            "rules: [5]",
                                            "rules: [{id: [a]}]",
                                            "rules: [{id: a}, {id: a}]",
                                            "rules: [{id: a, uid: 1.5}]",
                                            "rules: &x [*x]"};

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct buf text = {(char *)texts[i], strlen(texts[i]), 0};
                json_t *json = NULL;

                assert_int_equal(rules_shown_parse(&text, &json), -EBADMSG);
                assert_null(json);
        }
}

static void test_nothing_is_refused_for_a_text(void **state) {
        cleanup_shown struct shown good, bad;
        cleanup_changes struct changes c = {};

        shown_make(&good, RULESETS, "default: {exec: deny}\nrules: [{id: a, on: exec}]\n");
        shown_make(&bad, RULESETS, "rules: [");
        /* It must not look as if there were no rules. */
        assert_int_equal(changes_find_rules(&good.file, &bad.file, &c), 0);
        assert_int_equal(c.n, 1);
        assert_int_equal(c.items[0].kind, CHANGE_READABLE);
        assert_string_equal(c.items[0].policy, "p");
        assert_string_equal(c.items[0].before, "yes");
        assert_string_equal(c.items[0].after, "no");
}

static void test_a_policy_that_comes(void **state) {
        cleanup_shown struct shown none, some;
        cleanup_changes struct changes c = {};

        shown_make(&none, "[]", "");
        shown_make(&some, RULESETS, "default: {exec: deny}\nrules: [{id: a, on: exec}]\n");
        assert_int_equal(changes_find_rules(&none.file, &some.file, &c), 0);
        assert_int_equal(c.n, 3);
        assert_int_equal(c.items[0].kind, CHANGE_POLICY_ADDED);
        assert_string_equal(c.items[0].after, "audit");
        assert_int_equal(c.items[1].kind, CHANGE_DEFAULT_ADDED);
        assert_int_equal(c.items[2].kind, CHANGE_RULE_ADDED);
        assert_string_equal(c.items[2].subject, "a");
        assert_string_equal(c.items[2].after, "{on: exec}");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_control_characters_stay_inside),
                cmocka_unit_test(test_what_is_not_there_is_not_shown),
                cmocka_unit_test(test_texts_that_say_nothing),
                cmocka_unit_test(test_nothing_is_refused_for_a_text),
                cmocka_unit_test(test_a_policy_that_comes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
