/* SPDX-License-Identifier: Apache-2.0 */
/* Events for people and programs: what a task writes into its name or a path must neither forge a line nor move a cursor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "event.h"
#include "event_names.h"
#include "loader.h"

#define NOON 1769860800123456789LL /* 2026-01-31T12:00:00.123456789Z */

static struct event_names names;

static struct lsm_event sample(void) {
        return (struct lsm_event){
                .abi = LSM_ABI,
                .count = 1,
                .mode = LSM_MODE_ENFORCE,
                .bundle = bundle_number("baseline"),
                .policy = 1,
                .hook = 0,
                .error = EACCES,
                .release = 42,
                .time_ns = 5,
                .cgroup = 3177,
                .pid = 813,
                .tgid = 812,
                .uid = 1000,
                .gid = 100,
                .comm = "unprivileged",
                .why = "reads the password file",
                .object = "/etc/shadow",
        };
}

static json_t *described(const struct lsm_event *e) {
        json_t *o = event_json(e, NOON, &names);

        assert_non_null(o);
        return o;
}

static const char *member(const json_t *o, const char *key) {
        return json_string_value(json_object_get(o, key));
}

static void assert_sentence(const json_t *o, const char *want) {
        cleanup_buf struct buf b = {0};

        assert_int_equal(event_sentence_format(o, &b), 0);
        assert_string_equal(b.data, want);
}

static void assert_text(const json_t *o, const char *colour, const char *want) {
        cleanup_buf struct buf b = {0};

        assert_int_equal(event_text_format(o, colour != NULL, &b), 0);
        assert_string_equal(b.data, want);
}

static void test_json_line(void **state) {
        struct lsm_event e = sample();
        cleanup_json json_t *o = described(&e);
        cleanup_buf struct buf b = {0};

        assert_int_equal(event_json_format(o, &b), 0);
        assert_string_equal(b.data,
                            "{\"v\":1,\"type\":\"denied\",\"time\":\"2026-01-31T12:00:00.123456Z\",\"bundle\":\"baseline\","
                            "\"version\":\"1.4.0\",\"release\":42,\"policy\":\"shadow-protect\",\"hook\":\"file_open\","
                            "\"mode\":\"enforce\",\"errno\":\"EACCES\",\"why\":\"reads the password file\",\"pid\":813,"
                            "\"tgid\":812,\"uid\":1000,\"gid\":100,\"comm\":\"unprivileged\",\"object\":\"/etc/shadow\","
                            "\"cgroup\":3177}\n");
}

/* An event of the engine of rules, as the node's table knows it. */
static json_t *of_rule(const char *why, const char *policy) {
        struct lsm_event e = sample();

        e.bundle = bundle_number("ruled");
        e.release = 1;
        e.policy = streq(policy, "rules") ? 0 : 1;
        memset(e.why, 0, sizeof(e.why));
        memcpy(e.why, why, strnlen(why, sizeof(e.why)));
        return described(&e);
}

static void test_rules(void **state) {
        cleanup_json json_t *o = of_rule("credentials/shadow", "rules");

        assert_string_equal(member(o, "policy"), "credentials");
        assert_string_equal(member(o, "rule"), "shadow");
        assert_null(member(o, "why"));
        assert_text(o, NULL,
                    "2026-01-31 12:00:00.123  denied      ruled/credentials/shadow release 1  unprivileged[812] uid 1000  "
                    "file_open /etc/shadow  EACCES\n");
        assert_true(event_passes(&(struct event_filter){.policy = "credentials"}, o));
        assert_true(event_passes(&(struct event_filter){.policy = "ruled/credentials"}, o));
        assert_false(event_passes(&(struct event_filter){.policy = "rules"}, o));
}

/* What does not name a rule stays the engine's, and what only looks like one, its policy's. */
static void test_not_rules(void **state) {
        static const char *const words[] = {"shadow",
                                            "/shadow",
                                            "credentials/",
                                            "credentials/shadow/x",
                                            "Credentials/shadow",
                                            "credentials/sha dow",
                                            "credentials/\x1b[31m",
                                            "",
                                            "a/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"};

        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                cleanup_json json_t *o = of_rule(words[i], "rules");

                assert_string_equal(member(o, "policy"), "rules");
                assert_null(member(o, "rule"));
        }
        {
                cleanup_json json_t *o = of_rule("credentials/shadow", "c-policy");

                assert_string_equal(member(o, "policy"), "c-policy");
                assert_string_equal(member(o, "why"), "credentials/shadow");
                assert_null(member(o, "rule"));
        }
}

