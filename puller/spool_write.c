/* SPDX-License-Identifier: Apache-2.0 */
/* The reporter's side of the spool. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "spool.h"
#include "spool_parts.h"
#include "util.h"

#define FEW 8 /* segments that wait: the sender keeps up, and gets each event at once */

static void open_close(struct spool *s) {
        close_p(&s->fd);
        s->fd = -1;
        s->size = 0;
}

/* How long the file is without a last line that was not finished. */
static uint64_t whole(const struct buf *b) {
        const char *newline = b->len ? memrchr(b->data, '\n', b->len) : NULL;

        return newline ? (uint64_t)(newline + 1 - b->data) : 0;
}

/* The open segment of another writer, which was killed, or of none. */
static int open_open(struct spool *s) {
        cleanup_buf struct buf b = {0};
        cleanup_fd int fd = -1;
        int r = spool_read(s->dir, SPOOL_OPEN, &b);

        if (r < 0 && r != -ENOENT && (r != -EBADMSG || unlinkat(s->dir, SPOOL_OPEN, 0) < 0))
                return r;
        fd = openat(s->dir, SPOOL_OPEN, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        if (whole(&b) < b.len && ftruncate(fd, (off_t)whole(&b)) < 0)
                return -errno;
        s->size = whole(&b);
        s->fd = steal_fd(&fd);
        return 0;
}

int spool_begin(struct spool *s, int dir, uint64_t max_size) {
        struct spool_list list;
        int r;

        *s = (struct spool){.dir = dir, .fd = -1, .max_size = max_size};
        r = spool_list(dir, &list);
        if (r < 0)
                return r;
        s->next = list.newest + 1;
        /* Whoever was to count it has been killed: what is missing is found by counting what is there. */
        if (unlinkat(dir, SPOOL_DROPPING, 0) < 0 && errno != ENOENT)
                return -errno;
        return 0;
}

void spool_done(struct spool *s) {
        open_close(s);
        close_p(&s->dir);
        s->dir = -1;
}

static void name_sum(const struct spool *s, const char *name, struct spool_sum *sum) {
        cleanup_buf struct buf b = {0};

        if (spool_read(s->dir, name, &b) >= 0)
                spool_sum(&b, sum);
}

struct waiting {
        const struct spool *spool;
        uint64_t sent;
        struct spool_sum sum;
};

static int waiting_add(void *ctx, const char *name) {
        struct waiting *w = ctx;
        uint64_t number;

        if (streq(name, SPOOL_OPEN) || spool_name_parse(name, SPOOL_READY, &number) ||
            (spool_name_parse(name, SPOOL_SENDING, &number) && number != w->sent))
                name_sum(w->spool, name, &w->sum);
        return 0;
}

static bool same(const struct spool_list *a, const struct spool_list *b) {
        return a->ready == b->ready && a->oldest == b->oldest && a->newest == b->newest && a->sending == b->sending &&
               a->bytes == b->bytes;
}

int spool_waiting(const struct spool *s, uint64_t sent, struct spool_sum *ret) {
        struct waiting w = {.spool = s, .sent = sent};
        struct spool_list before, after;
        int r = spool_list(s->dir, &before);

        if (r >= 0)
                r = spool_each(s->dir, waiting_add, &w);
        if (r >= 0)
                r = spool_list(s->dir, &after);
        *ret = w.sum;
        if (r < 0)
                return r;
        return same(&before, &after) ? 0 : -EAGAIN; /* a segment that changes its name while it is looked for may be missed */
}

/* 1: it is the sender's now to take. */
static int publish(struct spool *s) {
        char name[SPOOL_NAME_MAX];

        spool_name(name, s->next, SPOOL_READY);
        if (renameat(s->dir, SPOOL_OPEN, s->dir, name) < 0) {
                int r = -errno;

                if (r == -ENOENT) /* somebody has removed it: begin anew */
                        open_close(s);
                return r;
        }
        s->next++;
        open_close(s);
        return 1;
}

int spool_append(struct spool *s, const void *line, size_t n) {
        ssize_t done;
        int r = 0;

        if (s->dir < 0)
                return -ENOENT;
        if (n > SPOOL_SEGMENT_MAX)
                return -EMSGSIZE;
        if (s->fd >= 0 && s->size + n > SPOOL_SEGMENT_MAX)
                r = publish(s);
        if (r >= 0 && s->fd < 0)
                r = open_open(s);
        if (r < 0)
                return r;
        done = write(s->fd, line, n);
        if (done >= 0 && (size_t)done == n) {
                s->size += n;
                return 0;
        }
        r = done < 0 ? -errno : -ENOSPC;
        /* What of it is there goes; if not now, when the file is opened again. */
        if (done > 0 && ftruncate(s->fd, (off_t)s->size) < 0)
                open_close(s);
        return r;
}

int spool_publish(struct spool *s) {
        struct spool_list list;
        int r;

        /* What another writer has left. */
        if (s->fd < 0 && faccessat(s->dir, SPOOL_OPEN, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
                r = open_open(s);
                if (r < 0)
                        return r;
        }
        if (s->fd < 0 || s->size == 0)
                return 0;
        r = spool_list(s->dir, &list);
        if (r < 0 || list.ready >= FEW)
                return r < 0 ? r : 0;
        return publish(s);
}

/* -ENOENT: the sender was faster. */
static int drop(struct spool *s, uint64_t number, struct spool_sum *sum) {
        char name[SPOOL_NAME_MAX];
        struct spool_sum lost = {0};

        spool_name(name, number, SPOOL_READY);
        if (renameat(s->dir, name, s->dir, SPOOL_DROPPING) < 0)
                return -errno;
        name_sum(s, SPOOL_DROPPING, &lost);
        if (unlinkat(s->dir, SPOOL_DROPPING, 0) < 0)
                return -errno;
        sum->events += lost.events;
        sum->told += lost.told;
        return 0;
}

int spool_make_room(struct spool *s, struct spool_sum *sum) {
        for (;;) {
                struct spool_list list;
                int r = spool_list(s->dir, &list);

                if (r < 0 || !list.ready || list.bytes + SPOOL_SEGMENT_MAX <= s->max_size)
                        return r;
                r = drop(s, list.oldest, sum);
                if (r < 0 && r != -ENOENT)
                        return r;
        }
}
