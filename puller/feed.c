/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"

#include <sys/socket.h>

#define LINES_AT_ONCE 64 /* to one reader, before the others and the kernel's buffer have their turn */

struct feed *feed_new(void) {
        struct feed *f = calloc(1, sizeof(*f));

        for (size_t i = 0; f && i < FEED_READERS_MAX; i++)
                f->readers[i].fd = -1;
        return f;
}

static void leave(struct feed_reader *r) {
        close_p(&r->fd);
        *r = (struct feed_reader){.fd = -1};
}

void feed_free(struct feed *f) {
        if (!f)
                return;
        for (size_t i = 0; i < FEED_READERS_MAX; i++)
                leave(&f->readers[i]);
        event_names_done(&f->names);
        free(f);
}

uint64_t feed_oldest(const struct feed *f) {
        return f->next > FEED_EVENTS_MAX ? f->next - FEED_EVENTS_MAX : 0;
}

struct feed_entry *feed_add(struct feed *f, enum feed_kind kind, int64_t time_ns) {
        struct feed_entry *e = &f->entries[f->next++ % FEED_EVENTS_MAX];

        *e = (struct feed_entry){.kind = kind, .time_ns = time_ns};
        return e;
}

int feed_join(struct feed *f, int fd, pid_t pid) {
        for (size_t i = 0; i < FEED_READERS_MAX; i++)
                if (f->readers[i].fd < 0) {
                        f->readers[i] = (struct feed_reader){.fd = fd, .pid = pid, .at = feed_oldest(f), .live_at = f->next};
                        return 0;
                }
        close(fd);
        return -EBUSY;
}

static bool waiting(const struct feed *f, const struct feed_reader *r) {
        return r->at < f->next || r->lost > 0 || !r->live;
}

void feed_poll_fill(const struct feed *f, struct pollfd fds[static FEED_READERS_MAX]) {
        for (size_t i = 0; i < FEED_READERS_MAX; i++) {
                const struct feed_reader *r = &f->readers[i];

                fds[i] = (struct pollfd){.fd = r->fd, .events = POLLRDHUP | (r->fd >= 0 && waiting(f, r) ? POLLOUT : 0)};
        }
}

json_t *feed_describe(const struct feed *f, uint64_t number) {
        const struct feed_entry *e = &f->entries[number % FEED_EVENTS_MAX];

        switch (e->kind) {
        case FEED_EVENT:
                return event_json(&e->event, e->time_ns, &f->names);
        case FEED_NOTE:
                return event_note_json(&e->note, e->time_ns);
        case FEED_DROPPED:
                return event_dropped_json(e->dropped, e->time_ns);
        default:
                return event_unreadable_json(e->time_ns);
        }
}

/* Takes over line. */
static int send_line(const struct feed_reader *r, json_t *taken) {
        cleanup_json json_t *line = taken;
        cleanup_buf struct buf b = {0};
        struct iovec iov;
        struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

        if (!line || event_json_format(line, &b) < 0)
                return -ENOMEM;
        iov = (struct iovec){.iov_base = b.data, .iov_len = b.len};
        return sendmsg(r->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* One line, if it has not got everything: 1; 0: it has. */
static int serve_line(struct feed *f, struct feed_reader *r) {
        const struct feed_entry *e;
        int s;

        if (r->at < feed_oldest(f)) {
                r->lost += feed_oldest(f) - r->at;
                r->at = feed_oldest(f);
        }
        if (r->lost > 0) {
                s = send_line(r, event_lost_json(r->lost));
                if (s >= 0)
                        r->lost = 0;
                return s < 0 ? s : 1;
        }
        if (!r->live && r->at >= r->live_at) {
                s = send_line(r, event_live_json());
                if (s >= 0)
                        r->live = true;
                return s < 0 ? s : 1;
        }
        if (r->at >= f->next)
                return 0;
        e = &f->entries[r->at % FEED_EVENTS_MAX];
        s = e->kind == FEED_EVENT && e->event.tgid == (uint32_t)r->pid ? 0 : send_line(r, feed_describe(f, r->at));
        if (s >= 0)
                r->at++;
        return s < 0 ? s : 1;
}

void feed_serve(struct feed *f, const struct pollfd fds[static FEED_READERS_MAX]) {
        for (size_t i = 0; i < FEED_READERS_MAX; i++) {
                struct feed_reader *r = &f->readers[i];
                int s = 1;

                if (r->fd < 0 || fds[i].fd != r->fd)
                        continue;
                if (fds[i].revents & (POLLHUP | POLLRDHUP | POLLERR | POLLNVAL))
                        s = -EPIPE;
                else if (!(fds[i].revents & POLLOUT))
                        continue;
                for (int n = 0; s > 0 && n < LINES_AT_ONCE; n++)
                        s = serve_line(f, r);
                if (s < 0 && s != -EAGAIN)
                        leave(r);
        }
}
