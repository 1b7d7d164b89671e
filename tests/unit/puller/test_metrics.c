/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: whoever is woken by them must be woken by what is so, and a text that does not parse wakes nobody. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "fileio.h"
#include "metrics.h"
#include "rollout.h"

static const char example[] =
        "{\"format\":1,\"version\":\"0.2.0\",\"time\":1795363000,\"kernel\":\"6.12.95\",\"mode\":\"enforce\",\"mode_source\":\"\","
        "\"paused\":false,\"paused_until\":0,\"loader\":null,"
        "\"source\":{\"address\":\"https://h/r\",\"last_success\":1795362990,\"stale\":false,\"failing_since\":0,\"failures\":2,"
        "\"reason\":\"\",\"message\":\"\",\"refused_reason\":\"\",\"refused_message\":\"\","
        "\"metadata\":[{\"role\":\"root\",\"version\":3,\"expires\":1826899000},"
        "{\"role\":\"timestamp\",\"version\":812,\"expires\":1795449000}]},"
        "\"bundles\":["
        "{\"name\":\"baseline\",\"state\":\"enforcing\","
        "\"in_force\":{\"release\":41,\"version\":\"1.3.2\",\"content\":\"0123456789abcdef\",\"since\":1795360000},"
        "\"previous\":null,\"staged\":{\"release\":42,\"version\":\"1.4.0\",\"content\":\"ff\",\"since\":1},\"step\":\"none\","
        "\"left\":null,\"gate\":{\"slot\":1,\"pending\":false,\"sequence\":4,\"misses\":0,\"expiries\":3},"
        "\"missing_hooks\":[\"file_open\",\"capable\"],"
        "\"policies\":[{\"name\":\"shadow\",\"mode\":\"audit\",\"signed_mode\":\"enforce\",\"hooks\":[\"file_open\"],\"denied\":17,\"would_deny\":2,"
        "\"events_lost\":5,\"events_folded\":6,\"errors\":1},{\"name\":\"raw\",\"mode\":\"enforce (plain: cannot be audited)\",\"signed_mode\":\"enforce\",\"denied\":0,\"would_deny\":0,\"events_lost\":0,\"errors\":0},"
        "{\"name\":\"rules\",\"mode\":\"enforce\",\"signed_mode\":\"enforce\",\"written\":["
        "{\"name\":\"keys\",\"mode\":\"audit\",\"signed_mode\":\"audit\"},"
        "{\"name\":\"paths\",\"mode\":\"enforce\",\"signed_mode\":\"enforce\"}],"
        "\"denied\":0,\"would_deny\":0,\"events_lost\":0,\"errors\":0}],"
        "\"rollout\":{\"ring\":\"canary\",\"why\":\"baking\",\"release\":42,\"sentence\":\"...\","
        "\"bake\":{\"release\":42,\"seconds\":600,\"for\":1800,\"would_deny\":3,\"allow\":10}}},"
        "{\"name\":\"web\",\"state\":\"none\",\"in_force\":null,\"staged\":null,\"gate\":null,\"policies\":[]}],"
        "\"quarantine\":["
        "{\"bundle\":\"baseline\",\"release\":40,\"content\":\"a\",\"reason\":\"health-failed\",\"holds_here\":true},"
        "{\"bundle\":\"baseline\",\"release\":39,\"content\":\"b\",\"reason\":\"health-failed\",\"holds_here\":true},"
        "{\"bundle\":\"baseline\",\"release\":38,\"content\":\"c\",\"reason\":\"health-failed\",\"holds_here\":false},"
        "{\"bundle\":\"web\",\"release\":1,\"content\":\"d\",\"reason\":\"operator\",\"holds_here\":true}],"
        "\"sinks\":[{\"name\":\"file\",\"written\":900,\"dropped\":7,\"retried\":3,\"error\":\"No space left on device\"},"
        "{\"name\":\"journald\",\"written\":907,\"dropped\":0,\"retried\":0,\"error\":\"\"}]}";

