/* SPDX-License-Identifier: Apache-2.0 */
/* The sender's side: a segment of the spool, as one request or, where the receiver does not take it whole, as several. */
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "child.h"
#include "event.h"
#include "sandbox.h"
#include "schedule.h"
#include "sender_post.h"
#include "sender_proto.h"
#include "sinks.h"
#include "spool.h"
#include "text.h"
#include "transport.h"

#define MS 1000000LL
#define GATHER_MS 200 /* between requests: what comes meanwhile goes along */
#define LOOK_MS 5000  /* without being woken */
#define DELAY_MIN_MS 1000
#define DELAY_MAX_MS 60000
#define RETRY_AFTER_MAX_S 3600
#define REFUSALS_MAX 10 /* of a whole segment, before it is given up: it may be us who are not understood */
#define DENIED_TRIES 3  /* failures, before new credentials are looked for at each */

struct sender {
        int sock, wake, dir;
        struct sender_start_packet start;
        const char *labels[SENDER_LABELS_MAX + 1];
        struct sink_counts *counts;
        struct sender_post post;
        unsigned refusals; /* in a row, of what nothing else was accepted with */
        bool denied;       /* the last answer: new credentials might help */
        bool said;
};

/* ---- waiting --------------------------------------------------------------------------------------------------------------- */

/* false: the supervisor has gone. */
static bool wait_ms(struct sender *s, int ms, bool woken) {
        struct pollfd fds[] = {{.fd = s->sock, .events = POLLIN}, {.fd = woken ? s->wake : -1, .events = POLLIN}};
        int64_t end = monotonic_ns() + ms * MS, left;
        char drain[256];

        while ((left = end - monotonic_ns()) > 0) {
                if (poll(fds, ARRAY_SIZE(fds), (int)(left / MS) + 1) < 0 && errno != EINTR)
                        return true;
                if (fds[0].revents)
                        return false;
                if (fds[1].revents) {
                        if (read(s->wake, drain, sizeof(drain)) <= 0) /* no reporter now: looks by itself */
                                fds[1].fd = -1;
                        else
                                return true;
                }
        }
        return true;
}

/* Doubled each time, and not at the same moment as all the other nodes. */
static int delay_ms(const struct sender *s, int retry_after_s) {
        int64_t ms = DELAY_MIN_MS;

        for (unsigned i = 1; i < s->counts->failures && ms < DELAY_MAX_MS; i++)
                ms *= 2;
        if (ms > DELAY_MAX_MS)
                ms = DELAY_MAX_MS;
        ms = ms / 2 + (int64_t)(random_u64() % (uint64_t)ms);
        if (retry_after_s > RETRY_AFTER_MAX_S)
                retry_after_s = RETRY_AFTER_MAX_S;
        return (int)(ms > retry_after_s * 1000LL ? ms : retry_after_s * 1000LL);
}

static void trouble(struct sender *s, const char *why) {
        snprintf(s->counts->trouble_text, sizeof(s->counts->trouble_text), "%s", why);
        s->counts->trouble = 1;
        s->counts->retried++;
        s->counts->failures++;
        if (!s->said)
                fprintf(stderr, "events.http: %s\n", why);
        s->said = true;
}

static void works(struct sender *s) {
        s->counts->trouble = 0;
        s->counts->failures = 0;
        if (s->said)
                fprintf(stderr, "events.http: works again\n");
        s->said = false;
}

/* ---- a segment --------------------------------------------------------------------------------------------------------------- */

struct delivery {
        const char *p, *end;    /* what is not delivered yet: whole lines */
        size_t step;            /* how many lines at once */
        struct spool_sum taken; /* accepted; */
        uint64_t refused;       /* and not: one by one, beside others that were */
        bool accepted;          /* something of this segment was */
};

/* The end of the first n lines. */
static const char *lines_end(const char *p, const char *end, size_t n) {
        for (; n > 0 && p < end; n--) {
                const char *newline = memchr(p, '\n', (size_t)(end - p));

                if (!newline)
                        return end;
                p = newline + 1;
        }
        return p;
}

static size_t lines_count(const char *p, const char *end) {
        size_t n = 0;

        for (; p < end; n++)
                p = lines_end(p, end, 1);
        return n;
}

static struct spool_sum lines_sum(const char *p, const char *end) {
        struct spool_sum sum = {0};

        while (p < end) {
                const char *next = lines_end(p, end, 1);

                spool_line_sum(p, (size_t)(next - p - (next[-1] == '\n')), &sum);
                p = next;
        }
        return sum;
}

static void pass(struct delivery *d, const char *to, uint64_t rejected) {
        struct spool_sum sum = lines_sum(d->p, to);

        if (rejected > sum.events)
                rejected = sum.events;
        d->taken.events += sum.events - rejected;
        d->taken.told += sum.told;
        d->refused += rejected;
        d->accepted = true;
        d->p = to;
        d->step *= 2;
}

static void refuse(struct delivery *d, const char *to) {
        d->refused += lines_sum(d->p, to).events;
        d->p = to;
}

