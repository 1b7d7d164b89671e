/* SPDX-License-Identifier: Apache-2.0 */
#include "sinks.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "event_place.h"
#include "wait.h"

#define MS 1000000LL
#define BUSY_NS (50 * MS)     /* a receiver that has enough to do */
#define FAILED_NS (1000 * MS) /* one that is not there, a full disk */
#define FLUSH_NS (1000 * MS)  /* the sender has enough to do */
#define ACCOUNTING_LOOKS 200

bool sinks_spec_any(const struct sinks_spec *spec) {
        return spec->file[0] || spec->journald || spec->http;
}

/* ---- opening ------------------------------------------------------------------------------------------------------- */

static void said(enum sink_kind kind, struct sink *s, int error, const char *message) {
        s->counts->error = (uint32_t)error;
        if (error != s->said)
                fprintf(stderr, "events.%s: %s\n", sink_name(kind), message);
        s->said = error;
}

static void switch_on(struct sink *s, struct sink_counts *counts) {
        *s = (struct sink){.counts = counts, .on = true};
        counts->error = 0;
        counts->on = true;
}

/* The reporter before this one was killed with events that it had not written. */
static void take_over(struct sink *s, uint64_t waiting) {
        struct sink_counts *c = s->counts;
        uint64_t left = c->taken - c->written - c->refused - c->dropped - waiting;

        if (left > JSON_INT_MAX) /* nonsense, from one that was taken over */
                left = 0;
        c->dropped += left;
        s->owed = left;
}

/* What waits in the spool, while the sender may be taking from it. */
static int waiting_look(const struct spool *spool, const struct sink_counts *c, struct spool_sum *ret) {
        const volatile struct sink_counts *now = c;
        int r = -EAGAIN;

        for (int i = 0; i < ACCOUNTING_LOOKS; i++) {
                uint64_t before = now->written + now->refused;

                if (!now->accounting) {
                        r = spool_waiting(spool, now->sent, ret);
                        if (r != -EAGAIN && (r < 0 || (!now->accounting && before == now->written + now->refused)))
                                return r;
                }
                nanosleep(&(struct timespec){.tv_nsec = 10 * MS}, NULL);
        }
        return r;
}

/* What the receiver has not been told of yet is what was dropped and is neither told nor on its way. */
static int http_take_over(struct sink *s, const struct spool *spool) {
        struct sink_counts *c = s->counts;
        struct spool_sum waiting;
        int r = waiting_look(spool, c, &waiting);

        if (r < 0)
                return r;
        if (c->taken == 0) { /* another agent's */
                c->taken = waiting.events;
                c->told = -(int64_t)waiting.told;
        }
        take_over(s, waiting.events);
        s->owed = (uint64_t)((int64_t)c->dropped - c->told - (int64_t)waiting.told);
        if (s->owed > JSON_INT_MAX)
                s->owed = 0;
        return 0;
}

static int http_open(struct sinks *s, struct sink *sink, uint64_t max_size, int spool, int wake) {
        int r = sink_http_prepare(&s->http, spool, wake, max_size);

        if (r >= 0)
                r = http_take_over(sink, &s->http.spool);
        s->flush_due = 1; /* what another one has left is the sender's to take */
        return r;
}

void sinks_open(struct sinks *s, const struct sinks_spec *spec, const char *journal, uid_t uid, gid_t gid, int spool, int wake,
                struct sinks_counts *counts) {
        struct err err = {0};
        int r;

        *s = SINKS_INIT;
        snprintf(s->run_dir, sizeof(s->run_dir), "%s", spec->run_dir);
        for (size_t i = 0; i < SINK_KINDS; i++)
                counts->of[i].on = false;
        if (spec->file[0]) {
                switch_on(&s->sink[SINK_FILE], &counts->of[SINK_FILE]);
                take_over(&s->sink[SINK_FILE], 0);
                s->file.max_size = spec->max_size;
                s->file.keep = spec->keep;
                r = sink_file_prepare(&s->file, spec->file, uid, gid, &err);
                if (r < 0)
                        said(SINK_FILE, &s->sink[SINK_FILE], -r, err.msg);
        }
        if (spec->journald) {
                switch_on(&s->sink[SINK_JOURNALD], &counts->of[SINK_JOURNALD]);
                take_over(&s->sink[SINK_JOURNALD], 0);
                r = sink_journal_prepare(&s->journal, journal, &err);
                if (r < 0)
                        said(SINK_JOURNALD, &s->sink[SINK_JOURNALD], -r, err.msg);
        }
        if (spec->http) {
                switch_on(&s->sink[SINK_HTTP], &counts->of[SINK_HTTP]);
                r = http_open(s, &s->sink[SINK_HTTP], spec->http_size, spool, wake);
                if (r < 0)
                        said(SINK_HTTP, &s->sink[SINK_HTTP], -r, sink_error((uint32_t)-r));
        } else {
                close_p(&spool);
                close_p(&wake);
        }
}

