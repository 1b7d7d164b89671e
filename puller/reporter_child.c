/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reporter's side: one loop that sleeps until there is something to do. It must neither spin nor end because a policy denies
 * it what it does: then it pauses, and goes on.
 */
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "container_names.h"
#include "event_cgroup.h"
#include "feed.h"
#include "fileio.h"
#include "fold.h"
#include "reporter.h"
#include "reporter_proto.h"
#include "sandbox.h"

#define RECORDS_AT_ONCE 256   /* less than the feed keeps: who follows it has a turn before any is dropped */
#define MEMORY_MAX (8u << 20) /* above what is mapped at the start */
#define FILE_MAX (1u << 20)   /* if it writes none: keeps it from filling memory files */
#define PAUSE_MS 500
#define FOLDS_NS 1200000000LL /* a little more than a window */

struct reporter {
        int sock, listener;
        struct ring_buffer *ring;
        struct lsm_fold *folds;
        int64_t folds_due; /* when to look what was folded, CLOCK_MONOTONIC; 0: nothing is */
        struct feed *feed;
        struct sinks sinks;
        struct sinks_counts *counts;
        int records; /* taken since the last look at anything else */
        bool pause;  /* something failed that would fail again at once */
};

/* ---- events -------------------------------------------------------------------------------------------------------- */

static struct feed_entry *entry_add(struct reporter *p, enum feed_kind kind, int64_t time_ns) {
        sinks_take(&p->sinks);
        return feed_add(p->feed, kind, time_ns);
}

static void event_add(struct reporter *p, const struct lsm_event *e, int64_t offset) {
        if (e->folding && !p->folds_due)
                p->folds_due = monotonic_ns() + FOLDS_NS;
        /* Its own: telling of them would make the next ones. */
        if (e->tgid != (uint32_t)getpid())
                entry_add(p, FEED_EVENT, offset + (int64_t)e->time_ns)->event = *e;
}

static void on_folded(void *ctx, const struct lsm_event *from) {
        struct reporter *p = ctx;
        struct lsm_event e;

        if (event_read(from, sizeof(*from), &e) >= 0)
                event_add(p, &e, event_clock_offset());
}

static void take_folded(struct reporter *p) {
        bool again = fold_take(p->folds, (uint64_t)event_clock_boottime(), false, on_folded, p);

        p->folds_due = again ? monotonic_ns() + FOLDS_NS : 0;
}

static int on_record(void *ctx, void *data, size_t size) {
        struct reporter *p = ctx;
        int64_t offset = event_clock_offset();
        struct lsm_event e;

        if (event_read(data, size, &e) < 0)
                entry_add(p, FEED_UNREADABLE, offset + event_clock_boottime());
        else
                event_add(p, &e, offset);
        return ++p->records >= RECORDS_AT_ONCE ? -EAGAIN : 0; /* negative: the rest later */
}

static void take_events(struct reporter *p) {
        uint64_t lost;

        p->records = 0;
        ring_buffer__consume(p->ring);
        lost = fold_take_lost(p->folds);
        if (lost > 0)
                entry_add(p, FEED_DROPPED, event_clock_offset() + event_clock_boottime())->dropped = lost;
}

/* ---- readers ------------------------------------------------------------------------------------------------------- */

static bool peer_allowed(int conn, uid_t supervisor, pid_t *ret_pid) {
        struct ucred cred;
        socklen_t len = sizeof(cred);

        if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0 || (cred.uid != 0 && cred.uid != supervisor))
                return false;
        *ret_pid = cred.pid;
        return true;
}

static void accept_readers(struct reporter *p, uid_t supervisor) {
        for (;;) {
                cleanup_fd int conn = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                pid_t pid;

                if (conn < 0) {
                        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
                                p->pause = true;
                        return;
                }
                if (peer_allowed(conn, supervisor, &pid))
                        feed_join(p->feed, steal_fd(&conn), pid);
        }
}

/* ---- the supervisor ------------------------------------------------------------------------------------------------ */

static void take_names(struct reporter *p, int fd) {
        cleanup_buf struct buf json = {0};
        struct err err = {0};
        int r = fd_read_all(fd, EVENT_NAMES_JSON_MAX, &json, &err);

        if (r >= 0)
                r = event_names_parse(&p->feed->names, json.data, json.len, &err);
        if (r < 0)
                fprintf(stderr, "reporter: %s\n", err.msg);
}

/* false: the supervisor has gone. */
static bool take_message(struct reporter *p) {
        struct reporter_packet packet;
        cleanup_fd int fd = -1;
        size_t n_fds = 1;
        ssize_t n = msg_recv(p->sock, &packet, sizeof(packet), &fd, &n_fds);

        if (n == 0)
                return false;
        if (n != sizeof(packet)) {
                p->pause = n < 0;
                return true;
        }
        if (packet.message == REPORTER_NAMES && fd >= 0)
                take_names(p, fd);
        else if (packet.message == REPORTER_NOTE)
                entry_add(p, FEED_NOTE, event_clock_offset() + event_clock_boottime())->note = packet.note;
        return true;
}

/* ---- the loop ------------------------------------------------------------------------------------------------------ */

/* ms, for poll(2); -1: nothing is to be done but what comes. */
static int timeout(const struct reporter *p) {
        int sinks = sinks_timeout(&p->sinks, p->feed), folds;
        int64_t left;

        if (!p->folds_due)
                return sinks;
        left = p->folds_due - monotonic_ns();
        folds = left > 0 ? (int)(left / 1000000) + 1 : 0;
        return sinks >= 0 && sinks < folds ? sinks : folds;
}

