/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks.h"

#include <stdio.h>
#include <string.h>

#include "wait.h"

#define MS 1000000LL
#define BUSY_NS (50 * MS)     /* a receiver that has enough to do */
#define FAILED_NS (1000 * MS) /* one that is not there, a full disk */

bool sinks_spec_any(const struct sinks_spec *spec) {
        return spec->file[0] || spec->journald;
}

/* ---- opening ------------------------------------------------------------------------------------------------------- */

static void said(enum sink_kind kind, struct sink *s, int error, const char *message) {
        s->counts->error = (uint32_t)error;
        if (error != s->said)
                fprintf(stderr, "events.%s: %s\n", sink_name(kind), message);
        s->said = error;
}

static void switch_on(struct sink *s, struct sink_counts *counts) {
        uint64_t left;

        *s = (struct sink){.counts = counts, .on = true};
        /* The reporter before this one was killed with events that it had not written. */
        left = counts->taken - counts->written - counts->dropped;
        if (left > JSON_INT_MAX) /* nonsense, from one that was taken over */
                left = 0;
        counts->dropped += left;
        counts->error = 0;
        counts->on = true;
        s->owed = left;
}

void sinks_open(struct sinks *s, const struct sinks_spec *spec, const char *journal, uid_t uid, gid_t gid,
                struct sinks_counts *counts) {
        struct err err = {0};
        int r;

        *s = SINKS_INIT;
        counts->of[SINK_FILE].on = counts->of[SINK_JOURNALD].on = false;
        if (spec->file[0]) {
                switch_on(&s->sink[SINK_FILE], &counts->of[SINK_FILE]);
                s->file.max_size = spec->max_size;
                s->file.keep = spec->keep;
                r = sink_file_prepare(&s->file, spec->file, uid, gid, &err);
                if (r < 0)
                        said(SINK_FILE, &s->sink[SINK_FILE], -r, err.msg);
        }
        if (spec->journald) {
                switch_on(&s->sink[SINK_JOURNALD], &counts->of[SINK_JOURNALD]);
                r = sink_journal_prepare(&s->journal, journal, &err);
                if (r < 0)
                        said(SINK_JOURNALD, &s->sink[SINK_JOURNALD], -r, err.msg);
        }
}

void sinks_close(struct sinks *s) {
        sink_file_done(&s->file);
        sink_journal_done(&s->journal);
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

void sinks_take(struct sinks *s) {
        for (size_t i = 0; i < SINK_KINDS; i++)
                if (s->sink[i].on)
                        s->sink[i].counts->taken++;
}

static int line_write(struct sinks *s, enum sink_kind kind, const json_t *event) {
        cleanup_buf struct buf b = {0};
        int r;

        if (kind == SINK_JOURNALD)
                return sink_journal_write(&s->journal, event);
        r = event_json_format(event, &b);
        return r < 0 ? r : sink_file_write(&s->file, b.data, b.len);
}

static void drop(struct sink *s, uint64_t n) {
        s->counts->dropped += n;
        s->owed += n;
        s->at += n;
}

/* One line, if it has not got everything: 1; 0: it has. */
static int serve_line(struct sinks *all, enum sink_kind kind, const struct feed *f) {
        struct sink *s = &all->sink[kind];
        cleanup_json json_t *event = NULL;
        bool telling = s->owed > 0;
        int r;

        if (!telling && s->at >= f->next)
                return 0;
        event = telling ? event_lost_json(s->owed) : feed_describe(f, s->at);
        r = event ? line_write(all, kind, event) : -ENOMEM;
        if (r == -EMSGSIZE && !telling) { /* never fits: the others need not wait for it */
                drop(s, 1);
                return 1;
        }
        if (r < 0)
                return r;
        if (telling)
                s->owed = 0;
        else {
                s->counts->written++;
                s->at++;
        }
        return 1;
}

static void failed(enum sink_kind kind, struct sink *s, int error, int64_t now) {
        bool busy = error == EAGAIN || error == ENOBUFS;

        s->due = now + (busy ? BUSY_NS : FAILED_NS);
        s->counts->retried++;
        if (!busy)
                said(kind, s, error, sink_error((uint32_t)error));
}

static void serve(struct sinks *all, enum sink_kind kind, const struct feed *f) {
        struct sink *s = &all->sink[kind];
        int64_t now = monotonic_ns();
        int r = 1;

        if (s->at < feed_oldest(f))
                drop(s, feed_oldest(f) - s->at);
        if (now < s->due || (s->at >= f->next && s->owed == 0))
                return;
        if (kind == SINK_FILE)
                r = sink_file_look(&all->file);
        r = r < 0 ? r : 1;
        while (r > 0)
                r = serve_line(all, kind, f);
        if (r < 0) {
                failed(kind, s, -r, now);
                return;
        }
        s->due = 0;
        if (s->said)
                said(kind, s, 0, "works again");
}

void sinks_serve(struct sinks *s, const struct feed *f) {
        for (size_t i = 0; i < SINK_KINDS; i++)
                if (s->sink[i].on)
                        serve(s, i, f);
}

int sinks_timeout(const struct sinks *s, const struct feed *f) {
        int64_t first = INT64_MAX, left;

        for (size_t i = 0; i < SINK_KINDS; i++)
                if (s->sink[i].on && (s->sink[i].at < f->next || s->sink[i].owed > 0) && s->sink[i].due < first)
                        first = s->sink[i].due;
        if (first == INT64_MAX)
                return -1;
        left = first - monotonic_ns();
        return left > 0 ? (int)(left / MS) + 1 : 0;
}
