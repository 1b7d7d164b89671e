/* SPDX-License-Identifier: Apache-2.0 */
/* What receivers are sent: bodies, compared as JSON with those that their documentation shows. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sender_format.h"

static const char lines[] =
        "{\"v\":1,\"type\":\"denied\",\"time\":\"2026-11-22T15:53:34.357472Z\",\"policy\":\"p\",\"pid\":188,\"object\":\"/etc/a b\"}\n"
        "{\"v\":1,\"type\":\"lost\",\"count\":7}\n"
        "not JSON\n"
        "[1]\n"
        "{\"v\":1,\"type\":\"denied\",\"time\":\"yesterday\",\"pid\":189}\n"
        "{\"v\":1,\"type\":\"den"; /* no newline: not a line */
static const char *const labels[] = {"env=prod", NULL};
static const struct sender_about about = {.host = "n1", .labels = labels, .now_ns = 1700000000123456789LL};

static void body(enum sender_format format, struct buf *out) {
        assert_int_equal(sender_body(format, &about, lines, strlen(lines), out), 0);
}

static void same(const char *got, size_t n, const char *want) {
        cleanup_json json_t *a = json_loadb(got, n, 0, NULL), *b = json_loads(want, 0, NULL);

        assert_non_null(b);
        if (!a || !json_equal(a, b))
                fail_msg("got  %.*s\nwant %s", (int)n, got, want);
}

static void loki(void **state) {
        cleanup_buf struct buf b = {0};

        body(SENDER_LOKI, &b);
        same(b.data, b.len,
             "{\"streams\":[{\"stream\":{\"job\":\"lsmpull\",\"host\":\"n1\",\"type\":\"denied\",\"env\":\"prod\"},\"values\":["
             "[\"1795362814357472000\",\"{\\\"v\\\":1,\\\"type\\\":\\\"denied\\\",\\\"time\\\":\\\"2026-11-22T15:53:34.357472Z\\\","
             "\\\"policy\\\":\\\"p\\\",\\\"pid\\\":188,\\\"object\\\":\\\"/etc/a b\\\"}\"],"
             "[\"1700000000123456789\",\"{\\\"v\\\":1,\\\"type\\\":\\\"denied\\\",\\\"time\\\":\\\"yesterday\\\",\\\"pid\\\":189}\"]]},"
             "{\"stream\":{\"job\":\"lsmpull\",\"host\":\"n1\",\"type\":\"lost\",\"env\":\"prod\"},\"values\":["
             "[\"1700000000123456789\",\"{\\\"v\\\":1,\\\"type\\\":\\\"lost\\\",\\\"count\\\":7}\"]]}]}");
}

static void splunk(void **state) {
        static const char *const want[] = {
                "{\"time\":1795362814.357472,\"host\":\"n1\",\"source\":\"lsmpull\",\"sourcetype\":\"lsmpull:event\",\"fields\":{\"env\":"
                "\"prod\"},\"event\":{\"v\":1,\"type\":\"denied\",\"time\":\"2026-11-22T15:53:34.357472Z\",\"policy\":\"p\",\"pid\":188,"
                "\"object\":\"/etc/a b\"}}",
                "{\"time\":1700000000.123456,\"host\":\"n1\",\"source\":\"lsmpull\",\"sourcetype\":\"lsmpull:event\",\"fields\":{\"env\":"
                "\"prod\"},\"event\":{\"v\":1,\"type\":\"lost\",\"count\":7}}",
                "{\"time\":1700000000.123456,\"host\":\"n1\",\"source\":\"lsmpull\",\"sourcetype\":\"lsmpull:event\",\"fields\":{\"env\":"
                "\"prod\"},\"event\":{\"v\":1,\"type\":\"denied\",\"time\":\"yesterday\",\"pid\":189}}",
        };
        cleanup_buf struct buf b = {0};
        const char *p;

        body(SENDER_SPLUNK, &b);
        p = b.data;
        for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
                const char *newline = strchr(p, '\n');

                assert_non_null(newline);
                same(p, (size_t)(newline - p), want[i]);
                p = newline + 1;
        }
        assert_ptr_equal(p, b.data + b.len);
        assert_memory_equal(b.data, "{\"time\":1795362814.357472,", 26); /* the very digits */
}

static void otlp(void **state) {
        cleanup_buf struct buf b = {0};
        cleanup_json json_t *j = NULL;
        const json_t *resource, *scope, *records;

        body(SENDER_OTLP, &b);
        j = json_loadb(b.data, b.len, 0, NULL);
        resource = json_array_get(json_object_get(j, "resourceLogs"), 0);
        scope = json_array_get(json_object_get(resource, "scopeLogs"), 0);
        records = json_object_get(scope, "logRecords");
        assert_int_equal(json_array_size(records), 3);
        {
                cleanup_free char *text = json_dumps(json_object_get(resource, "resource"), 0);

                same(text, strlen(text),
                     "{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"lsmpull\"}},{\"key\":\"host.name\",\"value\":{"
                     "\"stringValue\":\"n1\"}},{\"key\":\"env\",\"value\":{\"stringValue\":\"prod\"}}]}");
        }
        {
                cleanup_free char *text = json_dumps(json_array_get(records, 1), 0);

                same(text, strlen(text),
                     "{\"timeUnixNano\":\"1700000000123456789\",\"observedTimeUnixNano\":\"1700000000123456789\",\"severityNumber\":13,"
                     "\"severityText\":\"WARN\",\"body\":{\"stringValue\":\"lost  7 events: this reader was too slow\"},"
                     "\"attributes\":[{\"key\":\"lsmpull.v\",\"value\":{\"intValue\":\"1\"}},{\"key\":\"lsmpull.type\",\"value\":{"
                     "\"stringValue\":\"lost\"}},{\"key\":\"lsmpull.count\",\"value\":{\"intValue\":\"7\"}}]}");
        }
}

static void nothing(void **state) {
        for (int f = 0; f < SENDER_FORMATS; f++) {
                cleanup_buf struct buf b = {0};

                assert_int_equal(sender_body((enum sender_format)f, &about, "x\n", 2, &b), 0);
                assert_null(b.len > 0 ? strstr(b.data, "x") : NULL);
        }
}

static void rejected(void **state) {
        static const struct {
                const char *answer;
                uint64_t n;
        } cases[] = {
                {"{\"partialSuccess\":{\"rejectedLogRecords\":\"7\",\"errorMessage\":\"x\"}}", 7},
                {"{\"partialSuccess\":{\"rejectedLogRecords\":3}}", 3},
                {"{\"partialSuccess\":{\"rejectedLogRecords\":\"-3\"}}", 0},
                {"{\"partialSuccess\":{}}", 0},
                {"{\"partialSuccess\":7}", 0},
                {"{}", 0},
                {"[]", 0},
                {"", 0},
                {"{\"partialSuccess\":", 0},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                assert_int_equal(sender_rejected(SENDER_OTLP, cases[i].answer, strlen(cases[i].answer)), cases[i].n);
        assert_int_equal(sender_rejected(SENDER_LOKI, cases[0].answer, strlen(cases[0].answer)), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(loki),    cmocka_unit_test(splunk),   cmocka_unit_test(otlp),
                cmocka_unit_test(nothing), cmocka_unit_test(rejected),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
