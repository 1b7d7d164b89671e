/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout's document: what is one, what is not and why, and the times in it. */
#include "rollout_fixture.h"

static void refused(const char *text, enum reason reason, const char *words) {
        cleanup_rollout struct rollout *r = NULL;
        struct err err = {};

        if (rollout_parse(text, strlen(text), "baseline", &r, &err) >= 0)
                fail_msg("taken: %s", text);
        if (err.reason != reason)
                fail_msg("'%s': %s\n%s", reason_word(err.reason), err.msg, text);
        if (!strstr(err.msg, words))
                fail_msg("'%s' not in '%s'", words, err.msg);
        assert_null(r);
}

static void the_example(void **state) {
        cleanup_rollout struct rollout *r = parse(example);
        const struct rollout_ring *stable = rollout_ring(r, "stable"), *canary = rollout_ring(r, "canary");

        assert_string_equal(r->bundle, "baseline");
        assert_false(r->hold);
        assert_int_equal(r->n_rings, 9);
        for (size_t i = 1; i < r->n_rings; i++)
                assert_true(strcmp(r->rings[i - 1].name, r->rings[i].name) < 0);
        assert_int_equal(canary->choice.release, 42);
        assert_string_equal(canary->choice.target, B42);
        assert_true(canary->has_bake && canary->bake_s == 1800 && canary->bake_allow == 0);
        assert_false(canary->has_started || canary->has_else || canary->n_waves);
        assert_true(stable->has_started && stable->started == T0 && stable->has_else && !stable->has_bake);
        assert_int_equal(stable->n_waves, 3);
        assert_int_equal(stable->waves[1].after_s, 24 * H);
        assert_int_equal(stable->waves[1].percent, 25);
        assert_int_equal(stable->otherwise.release, 41);
        assert_null(rollout_ring(r, "nobody"));
        assert_null(rollout_ring(r, NULL));
}

static void small_documents(void **state) {
        cleanup_rollout struct rollout *none = parse(DOCUMENT("", "")), *held = parse(DOCUMENT("", ",\"hold\":true"));
        cleanup_rollout struct rollout *spaced =
                parse(" { \"format\" : 1, \"rings\":{},\n\"bundle\":\"baseline\", \"_type\":\"lsm-rollout\"}\n");

        assert_int_equal(none->n_rings, 0);
        assert_true(!none->hold && held->hold && !spaced->hold);
}

static void not_a_rollout(void **state) {
        char *big = malloc(ROLLOUT_MAX + 2);

        refused("", REASON_MALFORMED, "");
        refused("null", REASON_MALFORMED, "object");
        refused("[]", REASON_MALFORMED, "object");
        refused("{}", REASON_MALFORMED, "'_type' is missing");
        refused("{\"_type\":1}", REASON_MALFORMED, "'_type' is not a string");
        refused("{\"_type\":\"lsm-bundle\",\"format\":1}", REASON_WRONG_TYPE, "lsm-bundle");
        refused("{\"_type\":\"lsm-rollout\",\"format\":2,\"wave\":1}", REASON_UNSUPPORTED_FORMAT, "format 2");
        refused("{\"_type\":\"lsm-rollout\",\"format\":\"1\"}", REASON_MALFORMED, "'format'");
        refused("{\"_type\":\"lsm-rollout\",\"format\":0}", REASON_MALFORMED, "'format'");
        refused(DOCUMENT("", ",\"holds\":true"), REASON_MALFORMED, "'holds' is not known");
        refused(DOCUMENT("", ",\"hold\":1"), REASON_MALFORMED, "'hold'");
        refused(DOCUMENT("", ",\"hold\":null"), REASON_MALFORMED, "'hold'");
        refused(DOCUMENT("", ",\"hold\":true,\"hold\":false"), REASON_MALFORMED, "");
        refused(DOCUMENT("", "") "x", REASON_MALFORMED, "");
        refused("{\"_type\":\"lsm-rollout\",\"format\":1,\"bundle\":\"other\",\"rings\":{}}", REASON_WRONG_BUNDLE, "'other'");
        refused("{\"_type\":\"lsm-rollout\",\"format\":1,\"bundle\":\"../x\",\"rings\":{}}", REASON_MALFORMED, "bundle");
        refused("{\"_type\":\"lsm-rollout\",\"format\":1,\"bundle\":\"baseline\"}", REASON_MALFORMED, "'rings' is missing");
        refused("{\"_type\":\"lsm-rollout\",\"format\":1,\"bundle\":\"baseline\",\"rings\":[]}", REASON_MALFORMED, "'rings'");
        assert_non_null(big);
        memset(big, ' ', ROLLOUT_MAX + 1);
        big[ROLLOUT_MAX + 1] = 0;
        refused(big, REASON_TOO_LARGE, "rollout");
        free(big);
}

