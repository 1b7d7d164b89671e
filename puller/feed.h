/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The feed: the last events, and readers that follow them, each at its own place. Nothing is queued for a reader but what the
 * kernel holds in its socket: one that is so slow that events have passed it by is told how many ("lost") and goes on with the
 * oldest that are kept. So no reader can hold up the others, and memory is bounded whatever they do.
 *
 * A reader gets lines of JSON (event.h), one a packet: what is kept, then {"v":1,"type":"live"}, then what comes.
 */
#pragma once

#include <linux/types.h>
#include <poll.h>
#include <sys/types.h>

#include "event.h"
#include "event_names.h"

#define FEED_EVENTS_MAX 1000
#define FEED_READERS_MAX 16

struct feed_entry {
        int64_t time_ns; /* of the day */
        enum feed_kind { FEED_EVENT, FEED_NOTE, FEED_UNREADABLE, FEED_DROPPED } kind;
        union {
                struct lsm_event event;
                struct event_note note;
                uint64_t dropped;
        };
};

struct feed_reader {
        int fd; /* -1: none */
        pid_t pid;
        uint64_t at;      /* number of the entry it gets next */
        uint64_t live_at; /* number from which entries are new to it */
        uint64_t lost;    /* that it has not been told of yet */
        bool live;
};

struct feed {
        struct event_names names;
        struct feed_entry entries[FEED_EVENTS_MAX]; /* entry number N at N % FEED_EVENTS_MAX */
        uint64_t next;                              /* number of the entry that comes next */
        struct feed_reader readers[FEED_READERS_MAX];
};

struct feed *feed_new(void);
void feed_free(struct feed *f);
static inline void feed_free_p(struct feed **f) {
        feed_free(*f);
}
#define cleanup_feed cleanup(feed_free_p)

/* A place for a new entry, the oldest one's if need be; the caller fills it. */
struct feed_entry *feed_add(struct feed *f, enum feed_kind kind, int64_t time_ns);
/* Number of the oldest entry that is kept. */
uint64_t feed_oldest(const struct feed *f);
/* An entry that is kept, in words; NULL: no memory. */
json_t *feed_describe(const struct feed *f, uint64_t number);
/* Takes over fd, a connected SOCK_SEQPACKET. -EBUSY (and fd is closed): there are enough readers. pid: whose own events it is not
 * sent, because with each line it reads and prints it might make another one. */
int feed_join(struct feed *f, int fd, pid_t pid);

/* For ppoll(2): one for each of FEED_READERS_MAX. */
void feed_poll_fill(const struct feed *f, struct pollfd fds[static FEED_READERS_MAX]);
/* Sends what can be sent; lets go of readers that have gone. */
void feed_serve(struct feed *f, const struct pollfd fds[static FEED_READERS_MAX]);
