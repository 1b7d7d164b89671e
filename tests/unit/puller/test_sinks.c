/* SPDX-License-Identifier: Apache-2.0 */
/* Sinks: whoever reads the file or the journal must be able to rely on it that everything is there, or how much is not. */
#include <endian.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "fileio.h"
#include "sandbox.h"
#include "sinks.h"

struct place {
        char dir[64], file[96], journal[96];
        int receiver; /* journald's end; -1 */
        struct sinks_spec spec;
        struct sinks_counts counts;
        struct feed *feed;
        struct sinks sinks;
};

static void place_open(struct place *p) {
        sinks_open(&p->sinks, &p->spec, p->journal, 65534, 65534, -1, -1, &p->counts);
}

/* A reporter that was killed, and the next one: nothing goes over but the counters. */
static void place_restart(struct place *p) {
        sinks_close(&p->sinks);
        feed_free(p->feed);
        p->feed = feed_new();
        assert_non_null(p->feed);
        place_open(p);
}

static int setup(void **state) {
        struct place *p = calloc(1, sizeof(*p));

        assert_non_null(p);
        *p = (struct place){.dir = "/tmp/sinks.XXXXXX", .receiver = -1, .feed = feed_new(), .sinks = SINKS_INIT};
        assert_non_null(p->feed);
        assert_non_null(mkdtemp(p->dir));
        snprintf(p->file, sizeof(p->file), "%s/log/events.json", p->dir);
        snprintf(p->journal, sizeof(p->journal), "%s/socket", p->dir);
        p->spec = (struct sinks_spec){.max_size = SINK_FILE_MIN, .keep = 3};
        *state = p;
        return 0;
}

static int teardown(void **state) {
        struct place *p = *state;
        char command[128];

        sinks_close(&p->sinks);
        feed_free(p->feed);
        close_p(&p->receiver);
        snprintf(command, sizeof(command), "rm -rf '%s'", p->dir);
        assert_int_equal(system(command), 0);
        free(p);
        return 0;
}

static void with_file(struct place *p) {
        snprintf(p->spec.file, sizeof(p->spec.file), "%s", p->file);
}

static void with_journald(struct place *p) {
        struct sockaddr_un sa = {.sun_family = AF_UNIX};

        p->spec.journald = 1;
        snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", p->journal);
        p->receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_equal(bind(p->receiver, (struct sockaddr *)&sa, sizeof(sa)), 0);
}

/* Events are told apart by their pid. */
static void add(struct place *p, uint32_t pid) {
        struct lsm_event e = {
                .abi = LSM_ABI, .count = 1, .error = EACCES, .pid = pid, .tgid = 5, .comm = "task", .object = "/etc/shadow"};

        sinks_take(&p->sinks);
        feed_add(p->feed, FEED_EVENT, 1769860800123456789LL)->event = e;
}

static void add_and_serve(struct place *p, uint32_t first, uint32_t n) {
        for (uint32_t i = 0; i < n; i++) {
                add(p, first + i);
                if (i % 256 == 255 || i + 1 == n)
                        sinks_serve(&p->sinks, p->feed);
        }
}

/* As if the time of the next attempt had come. */
static void serve_again(struct place *p) {
        for (size_t i = 0; i < SINK_KINDS; i++)
                p->sinks.sink[i].due = 0;
        sinks_serve(&p->sinks, p->feed);
}

static void counts_are(const struct place *p, enum sink_kind kind, uint64_t taken, uint64_t written, uint64_t dropped) {
        const struct sink_counts *c = &p->counts.of[kind];

        assert_int_equal(c->taken, taken);
        assert_int_equal(c->written, written);
        assert_int_equal(c->dropped, dropped);
}

/* ---- the file ------------------------------------------------------------------------------------------------------ */

struct lines {
        uint32_t first, last; /* pids; 0: none */
        size_t n, files;
        uint64_t lost; /* "lost" events say */
        size_t biggest;
};

static void line_take(struct lines *l, const char *line, size_t n) {
        cleanup_json json_t *o = NULL;
        struct err err = {0};
        uint32_t pid;

        if (json_parse(line, n, &o, &err) < 0)
                fail_msg("%s: %.*s", err.msg, (int)n, line);
        if (streq(json_string_value(json_object_get(o, "type")), "lost")) {
                l->lost += (uint64_t)json_integer_value(json_object_get(o, "count"));
                return;
        }
        pid = (uint32_t)json_integer_value(json_object_get(o, "pid"));
        if (l->n == 0)
                l->first = pid;
        else
                assert_true(pid > l->last);
        l->last = pid;
        l->n++;
}

/* All lines, oldest first, which are whole and in order. */
static struct lines read_all(const struct place *p) {
        struct lines l = {0};

