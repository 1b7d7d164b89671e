/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the reporter puts events beside its readers: a file, the journal, a spool for a receiver in the network. Each sink goes through the feed at its own place, as
 * a reader does, and nothing is queued for it but what the feed keeps: one that fails or is too slow holds up neither the
 * kernel's buffer nor the others, and is given a "lost" event with the number of those that have passed it by.
 *
 * Sinks are counted in memory that the supervisor shares with one reporter after the other: it outlives a reporter, so that
 * what one had taken and not written when it was killed is known to the next. At every moment taken = written + refused + dropped +
 * what waits. For the network the sender counts what was written, by which the receiver's acceptance is meant.
 */
#pragma once

#include "cgroup_tree.h"
#include "feed.h"
#include "sink_file.h"
#include "sink_http.h"
#include "sink_journal.h"

enum sink_kind { SINK_FILE, SINK_JOURNALD, SINK_HTTP, SINK_KINDS };

/* What is configured; goes to the reporter as it is. */
struct sinks_spec {
        char file[PATH_MAX]; /* "": none */
        uint64_t max_size;
        uint32_t keep;
        uint32_t journald;
        uint32_t http;
        uint64_t http_size; /* of the spool */
        char run_dir[108];  /* where what containers are called is kept; "": nowhere */
};
bool sinks_spec_any(const struct sinks_spec *spec);

#define SINK_TROUBLE_MAX 256
struct sink_counts {
        uint64_t taken;   /* events for this sink */
        uint64_t written; /* of these; once each, unless it was killed between the two */
        uint64_t dropped; /* of these, never written */
        uint64_t retried; /* attempts that failed and were made again */
        uint32_t error;   /* why it does not work now; 0: it does */
        uint32_t on;
        /* By the sender: */
        uint64_t refused;                    /* of those taken: the receiver does not want them */
        int64_t told;                        /* events that the receiver was told were lost; below 0: those before this agent */
        uint64_t sent;                       /* the segment that was accepted last */
        uint32_t accounting;                 /* it is changing these */
        uint32_t failures;                   /* attempts in a row, also of senders before this one */
        uint32_t trouble;                    /* the receiver cannot be reached, or does not take anything */
        char trouble_text[SINK_TROUBLE_MAX]; /* why */
};
struct sinks_counts {
        struct sink_counts of[SINK_KINDS];
};

/* "file", "journald", "http". */
const char *sink_name(enum sink_kind kind);
/* In words; "": it works. */
const char *sink_error(uint32_t error);
/* The supervisor's: a memory file of fixed size, mapped. Returns its descriptor. */
int sinks_counts_new(struct sinks_counts **ret, struct err *err);
/* The reporter's: maps what it was given; -EBADMSG when that is something else. */
int sinks_counts_map(int fd, struct sinks_counts **ret, struct err *err);
void sinks_counts_free(struct sinks_counts *counts);
/* One that is on does not work. counts may be NULL. */
bool sinks_counts_failing(const struct sinks_counts *counts);
/* [{"name": "file", "written": N, "dropped": N, "retried": N, "error": "..."}]: those that are on; of "http" also "waiting" and
 * "refused". counts may be NULL. */
json_t *sinks_counts_json(const struct sinks_counts *counts);

struct sink {
        struct sink_counts *counts;
        uint64_t at;   /* number of the entry that it gets next */
        uint64_t owed; /* dropped, and not told yet */
        int64_t due;   /* when to try again, CLOCK_MONOTONIC; 0: now */
        int said;      /* the error that was said */
        bool on;
};
struct sinks {
        struct sink sink[SINK_KINDS];
        struct sink_file file;
        struct sink_journal journal;
        struct sink_http http;
        int64_t flush_due; /* when the spool is to be looked at, CLOCK_MONOTONIC; 0: no need */
        struct cgroup_tree cgroups;
        char run_dir[108];
};
#define SINKS_INIT       \
        ((struct sinks){ \
                .file = SINK_FILE_INIT, .journal = SINK_JOURNAL_INIT, .http = SINK_HTTP_INIT, .cgroups = CGROUP_TREE_INIT})

/* cgroups: the root of their hierarchy, taken over; -1: none. */
void sinks_places(struct sinks *s, int cgroups);

/* While still root. A sink that cannot be opened stays on, and fails: it is said, shown and counted, and keeps nobody from the
 * rest. journal: SINK_JOURNAL_SOCKET, or a test's. spool, wake: for the network, taken over; -1: none. */
void sinks_open(struct sinks *s, const struct sinks_spec *spec, const char *journal, uid_t uid, gid_t gid, int spool, int wake,
                struct sinks_counts *counts);
void sinks_close(struct sinks *s);
#define cleanup_sinks cleanup(sinks_close)
/* For each entry, before it is added to the feed. */
void sinks_take(struct sinks *s);
/* Writes what can be written. To be called after at most FEED_EVENTS_MAX new entries, or some are dropped. */
void sinks_serve(struct sinks *s, const struct feed *f);
/* When to call it again without a new entry: ms, for poll(2); -1: no need. */
int sinks_timeout(const struct sinks *s, const struct feed *f);
