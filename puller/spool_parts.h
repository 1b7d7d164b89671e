/* SPDX-License-Identifier: Apache-2.0 */
/* Between spool*.c: the names in the folder. */
#pragma once

#include "spool.h"

#define SPOOL_OPEN "open"
#define SPOOL_DROPPING "dropping"
#define SPOOL_READY ".events"
#define SPOOL_SENDING ".sending"
#define SPOOL_NAME_MAX 32

void spool_name(char ret[static SPOOL_NAME_MAX], uint64_t number, const char *suffix);
/* false: no segment's name with this suffix. */
bool spool_name_parse(const char *name, const char *suffix, uint64_t *ret);

/* What is in the folder; names that are nobody's are passed over. */
struct spool_list {
        uint64_t ready, bytes;   /* how many; of all files that are ours */
        uint64_t oldest, newest; /* numbers of ready ones; newest of any; 0: none */
        uint64_t sending;        /* the lowest; 0: none */
};
int spool_list(int dir, struct spool_list *ret);
/* Each name in the folder; ends with the first negative result. */
int spool_each(int dir, int (*fn)(void *ctx, const char *name), void *ctx);
/* All of a segment. -EBADMSG: it is none (a link, a device, too long). */
int spool_read(int dir, const char *name, struct buf *ret);
/* Of whole lines. */
void spool_sum(const struct buf *lines, struct spool_sum *sum);
