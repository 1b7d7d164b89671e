/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events on the disk, on their way from the reporter, which writes them, to the sender, which takes them to a receiver: a folder of
 * segments, each as many lines of JSON as go into one request.
 *
 *      open                    being written
 *      0000000000000007.events whole: whoever renames it has it
 *      0000000000000007.sending the sender's
 *      dropping                the writer's, to be counted and removed: the oldest, when there is no room
 *
 * A rename is all the locking there is: a segment is sent or dropped, never both, whoever is killed in between. What the reporter
 * was writing when it was killed loses at most its last line, which was not whole. Nothing is synced: a power cut may cost what the
 * kernel had not written. Both sides run as the same user, and neither believes what it finds.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "buf.h"
#include "err.h"

#define SPOOL_SIZE (64u << 20)
#define SPOOL_MIN (1u << 20)           /* of max_size */
#define SPOOL_SEGMENT_MAX (256u << 10) /* bytes of lines; no line is as long */

/* What lines stand for. */
struct spool_sum {
        uint64_t events; /* lines that are events */
        uint64_t told;   /* events that lines of type "lost" tell of */
};
/* Adds a line's share; without its newline. false: it is no event. */
bool spool_line_sum(const char *line, size_t n, struct spool_sum *sum);

/* While still root: opens the folder, and makes it, for this user alone, if only the last part of it is missing. Returns its
 * descriptor. */
int spool_folder(const char *path, uid_t uid, gid_t gid, struct err *err);

/* ---- the reporter's side ------------------------------------------------------------------------------------------------- */

struct spool {
        int dir, fd; /* -1: none; no open segment */
        uint64_t max_size, size /* of the open segment */, next /* number */;
};
#define SPOOL_INIT ((struct spool){.dir = -1, .fd = -1})

/* Takes over dir. While still root, or later: opens nothing for writing. */
int spool_begin(struct spool *s, int dir, uint64_t max_size);
void spool_done(struct spool *s);
/* What waits: of all segments but `sent`, the number of one that was accepted already (0: none). -EAGAIN: the sender has taken or
 * removed one meanwhile. */
int spool_waiting(const struct spool *s, uint64_t sent, struct spool_sum *ret);
/* One line, with its newline: all of it, or nothing. */
int spool_append(struct spool *s, const void *line, size_t n);
/* What was appended may be taken, unless so much waits that it had better wait for more. 1: there is something new to take. */
int spool_publish(struct spool *s);
/* Drops the oldest until there is room for a segment; what was lost is added to *sum. */
int spool_make_room(struct spool *s, struct spool_sum *sum);

/* ---- the sender's side --------------------------------------------------------------------------------------------------- */

struct spool_segment {
        uint64_t number;
        struct buf lines;
};
void spool_segment_done(struct spool_segment *g);
#define cleanup_segment cleanup(spool_segment_done)

/* The oldest, or the one that was taken and not removed. 1; 0: there is none. What is no segment is removed, and passed over. */
int spool_take(int dir, struct spool_segment *ret);
/* It was accepted. */
int spool_remove(int dir, uint64_t number);
