/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: every event is an entry, whatever its texts are, and a journald that is slow or not there holds up nothing. */
#include "sinks_place.h"

/* One entry, read as journald reads it: 1, and its field NAME in ret; 0: there is none. */
static int entry_take(int fd, const char *name, char *ret, size_t size) {
        static char packet[65536];
        ssize_t n = recv(fd, packet, sizeof(packet), 0);

        if (n < 0)
                return 0;
        ret[0] = '\0';
        for (char *p = packet, *end = packet + n; p < end;) {
                char *line = memchr(p, '\n', (size_t)(end - p)), *equals;
                char *value;
                size_t len, n_name;

                assert_non_null(line);
                equals = memchr(p, '=', (size_t)(line - p));
                if (equals) {
                        value = equals + 1;
                        len = (size_t)(line - value);
                        n_name = (size_t)(equals - p);
                        line = line + 1;
                } else {
                        uint64_t said;

                        assert_true(end - line > 8);
                        memcpy(&said, line + 1, 8);
                        len = le64toh(said);
                        value = line + 9;
                        n_name = (size_t)(line - p);
                        assert_true(len < (size_t)(end - value));
                        assert_int_equal(value[len], '\n');
                        line = value + len + 1;
                }
                if (n_name == strlen(name) && memcmp(p, name, n_name) == 0)
                        snprintf(ret, size, "%.*s", (int)len, value);
                p = line;
        }
        return 1;
}

static void test_fields(void **state) {
        static const struct {
                const char *name, *want;
        } fields[] = {{"MESSAGE", "denied  #0/#0 release 0  task[5] uid 0  #0 /etc/shadow  EACCES"},
                      {"MESSAGE_ID", SINK_JOURNAL_MESSAGE_ID},
                      {"PRIORITY", "4"},
                      {"SYSLOG_IDENTIFIER", "lsmpull"},
                      {"LSMPULL_V", "1"},
                      {"LSMPULL_TYPE", "denied"},
                      {"LSMPULL_TIME", "2026-01-31T12:00:00.123456Z"},
                      {"LSMPULL_MODE", "enforce"},
                      {"LSMPULL_PID", "9"},
                      {"LSMPULL_TGID", "5"},
                      {"LSMPULL_COMM", "task"},
                      {"LSMPULL_OBJECT", "/etc/shadow"}};
        struct place *p = *state;
        char got[1024];

        with_journald(p);
        place_open(p);
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                add_and_serve(p, 9, 1);
                assert_int_equal(entry_take(p->receiver, fields[i].name, got, sizeof(got)), 1);
                assert_string_equal(got, fields[i].want);
        }
        counts_are(p, SINK_JOURNALD, ARRAY_SIZE(fields), ARRAY_SIZE(fields), 0);
}

static void priority_is(const char *json, const char *want) {
        cleanup_json json_t *event = NULL;
        cleanup_buf struct buf b = {0};
        char line[32];

        assert_int_equal(json_parse(json, strlen(json), &event, NULL), 0);
        assert_int_equal(sink_journal_format(event, &b), 0);
        snprintf(line, sizeof(line), "\nPRIORITY=%s\n", want);
        assert_non_null(memmem(b.data, b.len, line, strlen(line)));
}

static void test_priorities(void **state) {
        priority_is("{\"v\":1,\"type\":\"denied\",\"mode\":\"enforce\"}", "4");
        priority_is("{\"v\":1,\"type\":\"would-deny\",\"mode\":\"audit\"}", "5");
        priority_is("{\"v\":1,\"type\":\"would-deny\",\"mode\":\"shadow\"}", "6");
        priority_is("{\"v\":1,\"type\":\"swap\",\"state\":\"confirmed\"}", "6");
        priority_is("{\"v\":1,\"type\":\"swap\",\"state\":\"rolled-back\"}", "4");
        priority_is("{\"v\":1,\"type\":\"swap\",\"state\":\"failed\"}", "4");
        priority_is("{\"v\":1,\"type\":\"lost\",\"count\":3}", "4");
}