static void test_would_deny(void **state) {
        struct lsm_event e = sample();

        e.mode = LSM_MODE_AUDIT;
        for (int i = 0; i < 2; i++, e.mode = LSM_MODE_SHADOW) {
                cleanup_json json_t *o = described(&e);

                assert_string_equal(member(o, "type"), "would-deny");
                assert_string_equal(member(o, "mode"), i ? "shadow" : "audit");
        }
}

/* Another agent, or a later one, may have loaded what reports. */
static void test_unknown_numbers(void **state) {
        struct lsm_event e = sample();
        cleanup_json json_t *o = NULL, *p = NULL;

        e.bundle = 77;
        e.error = 4000;
        o = described(&e);
        assert_string_equal(member(o, "bundle"), "#77");
        assert_string_equal(member(o, "policy"), "#1");
        assert_string_equal(member(o, "hook"), "#0");
        assert_string_equal(member(o, "errno"), "#4000");
        assert_null(json_object_get(o, "version"));

        e = sample();
        e.release = 43; /* the bundle's name does not depend on the release, its policies do */
        e.hook = 9;
        p = described(&e);
        assert_string_equal(member(p, "bundle"), "baseline");
        assert_string_equal(member(p, "policy"), "#1");
        assert_string_equal(member(p, "hook"), "#9");
}

static void test_nothing_known_is_left_out(void **state) {
        struct lsm_event e = sample();
        cleanup_json json_t *o = NULL;

        memset(e.why, 0, sizeof(e.why));
        memset(e.object, 0, sizeof(e.object));
        e.cgroup = UINT64_MAX; /* no JSON reader has room for it */
        o = described(&e);
        assert_null(json_object_get(o, "why"));
        assert_null(json_object_get(o, "object"));
        assert_null(json_object_get(o, "cgroup"));
}

static void assert_no_control(const struct buf *b) {
        for (size_t i = 0; i + 1 < b->len; i++)
                if ((unsigned char)b->data[i] < 0x20 || (unsigned char)b->data[i] == 0x7f)
                        fail_msg("control character %d at %zu", b->data[i], i);
        assert_int_equal(b->data[b->len - 1], '\n');
}