static void make(const char *status, const struct metrics_counts *counts, struct metrics *ret) {
        static const struct metrics_counts none;
        struct err err = {0};
        json_t *j = NULL;

        if (json_parse(status, strlen(status), &j, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(metrics_read(j, counts ? counts : &none, ret, &err), 0);
}

static void lines_are(const struct buf *out, const char *const *lines) {
        for (size_t i = 0; lines[i]; i++) {
                char line[512];

                snprintf(line, sizeof(line), "\n%s\n", lines[i]);
                if (!strstr(out->data, line))
                        fail_msg("not there: %s\n%s", lines[i], out->data);
        }
}

/* Each family once, its samples below it and nowhere else, each series once, each line a form that the format knows. */
static void well_formed(const struct buf *out) {
        cleanup_free char *copy = strdup(out->data), *series = calloc(1, out->len + 2);
        char family[128] = "";

        assert_non_null(copy);
        assert_non_null(series);
        series[0] = '\n';
        assert_int_equal(out->data[out->len - 1], '\n');
        for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n")) {
                char name[128], key[600], *end = strrchr(line, ' ');

                if (sscanf(line, "# HELP %127s", name) == 1) {
                        snprintf(key, sizeof(key), "\n# HELP %s ", name);
                        assert_null(strstr(strstr(out->data, line) + 1, key));
                        snprintf(family, sizeof(family), "%s", name);
                        continue;
                }
                if (sscanf(line, "# TYPE %127s", name) == 1) {
                        assert_string_equal(name, family);
                        continue;
                }
                assert_int_equal(strcspn(line, "{ "), strlen(family));
                assert_int_equal(strncmp(line, family, strlen(family)), 0);
                assert_non_null(end);
                assert_int_equal(strspn(end + 1, "0123456789."), strlen(end + 1));
                *end = '\0';
                snprintf(key, sizeof(key), "\n%.500s\n", line);
                if (strstr(series, key))
                        fail_msg("twice: %s", line);
                strcat(series, key + 1);
        }
}

static void the_example(void **state) {
        static const char *const lines[] = {
                "lsmpull_build_info{kernel=\"6.12.95\",version=\"0.2.0\"} 1",
                "# TYPE lsmpull_build_info gauge",
                "lsmpull_written_timestamp_seconds 1795363000",
                "lsmpull_mode{mode=\"enforce\"} 1",
                "lsmpull_mode{mode=\"off\"} 0",
                "lsmpull_paused 0",
                "lsmpull_source_last_success_timestamp_seconds 1795362990",
                "lsmpull_source_stale 0",
                "lsmpull_source_failures 2",
                "# TYPE lsmpull_metadata_expires_timestamp_seconds gauge",
                "lsmpull_metadata_expires_timestamp_seconds{role=\"root\"} 1826899000",
                "lsmpull_metadata_expires_timestamp_seconds{role=\"timestamp\"} 1795449000",
                "lsmpull_polls_total{result=\"ok\"} 2",
                "lsmpull_refusals_total{reason=\"quarantined\"} 1",
                "lsmpull_polls_total{result=\"failed\"} 3",
                "# TYPE lsmpull_refusals_total counter",
                "lsmpull_refusals_total{reason=\"bad-signature\"} 2",
                "lsmpull_refusals_total{reason=\"bake-failed\"} 1",
                "lsmpull_refusals_total{reason=\"expired\"} 0",
                "lsmpull_quarantined_releases{bundle=\"baseline\",reason=\"health-failed\"} 2",
                "lsmpull_quarantined_releases{bundle=\"web\",reason=\"operator\"} 1",
                "lsmpull_sink_events_total{result=\"written\",sink=\"file\"} 900",
                "lsmpull_sink_events_total{result=\"dropped\",sink=\"file\"} 7",
                "lsmpull_sink_retries_total{sink=\"file\"} 3",
                "lsmpull_sink_failing{sink=\"file\"} 1",
                "lsmpull_sink_failing{sink=\"journald\"} 0",
                "lsmpull_bundle_state{bundle=\"baseline\",state=\"enforcing\"} 1",
                "lsmpull_bundle_state{bundle=\"baseline\",state=\"none\"} 0",
                "lsmpull_bundle_state{bundle=\"web\",state=\"none\"} 1",
                "lsmpull_bundle_info{bundle=\"baseline\",content=\"0123456789ab\",version=\"1.3.2\"} 1",
                "lsmpull_bundle_release{bundle=\"baseline\"} 41",
                "lsmpull_bundle_release{bundle=\"web\"} 0",
                "lsmpull_bundle_confirmed_timestamp_seconds{bundle=\"baseline\"} 1795360000",
                "lsmpull_bundle_staged_release{bundle=\"baseline\"} 42",
                "lsmpull_missing_hooks{bundle=\"baseline\"} 2",
                "lsmpull_gate_expiries_total{bundle=\"baseline\"} 3",
                "lsmpull_gate_misses_total{bundle=\"baseline\"} 0",
                "lsmpull_policy_mode{bundle=\"baseline\",mode=\"audit\",policy=\"shadow\",signed=\"enforce\"} 1",
                "lsmpull_policy_mode{bundle=\"baseline\",mode=\"enforce\",policy=\"raw\",signed=\"enforce\"} 1",
                "lsmpull_policy_mode{bundle=\"baseline\",mode=\"audit\",policy=\"keys\",signed=\"audit\"} 1",
                "lsmpull_policy_mode{bundle=\"baseline\",mode=\"enforce\",policy=\"paths\",signed=\"enforce\"} 1",
                "lsmpull_denials_total{bundle=\"baseline\",policy=\"shadow\"} 17",
                "lsmpull_denials_total{bundle=\"baseline\",policy=\"raw\"} 0",
                "lsmpull_would_be_denials_total{bundle=\"baseline\",policy=\"shadow\"} 2",
                "lsmpull_undecided_total{bundle=\"baseline\",policy=\"shadow\"} 1",
                "lsmpull_events_dropped_total{bundle=\"baseline\",policy=\"shadow\"} 5",
                "lsmpull_events_folded_total{bundle=\"baseline\",policy=\"shadow\"} 6",
                "lsmpull_map_entries{bundle=\"baseline\",map=\"seen\"} 90",
                "lsmpull_map_max_entries{bundle=\"baseline\",map=\"seen\"} 100",
                "lsmpull_hook_free_program_slots{hook=\"file_open\"} 33",
                "lsmpull_swaps_total{bundle=\"baseline\",result=\"confirmed\"} 4",
                "lsmpull_swaps_total{bundle=\"baseline\",result=\"failed\"} 1",
                "lsmpull_swap_duration_seconds{bundle=\"baseline\",phase=\"load\"} 0.350000000",
                "lsmpull_swap_duration_seconds{bundle=\"baseline\",phase=\"confirmed\"} 12.000000001",
                "lsmpull_rollout_info{bundle=\"baseline\",ring=\"canary\"} 1",
                "lsmpull_rollout_state{bundle=\"baseline\",state=\"baking\"} 1",
                "lsmpull_rollout_state{bundle=\"baseline\",state=\"held\"} 0",
                "lsmpull_rollout_release{bundle=\"baseline\"} 42",
                "lsmpull_bake_release{bundle=\"baseline\"} 42",
                "lsmpull_bake_seconds{bundle=\"baseline\"} 600",
                "lsmpull_bake_wanted_seconds{bundle=\"baseline\"} 1800",
                "lsmpull_bake_would_be_denials{bundle=\"baseline\"} 3",
                "lsmpull_bake_allowed{bundle=\"baseline\"} 10",
                NULL,
        };
        struct metrics_counts counts = {0};
        cleanup_metrics struct metrics m = {0};
        cleanup_buf struct buf out = {0};

        metrics_count_poll(&counts, false, REASON_NONE);
        metrics_count_poll(&counts, false, REASON_QUARANTINED); /* the source is well */
        metrics_count_poll(&counts, true, REASON_BAD_SIGNATURE);
        metrics_count_poll(&counts, true, REASON_BAD_SIGNATURE);
        metrics_count_poll(&counts, true, REASON_NONE); /* the network */
        metrics_count_refusal(&counts, REASON_BAKE_FAILED);
        metrics_count_refusal(&counts, REASON_COUNT);
        make(example, &counts, &m);
        m.bundles[0].swaps = (struct swap_times){4, 1, .load_ns = 350000000, .confirmed_ns = 12000000001};
        m.bundles[0].maps = calloc(1, sizeof(*m.bundles[0].maps));
        m.bundles[0].maps[m.bundles[0].n_maps++] = (struct metrics_map){"seen", 90, 100};
        m.hooks = calloc(1, sizeof(*m.hooks));
        m.hooks[m.n_hooks++] = (struct metrics_hook){"file_open", 33};
        assert_int_equal(metrics_format(&m, &out), 0);
        lines_are(&out, lines);
        well_formed(&out);
        /* what is not so, or not known, has no series */
        assert_null(strstr(out.data, "rollout_release{bundle=\"web\"}"));
        assert_null(strstr(out.data, "bundle_info{bundle=\"web\""));
        assert_null(strstr(out.data, "phase=\"enforced\""));
        assert_null(strstr(out.data, "reason=\"busy\""));
        assert_null(strstr(out.data, "reason=\"\""));
}

/* One state, and one alone, is 1. */
static void states_exclude_each_other(void **state) {
        static const char *const words[] = {"enforcing", "audit", "trial", "incomplete", "unmanaged", "off", "none"};

        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                cleanup_metrics struct metrics m = {0};
                cleanup_buf struct buf out = {0};
                size_t ones = 0, all = 0;
                char status[256], is[128];

                snprintf(status, sizeof(status), "{\"bundles\":[{\"name\":\"b\",\"state\":\"%s\"}]}", words[i]);
                make(status, NULL, &m);
                assert_int_equal(metrics_format(&m, &out), 0);
                snprintf(is, sizeof(is), "lsmpull_bundle_state{bundle=\"b\",state=\"%s\"} 1\n", words[i]);
                assert_non_null(strstr(out.data, is));
                for (const char *p = out.data; (p = strstr(p, "\nlsmpull_bundle_state{")); p++) {
                        all++;
                        ones += strncmp(strchr(p, '}'), "} 1\n", 4) == 0;
                }
                assert_int_equal(all, ARRAY_SIZE(words));
                assert_int_equal(ones, 1);
        }
        for (int i = 0; i < ROLLOUT_WHY_COUNT; i++) {
                cleanup_metrics struct metrics m = {0};
                cleanup_buf struct buf out = {0};
                char status[256], is[128];

                snprintf(status, sizeof(status), "{\"bundles\":[{\"name\":\"b\",\"rollout\":{\"ring\":\"r\",\"why\":\"%s\"}}]}",
                         rollout_why_word(i));
                make(status, NULL, &m);
                assert_int_equal(metrics_format(&m, &out), 0);
                snprintf(is, sizeof(is), "lsmpull_rollout_state{bundle=\"b\",state=\"%s\"} 1\n", rollout_why_word(i));
                assert_non_null(strstr(out.data, is));
        }
}