/* Whatever a task calls itself, the entry has our fields and no others, and every line of the file is one object. */
static void test_hostile_texts(void **state) {
        static const char *const texts[] = {"\nPRIORITY=0\nMESSAGE=all is well\n",
                                            "\xff\xfe\x80",
                                            "\"}\n{\"v\":1",
                                            "\x1b[2J\x1b[31m",
                                            "\\n\\u0000\\",
                                            "=\n=\n",
                                            "\xe2\x80\xae"
                                            "cod",
                                            "\r\n\t\b\x7f"};
        struct place *p = *state;
        char got[4096];

        with_file(p);
        with_journald(p);
        place_open(p);
        for (size_t i = 0; i < ARRAY_SIZE(texts) + 1; i++) {
                struct lsm_event e = {.abi = LSM_ABI, .count = 1, .mode = LSM_MODE_AUDIT, .error = 4095, .pid = (uint32_t)i + 1};

                if (i < ARRAY_SIZE(texts)) {
                        memcpy(e.comm, texts[i], strnlen(texts[i], sizeof(e.comm)));
                        memcpy(e.object, texts[i], strnlen(texts[i], sizeof(e.object)));
                        memcpy(e.why, texts[i], strnlen(texts[i], sizeof(e.why)));
                } else { /* no end, and each character the longest when it is escaped */
                        memset(e.comm, '\n', sizeof(e.comm));
                        memset(e.object, '\n', sizeof(e.object));
                        memset(e.why, '\n', sizeof(e.why));
                }
                sinks_take(&p->sinks);
                feed_add(p->feed, FEED_EVENT, 1)->event = e;
                sinks_serve(&p->sinks, p->feed);
                assert_int_equal(entry_take(p->receiver, "PRIORITY", got, sizeof(got)), 1);
                assert_string_equal(got, "5");
                add_and_serve(p, 1000, 0);
        }
        assert_int_equal(read_all(p).n, ARRAY_SIZE(texts) + 1);
        counts_are(p, SINK_JOURNALD, ARRAY_SIZE(texts) + 1, ARRAY_SIZE(texts) + 1, 0);
}

/* A journald that does not read: the file gets everything at once, and what the journal misses is told, to the number. */
static void test_a_slow_journald(void **state) {
        struct place *p = *state;
        uint64_t got = 0, lost = 0;
        char text[64];

        with_file(p);
        with_journald(p);
        place_open(p);
        add_and_serve(p, 1, 5000);
        counts_are(p, SINK_FILE, 5000, 5000, 0);
        assert_true(p->counts.of[SINK_JOURNALD].written < 5000);
        assert_true(p->counts.of[SINK_JOURNALD].retried > 0);
        for (int turn = 0; turn < 5000; turn++) {
                while (entry_take(p->receiver, "LSMPULL_COUNT", text, sizeof(text))) {
                        if (text[0])
                                lost += strtoull(text, NULL, 10);
                        else
                                got++;
                }
                if (got + lost == 5000)
                        break;
                serve_again(p);
        }
        assert_true(lost > 0);
        assert_int_equal(got + lost, 5000);
        counts_are(p, SINK_JOURNALD, 5000, got, lost);
}

static void test_no_journald(void **state) {
        struct place *p = *state;
        char text[64];

        snprintf(p->journal, sizeof(p->journal), "%s/socket", p->dir);
        p->spec.journald = 1;
        place_open(p);
        add_and_serve(p, 1, 2);
        counts_are(p, SINK_JOURNALD, 2, 0, 0);
        assert_int_equal(p->counts.of[SINK_JOURNALD].error, ENOENT);
        with_journald(p);
        serve_again(p);
        counts_are(p, SINK_JOURNALD, 2, 2, 0);
        assert_int_equal(p->counts.of[SINK_JOURNALD].error, 0);
        assert_int_equal(entry_take(p->receiver, "LSMPULL_PID", text, sizeof(text)), 1);
        assert_string_equal(text, "1");
        /* journald is started again, and makes its socket anew. */
        close(p->receiver);
        add_and_serve(p, 3, 1);
        assert_int_equal(p->counts.of[SINK_JOURNALD].error, ECONNREFUSED);
        assert_int_equal(unlink(p->journal), 0);
        with_journald(p);
        serve_again(p);
        counts_are(p, SINK_JOURNALD, 3, 3, 0);
}

int main(void) {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                CASE(test_fields),      cmocka_unit_test(test_priorities), CASE(test_hostile_texts), CASE(test_a_slow_journald),
                CASE(test_no_journald),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