static void wrong_rings(void **state) {
#define REFUSED(ring, reason, words) refused(DOCUMENT(ring, ""), reason, words)
#define IN_RING(content, reason, words) REFUSED(RING("r", content), reason, words)
        REFUSED("\"Big\":{" CHOICE42 "}", REASON_MALFORMED, "name of a ring");
        REFUSED("\"\":{" CHOICE42 "}", REASON_MALFORMED, "name of a ring");
        REFUSED("\"r\":42", REASON_MALFORMED, "not an object");
        IN_RING("", REASON_MALFORMED, "'release' is missing");
        IN_RING("\"release\":42", REASON_MALFORMED, "'target' is missing");
        IN_RING("\"release\":0,\"target\":\"" B42 "\"", REASON_MALFORMED, "'release'");
        IN_RING("\"release\":-1,\"target\":\"" B42 "\"", REASON_MALFORMED, "'release'");
        IN_RING("\"release\":9007199254740992,\"target\":\"" B42 "\"", REASON_MALFORMED, "");
        IN_RING("\"release\":42.0,\"target\":\"" B42 "\"", REASON_MALFORMED, "");
        IN_RING("\"release\":\"42\",\"target\":\"" B42 "\"", REASON_MALFORMED, "'release'");
        IN_RING("\"release\":42,\"target\":\"/etc/passwd\"", REASON_UNSAFE_PATH, "'target'");
        IN_RING("\"release\":42,\"target\":\"bundles/../x\"", REASON_UNSAFE_PATH, "'target'");
        IN_RING("\"release\":42,\"target\":\"bundles/a/b\"", REASON_UNSAFE_PATH, "'target'");
        IN_RING("\"release\":42,\"target\":\"bundles/\"", REASON_UNSAFE_PATH, "'target'");
        IN_RING("\"release\":42,\"target\":\"rollouts/x.json\"", REASON_UNSAFE_PATH, "'target'");
        IN_RING(CHOICE42 ",\"bakes\":{}", REASON_MALFORMED, "'bakes' is not known");
        IN_RING(CHOICE42 ",\"bake\":\"30m\"", REASON_MALFORMED, "'bake'");
        IN_RING(CHOICE42 ",\"bake\":{}", REASON_MALFORMED, "'for' is missing");
        IN_RING(CHOICE42 ",\"bake\":{\"for\":\"0s\"}", REASON_MALFORMED, "'for'");
        IN_RING(CHOICE42 ",\"bake\":{\"for\":30}", REASON_MALFORMED, "'for'");
        IN_RING(CHOICE42 ",\"bake\":{\"for\":\"367d\"}", REASON_MALFORMED, "'for'");
        IN_RING(CHOICE42 ",\"bake\":{\"for\":\"1h\",\"allow\":-1}", REASON_MALFORMED, "'allow'");
        IN_RING(CHOICE42 ",\"bake\":{\"for\":\"1h\",\"alow\":1}", REASON_MALFORMED, "'alow' is not known");
        IN_RING(CHOICE42 ",\"started\":1795334400", REASON_MALFORMED, "'started'");
        IN_RING(CHOICE42 ",\"started\":\"2026-11-22\"", REASON_MALFORMED, "'started'");
        IN_RING(CHOICE42 "," WAVES, REASON_MALFORMED, "without 'started'");
        IN_RING(CHOICE42 "," STARTED ",\"waves\":[]", REASON_MALFORMED, "'waves'");
        IN_RING(CHOICE42 "," STARTED ",\"waves\":{}", REASON_MALFORMED, "'waves'");
        IN_RING(CHOICE42 "," STARTED ",\"waves\":[1]", REASON_MALFORMED, "'waves'");
        IN_RING(CHOICE42 "," STARTED ",\"waves\":[{\"after\":\"1h\"}]", REASON_MALFORMED, "wave 1");
        IN_RING(CHOICE42 "," STARTED ",\"waves\":[{\"after\":\"1h\",\"percent\":101}]", REASON_MALFORMED, "'percent'");
        IN_RING(CHOICE42 "," STARTED ",\"waves\":[{\"after\":\"1h\",\"percent\":-1}]", REASON_MALFORMED, "'percent'");
        IN_RING(CHOICE42 "," STARTED ",\"waves\":[{\"after\":\"1h\",\"percent\":1,\"x\":1}]", REASON_MALFORMED, "'x'");
        IN_RING(CHOICE42 "," STARTED ",\"waves\":[{\"after\":\"1h\",\"percent\":25},{\"after\":\"2h\",\"percent\":24}]",
                REASON_MALFORMED, "wave 2");
        IN_RING(CHOICE42 "," STARTED ",\"waves\":[{\"after\":\"1h\",\"percent\":25},{\"after\":\"1h\",\"percent\":26}]",
                REASON_MALFORMED, "wave 2");
        IN_RING(CHOICE42 ",\"else\":41", REASON_MALFORMED, "'else'");
        IN_RING(CHOICE42 ",\"else\":{\"release\":41}", REASON_MALFORMED, "'target'");
        IN_RING(CHOICE42 ",\"else\":{" CHOICE41 ",\"bake\":{}}", REASON_MALFORMED, "'bake' is not known");
        IN_RING(CHOICE42 ",\"else\":{\"release\":42,\"target\":\"" B41 "\"}", REASON_MALFORMED, "two targets");
        REFUSED(RING("a", CHOICE42) "," RING("b", "\"release\":42,\"target\":\"" B41 "\""), REASON_MALFORMED, "two targets");
        REFUSED(RING("a", CHOICE42) "," RING("b", "\"release\":43,\"target\":\"" B42 "\""), REASON_MALFORMED, "two one");
        REFUSED(RING("a", CHOICE42) "," RING("a", CHOICE42), REASON_MALFORMED, "");
}