/* A status document from another version, or a damaged one, costs figures and no more. */
static void odd_documents(void **state) {
        static const char *const odd[] = {
                "{}",
                "[]",
                "{\"bundles\":{}}",
                "{\"bundles\":[1,null,\"x\",[]]}",
                "{\"bundles\":[{\"name\":7,\"policies\":[3],\"rollout\":[],\"in_force\":\"x\",\"gate\":[]}]}",
                "{\"source\":{},\"quarantine\":[5,{}],\"version\":5,\"time\":-7}",
                "{\"bundles\":[{\"rollout\":{\"ring\":\"r\",\"bake\":{}}}]}",
                "{\"bundles\":[{\"name\":\"a\",\"in_force\":{\"release\":-1}}]}",
        };

        for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
                cleanup_metrics struct metrics m = {0};
                cleanup_buf struct buf out = {0};

                make(odd[i], NULL, &m);
                assert_int_equal(metrics_format(&m, &out), 0);
                assert_non_null(strstr(out.data, "lsmpull_written_timestamp_seconds 0\n"));
        }
}

/* Nothing in a name can end a label, a line or the text. */
static void hostile_names(void **state) {
        static const char *const names[] = {"a\"} 1\nx{y=\"", "back\\slash", "nul\x01\x7f", "\xff\xfe", "\xc3\xb6", "new\nline"};
        static const char *const shown[] = {"a\\\"} 1\\nx{y=\\\"", "back\\\\slash", "nul??", "??", "\xc3\xb6", "new\\nline"};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct metrics_policy policy = {.name = names[i], .denied = 9};
                struct metrics_bundle bundle = {.name = "b", .state = "audit", .policies = &policy, .n_policies = 1};
                struct metrics m = {.version = names[i], .kernel = "", .mode = names[i], .bundles = &bundle, .n_bundles = 1};
                cleanup_buf struct buf out = {0};
                char want[256];

                assert_int_equal(metrics_format(&m, &out), 0);
                snprintf(want, sizeof(want), "\nlsmpull_denials_total{bundle=\"b\",policy=\"%s\"} 9\n", shown[i]);
                if (!strstr(out.data, want))
                        fail_msg("%s not in\n%s", want, out.data);
                well_formed(&out);
        }
}