        for (int i = SINK_FILE_KEEP_MAX; i >= 0; i--) {
                cleanup_buf struct buf b = {0};
                char path[128];

                snprintf(path, sizeof(path), i ? "%s.%d" : "%s", p->file, i);
                if (file_read(AT_FDCWD, path, 1 << 20, &b, NULL) < 0)
                        continue;
                l.files++;
                if (b.len > l.biggest)
                        l.biggest = b.len;
                for (size_t at = 0; at < b.len;) {
                        const char *end = memchr(b.data + at, '\n', b.len - at);

                        if (!end)
                                fail_msg("%s: a line without an end", path);
                        line_take(&l, b.data + at, (size_t)(end - b.data) - at);
                        at = (size_t)(end - b.data) + 1;
                }
        }
        return l;
}

static void test_lines_are_those_of_the_command(void **state) {
        struct place *p = *state;
        cleanup_buf struct buf got = {0}, want = {0};
        cleanup_json json_t *event = NULL;
        struct stat st;

        with_file(p);
        place_open(p);
        add_and_serve(p, 7, 1);
        event = feed_describe(p->feed, 0);
        assert_int_equal(event_json_format(event, &want), 0);
        assert_int_equal(file_read(AT_FDCWD, p->file, 1 << 20, &got, NULL), 0);
        assert_string_equal(got.data, want.data);
        counts_are(p, SINK_FILE, 1, 1, 0);
        assert_int_equal(stat(p->file, &st), 0);
        assert_int_equal(st.st_mode & 07027, 0);
}

static void test_rotation_is_bounded_and_in_order(void **state) {
        struct place *p = *state;
        struct lines l;

        with_file(p);
        place_open(p);
        add_and_serve(p, 1, 5000);
        l = read_all(p);
        counts_are(p, SINK_FILE, 5000, 5000, 0);
        assert_int_equal(l.files, 4);
        assert_true(l.biggest <= SINK_FILE_MIN);
        assert_int_equal(l.last, 5000);
        assert_int_equal(l.n, l.last - l.first + 1); /* the newest, without a hole */
        assert_true(l.n > 600);
}

static void test_the_next_reporter_goes_on(void **state) {
        struct place *p = *state;
        struct lines l;

        with_file(p);
        place_open(p);
        for (uint32_t i = 0; i < 50; i++) { /* restarts everywhere between two rotations */
                add_and_serve(p, 1 + i * 17, 17);
                place_restart(p);
        }
        l = read_all(p);
        assert_int_equal(l.n, 850);
        assert_int_equal(l.lost, 0);
        counts_are(p, SINK_FILE, 850, 850, 0);
}

static void test_killed_with_events_in_hand(void **state) {
        struct place *p = *state;
        struct lines l;

        with_file(p);
        place_open(p);
        add_and_serve(p, 1, 10);
        for (uint32_t i = 0; i < 7; i++)
                add(p, 11 + i);
        place_restart(p);
        add_and_serve(p, 18, 3);
        l = read_all(p);
        assert_int_equal(l.n, 13);
        assert_int_equal(l.lost, 7);
        counts_are(p, SINK_FILE, 20, 13, 7);
}

static void append(const char *path, const char *text, size_t n) {
        cleanup_fd int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

        assert_int_equal(write(fd, text, n), n);
}

static void test_a_torn_last_line(void **state) {
        static const char zeros[100];
        static const struct {
                const char *text;
                size_t n;
        } torn[] = {{"{", 1}, {"{\"v\":1,\"type\":\"den", 18}, {zeros, sizeof(zeros)}};
        struct place *p = *state;
        struct lines l;

        with_file(p);
        place_open(p);
        add_and_serve(p, 1, 3);
        for (uint32_t i = 0; i < ARRAY_SIZE(torn); i++) {
                append(p->file, torn[i].text, torn[i].n);
                place_restart(p);
                add_and_serve(p, 4 + i, 1);
        }
        l = read_all(p);
        assert_int_equal(l.n, 6);
}

/* A crash between two renames leaves a number out. */
static void test_a_rotation_that_was_cut_off(void **state) {
        struct place *p = *state;
        char from[128], to[128];
        struct lines l;

        with_file(p);
        place_open(p);
        add_and_serve(p, 1, 2000);
        assert_int_equal(read_all(p).files, 4);
        snprintf(from, sizeof(from), "%s.2", p->file);
        snprintf(to, sizeof(to), "%s.3", p->file);
        assert_int_equal(rename(from, to), 0);
        place_restart(p);
        l = read_all(p);
        assert_int_equal(l.files, 3);
        add_and_serve(p, 2001, 200); /* one rotation: nothing of what was there is lost */
        assert_int_equal(read_all(p).first, l.first);
        assert_int_equal(read_all(p).files, 4);
        add_and_serve(p, 2201, 4000);
        l = read_all(p);
        assert_int_equal(l.files, 4);
        assert_int_equal(l.n, l.last - l.first + 1);
        assert_int_equal(l.last, 6200);
}