static void too_many(void **state) {
        for (unsigned n = ROLLOUT_RINGS_MAX; n <= ROLLOUT_RINGS_MAX + 1; n++) {
                cleanup_rollout struct rollout *r = NULL;
                cleanup_buf struct buf b = {};

                buf_printf(&b, "{\"_type\":\"lsm-rollout\",\"format\":1,\"bundle\":\"baseline\",\"rings\":{");
                for (unsigned i = 0; i < n; i++)
                        buf_printf(&b, "%s\"r%u\":{" CHOICE42 "}", i ? "," : "", i);
                buf_printf(&b, "}}");
                if (n > ROLLOUT_RINGS_MAX)
                        refused(b.data, REASON_MALFORMED, "rings");
                else
                        r = parse(b.data);
        }
        for (unsigned n = ROLLOUT_WAVES_MAX; n <= ROLLOUT_WAVES_MAX + 1; n++) {
                cleanup_rollout struct rollout *r = NULL;
                cleanup_buf struct buf b = {};

                buf_printf(&b, "{\"_type\":\"lsm-rollout\",\"format\":1,\"bundle\":\"baseline\",\"rings\":{\"r\":{" CHOICE42
                               "," STARTED ",\"waves\":[");
                for (unsigned i = 0; i < n; i++)
                        buf_printf(&b, "%s{\"after\":\"%us\",\"percent\":%u}", i ? "," : "", i, i);
                buf_printf(&b, "]}}}");
                if (n > ROLLOUT_WAVES_MAX)
                        refused(b.data, REASON_MALFORMED, "'waves'");
                else
                        r = parse(b.data);
        }
}