/* How many series there are does not depend on how much happens. */
static void as_many_series(void **state) {
        struct metrics_counts many = {.polls_ok = UINT64_MAX, .polls_failed = 7};
        cleanup_metrics struct metrics a = {0}, b = {0};
        cleanup_buf struct buf x = {0}, y = {0};
        size_t n = 0, k = 0;

        memset(many.refused, 0xff, sizeof(many.refused));
        make(example, NULL, &a);
        make(example, &many, &b);
        b.bundles[0].policies[0].denied = UINT64_MAX;
        assert_int_equal(metrics_format(&a, &x), 0);
        assert_int_equal(metrics_format(&b, &y), 0);
        for (size_t i = 0; i < x.len; i++)
                n += x.data[i] == '\n';
        for (size_t i = 0; i < y.len; i++)
                k += y.data[i] == '\n';
        assert_int_equal(n, k);
        assert_non_null(strstr(y.data, "policy=\"shadow\"} 18446744073709551615\n"));
}

static void the_file(void **state) {
        char dir[] = "/tmp/lsm-metrics.XXXXXX", path[64];
        struct config config = {.metrics_file = path};
        struct node node = {.config = &config};
        struct metrics_counts counts = {0};
        cleanup_buf struct buf b = {0};
        struct err err = {0};
        struct stat st;

        assert_non_null(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/lsmpull.prom", dir);
        assert_int_equal(metrics_write(&node, json_object(), &counts, &err), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0644);
        /* a link there is replaced, not followed */
        assert_int_equal(unlink(path), 0);
        assert_int_equal(symlink("/nowhere/else", path), 0);
        assert_int_equal(metrics_write(&node, json_object(), &counts, &err), 0);
        assert_int_equal(lstat(path, &st), 0);
        assert_true(S_ISREG(st.st_mode));
        assert_int_equal(file_read(AT_FDCWD, path, 1 << 20, &b, &err), 0);
        assert_non_null(strstr(b.data, "lsmpull_build_info"));
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(dir), 0); /* nothing else was left there */
        assert_true(metrics_write(&node, json_object(), &counts, &err) < 0);
        assert_non_null(strstr(err.msg, path));
        config.metrics_file = NULL;
        assert_int_equal(metrics_write(&node, json_object(), &counts, &err), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_example),    cmocka_unit_test(states_exclude_each_other),
                cmocka_unit_test(odd_documents),  cmocka_unit_test(hostile_names),
                cmocka_unit_test(as_many_series), cmocka_unit_test(the_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