static void test_fewer_are_kept_than_before(void **state) {
        struct place *p = *state;

        with_file(p);
        place_open(p);
        add_and_serve(p, 1, 2000);
        p->spec.keep = 1;
        place_restart(p);
        add_and_serve(p, 2001, 1);
        assert_int_equal(read_all(p).files, 2);
        assert_int_equal(read_all(p).last, 2001);
}

static void test_somebody_moves_the_file_away(void **state) {
        struct place *p = *state;
        char to[128];

        with_file(p);
        place_open(p);
        add_and_serve(p, 1, 3);
        snprintf(to, sizeof(to), "%s/mine", p->dir);
        assert_int_equal(rename(p->file, to), 0);
        add_and_serve(p, 4, 3);
        assert_int_equal(read_all(p).first, 4);
        assert_int_equal(read_all(p).n, 3);
}

/* What is not ours is neither cut nor followed nor opened for ever. */
static void test_other_files_in_its_place(void **state) {
        struct place *p = *state;
        cleanup_buf struct buf b = {0};
        char folder[128];

        snprintf(folder, sizeof(folder), "%s/log", p->dir);
        assert_int_equal(mkdir(folder, 0755), 0);
        with_file(p);
        append(p->file, "root:x:0:0", 10);
        place_open(p);
        add_and_serve(p, 1, 1);
        counts_are(p, SINK_FILE, 1, 0, 0);
        assert_int_equal(p->counts.of[SINK_FILE].error, EBADMSG);
        assert_int_equal(file_read(AT_FDCWD, p->file, 100, &b, NULL), 0);
        assert_string_equal(b.data, "root:x:0:0");
        assert_int_equal(unlink(p->file), 0);
        assert_int_equal(symlink("/dev/null", p->file), 0);
        serve_again(p);
        assert_int_equal(p->counts.of[SINK_FILE].error, ELOOP);
        assert_int_equal(unlink(p->file), 0);
        assert_int_equal(mkfifo(p->file, 0666), 0);
        serve_again(p);
        assert_int_equal(p->counts.of[SINK_FILE].error, EBADMSG);
        assert_int_equal(unlink(p->file), 0);
        serve_again(p);
        counts_are(p, SINK_FILE, 1, 1, 0);
        assert_int_equal(p->counts.of[SINK_FILE].error, 0);
        assert_int_equal(p->counts.of[SINK_FILE].retried, 3);
        assert_int_equal(read_all(p).n, 1);
}

static void test_a_folder_that_is_there_is_not_given_away(void **state) {
        struct place *p = *state;
        char folder[128];
        struct stat st;

        if (geteuid() != 0)
                skip();
        snprintf(folder, sizeof(folder), "%s/log", p->dir);
        with_file(p);
        place_open(p);
        assert_int_equal(stat(folder, &st), 0);
        assert_int_equal(st.st_uid, 65534); /* it has made this one */
        assert_int_equal(st.st_mode & 07777, 0750);
        assert_int_equal(chown(folder, 0, 0), 0);
        place_restart(p);
        assert_int_equal(stat(folder, &st), 0);
        assert_int_equal(st.st_uid, 0);
}

/* A disk that is full in the middle of a line: by the limit on a file's size, which cuts a write short in the same way. */
static void test_a_full_disk(void **state) {
        struct place *p = *state;
        struct rlimit before, now;
        struct lines l;

        with_file(p);
        place_open(p);
        signal(SIGXFSZ, SIG_IGN);
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        now = before;
        now.rlim_cur = 1000;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
        add_and_serve(p, 1, 10);
        l = read_all(p);
        assert_true(l.n > 0 && l.n < 10);
        counts_are(p, SINK_FILE, 10, l.n, 0);
        assert_true(p->counts.of[SINK_FILE].error != 0);
        assert_true(sinks_timeout(&p->sinks, p->feed) > 0); /* it waits, and does not spin */
        for (uint32_t i = 0; i < 2000; i++)
                add(p, 11 + i);
        serve_again(p);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        serve_again(p);
        l = read_all(p);
        assert_int_equal(l.lost, p->counts.of[SINK_FILE].dropped);
        assert_true(l.lost > 0);
        counts_are(p, SINK_FILE, 2010, 2010 - l.lost, l.lost);
        assert_int_equal(l.last, 2010);
        assert_int_equal(sinks_timeout(&p->sinks, p->feed), -1);
}

