/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions of policies, as people and programs read them: JSON lines whose members are fixed by "v", and lines for a terminal.
 *
 *      {"v":1,"type":"denied","time":"2026-01-31T12:00:00.123456Z","bundle":"baseline","version":"1.4.0","release":42,
 *       "policy":"shadow-protect","hook":"file_open","mode":"enforce","errno":"EACCES","why":"reads the password file",
 *       "pid":812,"tgid":812,"uid":1000,"gid":1000,"comm":"unprivileged","object":"/etc/shadow","cgroup":3177}
 *
 * "count", and "first" (a time): it stands for so many denials of its kind, its own and those that were folded since "first".
 *
 * For a rule, "policy" is the one that it is written in, and "rule" its id, in place of "why".
 *
 * type: "denied"; "would-deny" (audit and shadow: allowed); "swap" (a generation's fate, by the agent); "unreadable" (a record
 * that is no event); "lost" (count: so many events have passed a reader by that was too slow); "dropped"
 * (count: so many have found the kernel's buffer full). What is not known is left out; a
 * number whose name is not known is "#N".
 *
 * Texts in a record were written by tasks and policies: not terminated, not UTF-8, meant to fool a terminal. In JSON and on a
 * terminal alike, what is not a printable character is \xNN, byte by byte, and so is the backslash itself.
 */
#pragma once

#include <linux/types.h>

#include "json.h"
#include "lsm_abi.h"

struct event_names;

#define EVENT_VERSION 1

/* Something the agent itself has done, for the same readers. Texts are terminated. */
struct event_note {
        char state[24]; /* "confirmed", "rolled-back", "refused", "removed" ... */
        char bundle[64], version[64];
        char reason[32]; /* one of the stable words, or "" */
        char message[200];
        uint64_t release;
};

/* A copy of a record of the ring buffer. -EBADMSG: it is not an event of this ABI; then nothing of it is to be believed. */
int event_read(const void *p, size_t n, struct lsm_event *ret);
/* What to add to CLOCK_BOOTTIME for the time of day, ns. */
int64_t event_clock_offset(void);
int64_t event_clock_boottime(void);

/* NULL: no memory. Times of day in ns since the epoch. */
json_t *event_json(const struct lsm_event *e, int64_t time_ns, const struct event_names *names);
json_t *event_note_json(const struct event_note *n, int64_t time_ns);
json_t *event_unreadable_json(int64_t time_ns);
json_t *event_lost_json(uint64_t count);
json_t *event_dropped_json(uint64_t count, int64_t time_ns);
/* From the reporter to its readers, not for people: from here on, what comes is new. */
json_t *event_live_json(void);
/* The object as one line, with its newline. */
int event_json_format(const json_t *event, struct buf *out);

/* One line for people, with its newline; `event` came from the reporter and is not trusted either. Local time. -EBADMSG: not an
 * event that this program knows. */
int event_text_format(const json_t *event, bool colour, struct buf *out);
/* The same without time, columns and newline: for logs that have a time of their own. */
int event_sentence_format(const json_t *event, struct buf *out);

/* NULL: every one. policy: NAME or BUNDLE/NAME. */
struct event_filter {
        const char *policy, *bundle, *rule, *mode;
        const char *since; /* RFC 3339, UTC, as the events' own */
        bool denied;       /* denials alone */
};
bool event_filter_valid(const struct event_filter *f);
/* "90s", "15m", "2h", "7d", or a time as an event has it, to the second or finer: to a text that event times compare with. -EINVAL. */
int event_since(const char *text, int64_t now_ns, char ret[static 32]);
bool event_passes(const struct event_filter *f, const json_t *event);

/* Appends n bytes of text from outside, up to a NUL, in printable characters. `backslash`: escape that, too. */
int event_escape(struct buf *out, const char *text, size_t n, bool backslash);