void sinks_places(struct sinks *s, int cgroups) {
        cgroup_tree_done(&s->cgroups);
        s->cgroups.dir = cgroups;
}

void sinks_close(struct sinks *s) {
        cgroup_tree_done(&s->cgroups);
        sink_file_done(&s->file);
        sink_journal_done(&s->journal);
        sink_http_done(&s->http);
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

void sinks_take(struct sinks *s) {
        for (size_t i = 0; i < SINK_KINDS; i++)
                if (s->sink[i].on)
                        s->sink[i].counts->taken++;
}

/* What waited longest had to make room. */
static int spool_write(struct sinks *s, const struct buf *line) {
        struct spool_sum lost = {0};
        struct sink *sink = &s->sink[SINK_HTTP];
        int r = sink_http_write(&s->http, line->data, line->len, &lost);

        sink->counts->dropped += lost.events;
        sink->owed += lost.events + lost.told;
        return r;
}

static int line_write(struct sinks *s, enum sink_kind kind, const json_t *event) {
        cleanup_buf struct buf b = {0};
        int r;

        if (kind == SINK_JOURNALD)
                return sink_journal_write(&s->journal, event);
        r = event_json_format(event, &b);
        if (r < 0)
                return r;
        return kind == SINK_HTTP ? spool_write(s, &b) : sink_file_write(&s->file, b.data, b.len);
}

/* An entry with the place of its task, as far as it is still there. */
static json_t *described(struct sinks *s, const struct feed *f, uint64_t number) {
        json_t *event = feed_describe(f, number);
        const json_t *id = json_object_get(event, "cgroup");

        if (json_is_integer(id))
                event_place_set(event, cgroup_tree_path(&s->cgroups, (uint64_t)json_integer_value(id)), s->run_dir);
        return event;
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
        uint64_t owed = s->owed;
        bool telling = owed > 0;
        int r;

        if (!telling && s->at >= f->next)
                return 0;
        event = telling ? event_lost_json(owed) : described(all, f, s->at);
        r = event ? line_write(all, kind, event) : -ENOMEM;
        if (r == -EMSGSIZE && !telling) { /* never fits: the others need not wait for it */
                drop(s, 1);
                return 1;
        }
        if (r < 0)
                return r;
        if (telling)
                s->owed -= owed; /* writing it may have cost others */
        else {
                s->counts->written += kind != SINK_HTTP;
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

static void flush(struct sinks *s) {
        int64_t now = monotonic_ns();

        if (s->http.spool.size > 0 || (s->flush_due && now >= s->flush_due))
                s->flush_due = sink_http_flush(&s->http) ? 0 : now + FLUSH_NS;
}

void sinks_serve(struct sinks *s, const struct feed *f) {
        for (size_t i = 0; i < SINK_KINDS; i++)
                if (s->sink[i].on)
                        serve(s, i, f);
        if (s->sink[SINK_HTTP].on)
                flush(s);
}

int sinks_timeout(const struct sinks *s, const struct feed *f) {
        int64_t first = s->flush_due ? s->flush_due : INT64_MAX, left;

        for (size_t i = 0; i < SINK_KINDS; i++)
                if (s->sink[i].on && (s->sink[i].at < f->next || s->sink[i].owed > 0) && s->sink[i].due < first)
                        first = s->sink[i].due;
        if (first == INT64_MAX)
                return -1;
        left = first - monotonic_ns();
        return left > 0 ? (int)(left / MS) + 1 : 0;
}