static void written_and_read(void **state) {
        cleanup_rollout struct rollout *r = parse(example), *again = NULL;
        cleanup_buf struct buf a = {}, b = {};
        struct err err = {};

        assert_done(rollout_format(r, &a, &err), err);
        again = parse(a.data);
        assert_done(rollout_format(again, &b, &err), err);
        assert_string_equal(a.data, b.data);
        assert_int_equal(r->n_rings, again->n_rings);
        assert_memory_equal(r->rings, again->rings, r->n_rings * sizeof(*r->rings));
        /* What would be refused is not written. */
        r->rings[0].choice.target[0] = '/';
        b.len = 0;
        assert_true(rollout_format(r, &b, &err) < 0);
        assert_int_equal(b.len, 0);
        snprintf(again->rings[1].name, sizeof(again->rings[1].name), "%s", again->rings[0].name);
        assert_true(rollout_format(again, &b, &err) < 0);
        assert_int_equal(b.len, 0);
}

static void durations(void **state) {
        static const struct {
                const char *text;
                int64_t s;
        } good[] = {{"0s", 0}, {"1s", 1}, {"90s", 90}, {"30m", 1800}, {"24h", D}, {"3d", 3 * D}, {"366d", 366 * D}};
        static const char *const bad[] = {"",    "s",        "1",   "-1s",  "+1s",
                                          " 1s", "1 s",      "1s ", "01s",  "1ms",
                                          "1w",  "367d",     "1S",  "1.5h", "999999999999999s",
                                          "1hh", "\xc2\xb2s"};
        char text[32];
        int64_t s;

        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                assert_int_equal(rollout_duration_parse(good[i].text, &s), 0);
                assert_int_equal(s, good[i].s);
                rollout_duration_format(s, text);
                assert_int_equal(rollout_duration_parse(text, &s), 0);
                assert_int_equal(s, good[i].s);
        }
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (rollout_duration_parse(bad[i], &s) >= 0)
                        fail_msg("taken: '%s'", bad[i]);
        rollout_duration_format(5400, text);
        assert_string_equal(text, "90m");
        rollout_duration_format(0, text);
        assert_string_equal(text, "0s");
}

static void times(void **state) {
        static const char *const bad[] = {"",
                                          "2026-11-22T08:00:00",
                                          "2026-11-22T08:00:00+00:00",
                                          "2026-11-22t08:00:00Z",
                                          "2026-11-22T08:00:00z",
                                          "2026-11-22 08:00:00Z",
                                          "2026-11-22T08:00:00.0Z",
                                          "2026-13-01T00:00:00Z",
                                          "2026-00-01T00:00:00Z",
                                          "2026-06-31T00:00:00Z",
                                          "2026-02-29T00:00:00Z",
                                          "2026-01-01T24:00:00Z",
                                          "2026-01-01T00:60:00Z",
                                          "2026-01-01T00:00:60Z",
                                          "1969-12-31T23:59:59Z",
                                          "0000-01-01T00:00:00Z",
                                          "+026-01-01T00:00:00Z",
                                          "2026-1 -01T00:00:00Z"};
        char text[32];
        int64_t t;

        assert_int_equal(rollout_time_parse("2026-11-22T08:00:00Z", &t), 0);
        assert_int_equal(t, T0);
        rollout_time_format(t, text);
        assert_string_equal(text, "2026-11-22T08:00:00Z");
        assert_int_equal(rollout_time_parse("1970-01-01T00:00:00Z", &t), 0);
        assert_int_equal(t, 0);
        assert_int_equal(rollout_time_parse("9999-12-31T23:59:59Z", &t), 0);
        assert_int_equal(t, ROLLOUT_TIME_MAX);
        assert_int_equal(rollout_time_parse("2028-02-29T00:00:00Z", &t), 0);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (rollout_time_parse(bad[i], &t) >= 0)
                        fail_msg("taken: '%s'", bad[i]);
        rollout_time_format(INT64_MAX, text);
        assert_string_equal(text, "9999-12-31T23:59:59Z");
        rollout_time_format(INT64_MIN, text);
        assert_string_equal(text, "1970-01-01T00:00:00Z");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_example), cmocka_unit_test(small_documents), cmocka_unit_test(not_a_rollout),
                cmocka_unit_test(wrong_rings), cmocka_unit_test(too_many),        cmocka_unit_test(written_and_read),
                cmocka_unit_test(durations),   cmocka_unit_test(times),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