/* 0: all of it is settled; 1: not now, and err says why. *ret_retry_s as in sender_post(). */
static int deliver(struct sender *s, struct delivery *d, int *ret_retry_s, struct err *err) {
        const struct sender_about about = {
                .host = s->start.spec.host, .labels = s->labels, .now_ns = event_clock_offset() + event_clock_boottime()};

        while (d->p < d->end) {
                const char *to = lines_end(d->p, d->end, d->step);
                cleanup_buf struct buf body = {0};
                uint64_t rejected;
                int r = sender_body(s->start.spec.format, &about, d->p, (size_t)(to - d->p), &body);

                if (r < 0) {
                        err_errno(err, r, "events");
                        return 1;
                }
                switch (sender_post(&s->post, &body, &rejected, ret_retry_s, err)) {
                case SENDER_ACCEPTED:
                        pass(d, to, rejected);
                        s->refusals = 0;
                        works(s);
                        break;
                case SENDER_REFUSED:
                        if (d->step > 1) {
                                size_t n = lines_count(d->p, to);

                                d->step = n > 1 ? n / 2 : 1;
                                if (n > 1)
                                        break;
                        }
                        /* One line that it takes no offence at nothing else with; or it takes nothing at all. */
                        if (!d->accepted && s->refusals < REFUSALS_MAX) {
                                s->refusals++;
                                return 1;
                        }
                        refuse(d, to);
                        break;
                case SENDER_DENIED:
                        s->denied = true;
                        return 1;
                case SENDER_LATER:
                        return 1;
                }
        }
        return 0;
}

/* The segment is settled. Whoever counts what waits does not look while this is going on; and a sender that is killed in between sends
 * it once more, unless it was through. */
static void account(struct sender *s, const struct spool_segment *g, const struct delivery *d) {
        volatile struct sink_counts *c = s->counts;

        c->accounting = 1;
        c->written += d->taken.events;
        c->refused += d->refused;
        c->told += (int64_t)d->taken.told;
        c->sent = g->number;
        c->accounting = 0;
}

/* false: to be ended. */
static bool segment_send(struct sender *s, const struct spool_segment *g) {
        struct delivery d = {.p = g->lines.data, .end = g->lines.data + g->lines.len};

        d.step = lines_count(d.p, d.end);
        s->refusals = 0; /* each segment has its tries: what is wrong may be put right meanwhile */
        for (;;) {
                struct err err = {0};
                int retry_s = 0, r;
                char why[SINK_TROUBLE_MAX];

                s->denied = false;
                r = deliver(s, &d, &retry_s, &err);
                if (r == 0)
                        break;
                text_clean(why, sizeof(why), err.msg);
                trouble(s, why);
                if (!wait_ms(s, delay_ms(s, retry_s), false) || (s->denied && s->counts->failures >= DENIED_TRIES))
                        return false;
        }
        account(s, g, &d);
        return true;
}

/* ---- the loop ---------------------------------------------------------------------------------------------------------------- */

static void serve(struct sender *s) {
        /* Ended between the two: it was accepted. */
        s->counts->accounting = 0;
        for (;;) {
                cleanup_segment struct spool_segment g = {0};
                int r = spool_take(s->dir, &g);

                if (r > 0 && s->counts->sent != g.number && !segment_send(s, &g))
                        return;
                if (r > 0)
                        r = spool_remove(s->dir, g.number) < 0 ? -EIO : 1;
                if (r < 0)
                        trouble(s, "the spool cannot be read");
                if (!wait_ms(s, r > 0 ? GATHER_MS : r < 0 ? DELAY_MAX_MS : LOOK_MS, r == 0))
                        return;
        }
}

static int begin(struct sender *s, struct sinks_counts **ret_counts, struct err *err) {
        struct sandbox_spec spec = {.profile = SANDBOX_NETWORK, .writable_dir = -1, .max_file = SPOOL_SEGMENT_MAX};
        struct sender_spec *c = &s->start.spec;
        cleanup_fd int counts = -1;
        struct sandbox_report report;
        int fds[3], r;
        size_t n_fds = ARRAY_SIZE(fds);
        ssize_t n = msg_recv(s->sock, &s->start, sizeof(s->start), fds, &n_fds);

        if (n != sizeof(s->start) || n_fds != ARRAY_SIZE(fds))
                return err_set(err, -EPROTO, REASON_NONE, "no orders");
        s->dir = fds[0];
        s->wake = fds[1];
        counts = fds[2];
        for (size_t i = 0; i < SENDER_LABELS_MAX && *c->labels[i]; i++)
                s->labels[i] = c->labels[i];
        r = sinks_counts_map(counts, ret_counts, err);
        if (r < 0)
                return r;
        s->counts = &(*ret_counts)->of[SINK_HTTP];
        r = sender_post_prepare(&s->post, c, err);
        if (r < 0) {
                trouble(s, err->msg);
                wait_ms(s, DELAY_MIN_MS, false);
                return r;
        }
        spec.uid = s->start.uid;
        spec.gid = s->start.gid;
        spec.readable = transport_readable(true);
        spec.writable_dir = s->dir;
        spec.ports = s->post.ports;
        spec.n_ports = s->post.n_ports;
        return sandbox_enter(&spec, &report, err);
}

int sender_main(int sock) {
        struct sender s = {.sock = sock, .wake = -1, .dir = -1};
        struct sinks_counts *counts = NULL;
        struct err err = {0};
        int r = begin(&s, &counts, &err);

        if (r >= 0)
                serve(&s);
        else if (!s.said)
                fprintf(stderr, "sender: %s\n", err.msg);
        sender_post_done(&s.post);
        sinks_counts_free(counts);
        close_p(&s.wake);
        close_p(&s.dir);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