static void test_hostile_texts(void **state) {
        static const struct {
                const char *bytes, *shown;
        } cases[] = {
                {"a\nb", "a\\x0ab"},                      /* a second line, forged */
                {"\033[2J\033[31m", "\\x1b[2J\\x1b[31m"}, /* clears the screen */
                {"a\rb\tc\bd\177", "a\\x0db\\x09c\\x08d\\x7f"},
                {"\302\233"
                 "31m",
                 "\\xc2\\x9b31m"}, /* the same as ESC [, in one C1 character */
                {"\233"
                 "31m",
                 "\\x9b31m"},
                {"x\342\200\256txt.exe", "x\\xe2\\x80\\xaetxt.exe"}, /* right-to-left override */
                {"a\342\200\250b", "a\\xe2\\x80\\xa8b"},             /* line separator */
                {"\377\376", "\\xff\\xfe"},
                {"\300\257", "\\xc0\\xaf"},          /* an overlong '/' */
                {"\355\240\200", "\\xed\\xa0\\x80"}, /* a surrogate */
                {"caf\303\251", "caf\303\251"},
                {"\\x1b", "\\x5cx1b"}, /* nobody can pretend that something was escaped */
                {"\",\"type\":\"x", "\",\"type\":\"x"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct lsm_event e = sample();
                cleanup_buf struct buf line = {0}, text = {0};
                cleanup_json json_t *o = NULL, *back = NULL;
                struct err err = {0};

                memset(e.object, 0, sizeof(e.object));
                memcpy(e.object, cases[i].bytes, strlen(cases[i].bytes));
                snprintf(e.comm, sizeof(e.comm), "%s", cases[i].bytes);
                snprintf(e.why, sizeof(e.why), "%s", cases[i].bytes);
                o = described(&e);
                assert_string_equal(member(o, "object"), cases[i].shown);
                assert_int_equal(event_json_format(o, &line), 0);
                assert_no_control(&line);
                if (json_parse(line.data, line.len, &back, &err) < 0) /* as strict as for signed documents */
                        fail_msg("case %zu: %s", i, err.msg);
                assert_true(json_equal(o, back));
                assert_int_equal(event_text_format(back, false, &text), 0);
                assert_no_control(&text);
                assert_non_null(strstr(text.data, cases[i].shown));
        }
}

static void test_unterminated_texts(void **state) {
        struct lsm_event e = sample();
        cleanup_json json_t *o = NULL;

        memset(e.comm, 'c', sizeof(e.comm));
        memset(e.why, 'w', sizeof(e.why));
        memset(e.object, 'o', sizeof(e.object));
        o = described(&e);
        assert_int_equal(strlen(member(o, "comm")), LSM_COMM_LEN);
        assert_int_equal(strspn(member(o, "comm"), "c"), LSM_COMM_LEN);
        assert_int_equal(strspn(member(o, "why"), "w"), LSM_WHY_LEN);
        assert_int_equal(strspn(member(o, "object"), "o"), LSM_OBJECT_LEN);
        assert_int_equal(strlen(member(o, "object")), LSM_OBJECT_LEN);
}

/* A character cut in two by the field's end. */
static void test_cut_character(void **state) {
        struct lsm_event e = sample();
        cleanup_json json_t *o = NULL;

        memset(e.comm, 'c', sizeof(e.comm));
        e.comm[LSM_COMM_LEN - 1] = (char)0xc3;
        o = described(&e);
        assert_string_equal(member(o, "comm"), "ccccccccccccccc\\xc3");
}

static void test_read(void **state) {
        struct lsm_event e = sample(), got = {0};
        unsigned char odd[sizeof(e) + 1];

        assert_int_equal(event_read(&e, sizeof(e), &got), 0);
        assert_memory_equal(&got, &e, sizeof(e));
        memcpy(odd + 1, &e, sizeof(e)); /* records of the ring buffer are aligned, but why rely on it */
        assert_int_equal(event_read(odd + 1, sizeof(e), &got), 0);
}

static void test_read_refuses(void **state) {
        const struct lsm_event good = sample();
        struct lsm_event got, bad[8];
        size_t n = 0;

        assert_int_equal(event_read(&good, sizeof(good) - 1, &got), -EBADMSG);
        assert_int_equal(event_read(&good, 0, &got), -EBADMSG);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                bad[i] = good;
        bad[n++].abi = LSM_ABI + 1;
        bad[n++].mode = LSM_MODE_SHADOW + 1;
        bad[n++].error = 0;
        bad[n++].error = -EACCES;
        bad[n++].error = 4096;
        bad[n++].release = UINT64_MAX;
        bad[n++].count = 0;
        bad[n++].count = UINT64_MAX;
        for (size_t i = 0; i < n; i++)
                if (event_read(&bad[i], sizeof(bad[i]), &got) != -EBADMSG)
                        fail_msg("case %zu was believed", i);
}

static void test_text_line(void **state) {
        struct lsm_event e = sample();
        cleanup_json json_t *denied = described(&e), *audited = NULL, *shadowed = NULL, *seen = NULL;

        assert_text(denied, NULL,
                    "2026-01-31 12:00:00.123  denied      baseline/shadow-protect release 42  unprivileged[812] uid 1000  "
                    "file_open /etc/shadow  EACCES: reads the password file\n");
        assert_text(denied, "colour",
                    "\033[2m2026-01-31 12:00:00.123\033[0m  \033[31mdenied    \033[0m  baseline/shadow-protect release 42  "
                    "unprivileged[812] uid 1000  file_open /etc/shadow  EACCES: reads the password file\n");
        e.mode = LSM_MODE_AUDIT;
        e.object[0] = '\0';
        audited = described(&e);
        json_object_set_new(audited, "cgroup_path", json_string("/system.slice/app.service"));
        assert_text(audited, NULL,
                    "2026-01-31 12:00:00.123  would deny  baseline/shadow-protect release 42  unprivileged[812] uid 1000  "
                    "file_open  EACCES: reads the password file  in /system.slice/app.service\n");
        json_object_set_new(audited, "container", json_string("web-1"));
        assert_text(audited, NULL,
                    "2026-01-31 12:00:00.123  would deny  baseline/shadow-protect release 42  unprivileged[812] uid 1000  "
                    "file_open  EACCES: reads the password file  in /system.slice/app.service  container web-1\n");
        e.mode = LSM_MODE_SHADOW;
        shadowed = described(&e);
        assert_text(shadowed, NULL,
                    "2026-01-31 12:00:00.123  would deny  baseline/shadow-protect would be denied by release 42  "
                    "unprivileged[812] uid 1000  file_open  EACCES: reads the password file\n");
        seen = event_lost_json(12);
        assert_text(seen, NULL, "lost        12 events: this reader was too slow\n");
        assert_sentence(seen, "lost  12 events: this reader was too slow");
}

static void test_note(void **state) {
        struct event_note n = {.state = "rolled-back",
                               .bundle = "baseline",
                               .version = "1.5.0",
                               .release = 43,
                               .reason = "health-failed",
                               .message = "probe \"x\": line\nline"};
        cleanup_json json_t *o = event_note_json(&n, NOON);

        assert_string_equal(member(o, "type"), "swap");
        assert_string_equal(member(o, "state"), "rolled-back");
        assert_string_equal(member(o, "reason"), "health-failed");
        assert_int_equal(json_integer_value(json_object_get(o, "release")), 43);
        assert_text(o, NULL,
                    "2026-01-31 12:00:00.123  swap        baseline release 43 (1.5.0)  rolled-back health-failed: "
                    "probe \"x\": line\\x0aline\n");
}

/* The reporter has handled hostile input for long when it writes a line: what it says is checked as well. */
static void test_text_refuses(void **state) {
        static const char *const lines[] = {
                "{}",
                "[]",
                "{\"v\":2,\"type\":\"denied\"}",
                "{\"v\":\"1\",\"type\":\"denied\"}",
                "{\"v\":1,\"type\":1}",
                "{\"v\":1,\"type\":\"later\"}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                cleanup_json json_t *o = json_loads(lines[i], 0, NULL);
                cleanup_buf struct buf b = {0};

                assert_int_equal(event_text_format(o, true, &b), -EBADMSG);
                assert_int_equal(b.len, 0);
        }
}

static void test_text_of_nonsense(void **state) {
        cleanup_json json_t *o =
                json_loads("{\"v\":1,\"type\":\"denied\",\"time\":\"\\u001b[31m\",\"bundle\":7,\"comm\":\"\\u001b[2Jx\","
                           "\"release\":\"\\n\",\"uid\":-1}",
                           0, NULL);

        assert_non_null(o);
        assert_text(o, NULL, "denied      \\x1b[2Jx uid -1  \n");
}

static void test_count(void **state) {
        struct lsm_event e = sample();
        cleanup_json json_t *one = described(&e), *many = NULL;

        assert_null(json_object_get(one, "count")); /* it stands for itself */
        assert_null(json_object_get(one, "first"));
        e.count = 312;
        e.time_ns = 3000000005;
        e.first_ns = 5;
        many = described(&e);
        assert_int_equal(json_integer_value(json_object_get(many, "count")), 312);
        assert_string_equal(member(many, "first"), "2026-01-31T11:59:57.123456Z");
        assert_sentence(many, "denied  baseline/shadow-protect release 42  unprivileged[812] uid 1000  file_open /etc/shadow  "
                              "EACCES: reads the password file  312 times");
}

static void test_dropped(void **state) {
        cleanup_json json_t *o = event_dropped_json(9, NOON);

        assert_int_equal(json_integer_value(json_object_get(o, "count")), 9);
        assert_sentence(o, "dropped  9 events: the kernel's buffer was full");
        assert_true(event_passes(&(struct event_filter){.policy = "another", .mode = "audit", .denied = true}, o));
}

static void test_more_filters(void **state) {
        struct lsm_event e = sample();
        cleanup_json json_t *o = described(&e);

        assert_true(event_passes(&(struct event_filter){.bundle = "baseline"}, o));
        assert_false(event_passes(&(struct event_filter){.bundle = "base"}, o));
        assert_true(event_passes(&(struct event_filter){.mode = "enforce"}, o));
        assert_false(event_passes(&(struct event_filter){.mode = "audit"}, o));
        assert_false(event_passes(&(struct event_filter){.rule = "a-rule"}, o)); /* it is no rule's */
        json_object_set_new(o, "rule", json_string("a-rule"));
        assert_true(event_passes(&(struct event_filter){.rule = "a-rule"}, o));
        assert_true(event_passes(&(struct event_filter){.since = "2026-01-31T12:00:00"}, o));
        assert_true(event_passes(&(struct event_filter){.since = "2026-01-31T12:00:00.123456"}, o));
        assert_false(event_passes(&(struct event_filter){.since = "2026-01-31T12:00:00.2"}, o));
        assert_false(event_passes(&(struct event_filter){.since = "2026-01-31T12:00:01"}, o));
        assert_true(event_filter_valid(&(struct event_filter){.bundle = "b", .rule = "r", .mode = "shadow"}));
        assert_false(event_filter_valid(&(struct event_filter){.bundle = "a/b"}));
        assert_false(event_filter_valid(&(struct event_filter){.rule = "a b"}));
        assert_false(event_filter_valid(&(struct event_filter){.mode = "loud"}));
}

static void test_since(void **state) {
        static const char *const bad[] = {"",
                                          "5",
                                          "m",
                                          "-5m",
                                          "0s",
                                          "5w",
                                          "5mm",
                                          "9999999s",
                                          "2026-01-31",
                                          "2026-01-31T12:00:00",
                                          "2026-01-31T12:00:00+01:00",
                                          "2026-01-31T12:00:00.Z",
                                          "2026-01-31T12:00:00.1234567Z",
                                          "2026-13-31T12:00:00Z",
                                          "2026-01-31T12:00:00Z "};
        char text[32];

        assert_int_equal(event_since("90s", NOON, text), 0);
        assert_string_equal(text, "2026-01-31T11:58:30");
        assert_int_equal(event_since("7d", NOON, text), 0);
        assert_string_equal(text, "2026-01-24T12:00:00");
        assert_int_equal(event_since("2026-01-31T12:00:00Z", NOON, text), 0);
        assert_string_equal(text, "2026-01-31T12:00:00");
        assert_int_equal(event_since("2026-01-31T12:00:00.123456Z", NOON, text), 0);
        assert_string_equal(text, "2026-01-31T12:00:00.123456");
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (event_since(bad[i], NOON, text) != -EINVAL)
                        fail_msg("'%s' was taken for a time", bad[i]);
}

static void test_filter(void **state) {
        struct lsm_event e = sample();
        struct event_note n = {.state = "confirmed", .bundle = "baseline"};
        cleanup_json json_t *denied = described(&e), *audited = NULL, *note = event_note_json(&n, NOON),
                            *lost = event_lost_json(1);
        const struct event_filter all = {0}, only = {.denied = true}, policy = {.policy = "shadow-protect"},
                                  both = {.policy = "baseline/shadow-protect"};

        e.mode = LSM_MODE_AUDIT;
        audited = described(&e);
        assert_true(event_passes(&all, denied) && event_passes(&all, audited) && event_passes(&all, note));
        assert_true(event_passes(&only, denied));
        assert_false(event_passes(&only, audited) || event_passes(&only, note));
        assert_true(event_passes(&policy, denied) && event_passes(&policy, audited) && event_passes(&both, denied));
        assert_false(event_passes(&policy, note));
        assert_false(event_passes(&(struct event_filter){.policy = "shadow"}, denied));
        assert_false(event_passes(&(struct event_filter){.policy = "base/shadow-protect"}, denied));
        assert_false(event_passes(&(struct event_filter){.policy = "baseline2/shadow-protect"}, denied));
        assert_true(event_passes(&only, lost) && event_passes(&policy, lost)); /* a gap is never filtered away */
}

static int setup(void **state) {
        static const char table[] = "[{\"bundle\":\"baseline\",\"version\":\"1.4.0\",\"release\":42,"
                                    "\"policies\":[\"no-raw\",\"shadow-protect\"],\"hooks\":[\"file_open\"]},"
                                    "{\"bundle\":\"ruled\",\"version\":\"1.0.0\",\"release\":1,"
                                    "\"policies\":[\"rules\",\"c-policy\"],\"hooks\":[\"file_open\"]}]";

        setenv("TZ", "UTC", 1);
        tzset();
        return event_names_parse(&names, table, strlen(table), NULL);
}

static int teardown(void **state) {
        event_names_done(&names);
        return 0;
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_json_line),
                cmocka_unit_test(test_rules),
                cmocka_unit_test(test_not_rules),
                cmocka_unit_test(test_would_deny),
                cmocka_unit_test(test_unknown_numbers),
                cmocka_unit_test(test_nothing_known_is_left_out),
                cmocka_unit_test(test_hostile_texts),
                cmocka_unit_test(test_unterminated_texts),
                cmocka_unit_test(test_cut_character),
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_read_refuses),
                cmocka_unit_test(test_text_line),
                cmocka_unit_test(test_note),
                cmocka_unit_test(test_text_refuses),
                cmocka_unit_test(test_text_of_nonsense),
                cmocka_unit_test(test_count),
                cmocka_unit_test(test_dropped),
                cmocka_unit_test(test_more_filters),
                cmocka_unit_test(test_since),
                cmocka_unit_test(test_filter),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