static void serve(struct reporter *p, uid_t supervisor) {
        for (;;) {
                struct pollfd fds[3 + FEED_READERS_MAX] = {
                        {.fd = p->sock, .events = POLLIN},
                        {.fd = p->listener, .events = POLLIN},
                        {.fd = ring_buffer__epoll_fd(p->ring), .events = POLLIN},
                };

                if (p->pause) {
                        poll(NULL, 0, PAUSE_MS);
                        p->pause = false;
                }
                feed_poll_fill(p->feed, fds + 3);
                if (poll(fds, ARRAY_SIZE(fds), timeout(p)) < 0) {
                        p->pause = errno != EINTR;
                        continue;
                }
                if (fds[0].revents && !take_message(p))
                        return;
                /* Before anybody joins: whoever has seen something denied and then asks finds it here. */
                if (fds[2].revents || fds[1].revents)
                        take_events(p);
                if (p->folds_due && monotonic_ns() >= p->folds_due)
                        take_folded(p);
                if (fds[1].revents)
                        accept_readers(p, supervisor);
                feed_serve(p->feed, fds + 3);
                sinks_serve(&p->sinks, p->feed);
        }
}

/* Address space that is in use, bytes; 0: not known. */
static uint64_t memory_used(void) {
        cleanup_buf struct buf b = {0};

        if (file_read(AT_FDCWD, "/proc/self/statm", 4096, &b, NULL) < 0)
                return 0;
        return strtoull(b.data, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What it may read: where tasks are, and what their containers are called. */
struct places {
        char names[PATH_MAX];
        struct cgroup_mount cgroups;
        const char *list[3];
};

/* Nothing of it is a must: events are told with what is known. */
static void places_open(struct reporter *p, const char *run_dir, struct places *ret) {
        size_t n = 0;

        ret->cgroups = cgroup_mount_open();
        snprintf(ret->names, sizeof(ret->names), "%s/" CONTAINER_NAMES_FOLDER, run_dir);
        if (container_names_prepare(run_dir, NULL) >= 0)
                ret->list[n++] = ret->names;
        if (ret->cgroups.fd >= 0)
                ret->list[n++] = ret->cgroups.path;
        sinks_places(&p->sinks, steal_fd(&ret->cgroups.fd));
}

static int begin(struct reporter *p, struct err *err) {
        struct sandbox_spec spec = {.profile = SANDBOX_REPORT, .writable_dir = -1, .max_file = FILE_MAX};
        struct sandbox_report report;
        struct reporter_start start;
        struct places places = {};
        cleanup_fd int events = -1, counts = -1, folds = -1;
        int fds[6] = {-1, -1, -1, -1, -1, -1}, r;
        size_t n_fds = ARRAY_SIZE(fds);
        ssize_t n = msg_recv(p->sock, &start, sizeof(start), fds, &n_fds);

        if (n != sizeof(start) || n_fds < 4)
                return err_set(err, -EPROTO, REASON_NONE, "no orders");
        events = fds[0];
        p->listener = fds[1];
        counts = fds[2];
        folds = fds[3];
        start.sinks.file[sizeof(start.sinks.file) - 1] = '\0';
        start.sinks.run_dir[sizeof(start.sinks.run_dir) - 1] = '\0';
        r = sinks_counts_map(counts, &p->counts, err);
        if (r < 0)
                return r;
        r = fold_map(folds, &p->folds, err);
        if (r < 0)
                return r;
        p->folds_due = monotonic_ns(); /* what another one has left */
        p->feed = feed_new();
        if (!p->feed)
                return err_errno(err, -ENOMEM, "no memory");
        /* Mapped while it may still: afterwards nothing but the memory is needed. */
        p->ring = ring_buffer__new(events, on_record, p, NULL);
        if (!p->ring)
                return err_errno(err, -errno, "ring buffer");
        sinks_open(&p->sinks, &start.sinks, SINK_JOURNAL_SOCKET, start.uid, start.gid, fds[5], fds[4], p->counts);
        if (sinks_spec_any(&start.sinks)) {
                places_open(p, start.sinks.run_dir, &places);
                spec.readable = places.list;
        }
        spec.writable_dir = p->sinks.file.dir >= 0 ? p->sinks.file.dir : p->sinks.http.spool.dir;
        spec.writable_too = &p->sinks.http.spool.dir;
        spec.n_writable_too = p->sinks.http.spool.dir >= 0;
        if (p->sinks.file.dir >= 0 && start.sinks.max_size > spec.max_file)
                spec.max_file = start.sinks.max_size;
        spec.uid = start.uid;
        spec.gid = start.gid;
        spec.max_memory = memory_used();
        if (spec.max_memory)
                spec.max_memory += MEMORY_MAX;
        return sandbox_enter(&spec, &report, err);
}

static int libbpf_quiet(enum libbpf_print_level level, const char *fmt, va_list ap) {
        return 0;
}

int reporter_main(int sock) {
        struct reporter p = {.sock = sock, .listener = -1, .sinks = SINKS_INIT};
        uid_t supervisor = geteuid();
        struct err err = {0};
        int r;

        libbpf_set_print(libbpf_quiet);
        r = begin(&p, &err);
        if (r < 0)
                fprintf(stderr, "reporter: %s\n", err.msg);
        else
                serve(&p, supervisor);
        ring_buffer__free(p.ring);
        fold_unmap(p.folds);
        feed_free(p.feed);
        sinks_close(&p.sinks);
        sinks_counts_free(p.counts);
        close_p(&p.listener);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