static void test_paths(void **state) {
        static const char *const good[] = {"/var/log/lsmpull/events.json", "/a/b", "/a/.b"};
        static const char *const wrong[] = {"/events.json", "events.json", "a/b", "/a/", "/a/.", "/a/..", "/", ""};
        char path[300] = "/a/";

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                assert_true(sink_file_path_valid(good[i]));
        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
                if (sink_file_path_valid(wrong[i]))
                        fail_msg("taken: %s", wrong[i]);
        memset(path + 3, 'x', 251);
        assert_true(sink_file_path_valid(path));
        path[3 + 251] = 'x'; /* there is no room for ".100" */
        assert_false(sink_file_path_valid(path));
}

/* ---- the journal --------------------------------------------------------------------------------------------------- */

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

/* ---- shared counters, and the sandbox ------------------------------------------------------------------------------ */

static void test_counters_are_shared(void **state) {
        struct sinks_counts *supervisor, *reporter;
        cleanup_json json_t *j = NULL;
        cleanup_free char *text = NULL;
        cleanup_fd int fd = sinks_counts_new(&supervisor, NULL), other = memfd_sealed("x", "y", 1, NULL);

        assert_true(fd >= 0);
        assert_int_equal(sinks_counts_map(fd, &reporter, NULL), 0);
        assert_false(sinks_counts_failing(supervisor));
        reporter->of[SINK_FILE] =
                (struct sink_counts){.taken = 9, .written = 5, .dropped = 3, .retried = 2, .error = ENOSPC, .on = 1};
        j = sinks_counts_json(supervisor);
        text = json_dumps(j, JSON_COMPACT);
        assert_string_equal(
                text, "[{\"name\":\"file\",\"written\":5,\"dropped\":3,\"retried\":2,\"error\":\"No space left on device\"}]");
        assert_true(sinks_counts_failing(supervisor));
        /* One that was taken over can write nonsense there, and nothing worse. */
        memset(reporter, 0xff, sizeof(*reporter));
        json_decref(j);
        j = sinks_counts_json(supervisor);
        assert_int_equal(json_array_size(j), SINK_KINDS);
        assert_int_equal(ftruncate(fd, 0), -1);
        assert_int_equal(sinks_counts_map(other, &reporter, NULL), -EBADMSG);
        sinks_counts_free(supervisor);
        sinks_counts_free(reporter);
}

static int outside(const char *path, int flags) {
        int fd = open(path, flags | O_CLOEXEC, 0666);

        return fd < 0 ? errno : 0;
}

/* In the reporter's sandbox sinks work, and the door is not wider than that. */
static void sandboxed(struct place *p) {
        struct sandbox_spec spec = {
                .uid = 65534, .gid = 65534, .profile = SANDBOX_REPORT, .writable_dir = p->sinks.file.dir, .max_file = 1 << 20};
        struct sandbox_report report;
        char beside[128];

        if (sandbox_enter(&spec, &report, NULL) < 0)
                _exit(10);
        add_and_serve(p, 1, 2000);
        if (p->counts.of[SINK_FILE].written != 2000 || p->counts.of[SINK_JOURNALD].written == 0)
                _exit(11);
        snprintf(beside, sizeof(beside), "%s/beside", p->dir);
        if (outside(beside, O_WRONLY | O_CREAT) != EACCES)
                _exit(12);
        if ((report.parts & SANDBOX_LANDLOCK_FILES) && outside("/etc/passwd", O_RDONLY) != EACCES)
                _exit(13);
        if (socket(AF_UNIX, SOCK_DGRAM, 0) >= 0 || errno != EPERM || socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM)
                _exit(14);
        _exit(0);
}

static void test_in_the_sandbox(void **state) {
        struct place *p = *state;
        int status;
        pid_t pid;

        if (geteuid() != 0)
                skip();
        assert_int_equal(chmod(p->dir, 0711), 0); /* made for this test's user alone */
        with_file(p);
        with_journald(p);
        assert_int_equal(chmod(p->journal, 0666), 0); /* as journald's is */
        place_open(p);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                sandboxed(p);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_int_equal(read_all(p).last, 2000);
}

int main(void) {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                CASE(test_lines_are_those_of_the_command),
                CASE(test_rotation_is_bounded_and_in_order),
                CASE(test_the_next_reporter_goes_on),
                CASE(test_killed_with_events_in_hand),
                CASE(test_a_torn_last_line),
                CASE(test_a_rotation_that_was_cut_off),
                CASE(test_fewer_are_kept_than_before),
                CASE(test_somebody_moves_the_file_away),
                CASE(test_other_files_in_its_place),
                CASE(test_a_folder_that_is_there_is_not_given_away),
                CASE(test_a_full_disk),
                cmocka_unit_test(test_paths),
                CASE(test_fields),
                cmocka_unit_test(test_priorities),
                CASE(test_hostile_texts),
                CASE(test_a_slow_journald),
                CASE(test_no_journald),
                cmocka_unit_test(test_counters_are_shared),
                CASE(test_in_the_sandbox),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
