/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of sinks: a folder with what is configured, a feed, and what reads a file of events. */
#pragma once

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

static inline void place_open(struct place *p) {
        sinks_open(&p->sinks, &p->spec, p->journal, 65534, 65534, -1, -1, &p->counts);
}

/* A reporter that was killed, and the next one: nothing goes over but the counters. */
static inline void place_restart(struct place *p) {
        sinks_close(&p->sinks);
        feed_free(p->feed);
        p->feed = feed_new();
        assert_non_null(p->feed);
        place_open(p);
}

static inline int setup(void **state) {
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

static inline int teardown(void **state) {
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

static inline void with_file(struct place *p) {
        snprintf(p->spec.file, sizeof(p->spec.file), "%s", p->file);
}

static inline void with_journald(struct place *p) {
        struct sockaddr_un sa = {.sun_family = AF_UNIX};

        p->spec.journald = 1;
        snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", p->journal);
        p->receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_equal(bind(p->receiver, (struct sockaddr *)&sa, sizeof(sa)), 0);
}

/* Events are told apart by their pid. */
static inline void add(struct place *p, uint32_t pid) {
        struct lsm_event e = {
                .abi = LSM_ABI, .count = 1, .error = EACCES, .pid = pid, .tgid = 5, .comm = "task", .object = "/etc/shadow"};

        sinks_take(&p->sinks);
        feed_add(p->feed, FEED_EVENT, 1769860800123456789LL)->event = e;
}

static inline void add_and_serve(struct place *p, uint32_t first, uint32_t n) {
        for (uint32_t i = 0; i < n; i++) {
                add(p, first + i);
                if (i % 256 == 255 || i + 1 == n)
                        sinks_serve(&p->sinks, p->feed);
        }
}

/* As if the time of the next attempt had come. */
static inline void serve_again(struct place *p) {
        for (size_t i = 0; i < SINK_KINDS; i++)
                p->sinks.sink[i].due = 0;
        sinks_serve(&p->sinks, p->feed);
}

static inline void counts_are(const struct place *p, enum sink_kind kind, uint64_t taken, uint64_t written, uint64_t dropped) {
        const struct sink_counts *c = &p->counts.of[kind];

        assert_int_equal(c->taken, taken);
        assert_int_equal(c->written, written);
        assert_int_equal(c->dropped, dropped);
}

struct lines {
        uint32_t first, last; /* pids; 0: none */
        size_t n, files;
        uint64_t lost; /* "lost" events say */
        size_t biggest;
};

static inline void line_take(struct lines *l, const char *line, size_t n) {
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
static inline struct lines read_all(const struct place *p) {
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
