/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one download that was not finished: SPOOL/partial, and in SPOOL/partial.of what it is the beginning of. Nothing in there is
 * trusted: a wrong beginning makes a file that does not match its signed hash. There is never more than one.
 */
#pragma once

#include "transport.h"

struct partial {
        int spool; /* -1: in memory, and gone when it is closed */
        int fd;
        uint64_t size; /* received and kept so far */
        const char *path;
        char validator[TRANSPORT_VALIDATOR_MAX]; /* of those bytes; "": they cannot be gone on with */
        bool resumed;                            /* something was gone on with */
};
#define PARTIAL_INIT ((struct partial){.spool = -1, .fd = -1})

/* With what there is of this path already, up to max bytes; else empty. */
int partial_open(struct partial *p, int spool, const char *path, uint64_t max, struct err *err);
/* The answer begins: it is the rest, or all of it. The validator ("": none) is what it can be gone on with. */
int partial_begin(struct partial *p, bool rest, const char *validator, struct err *err);
int partial_append(struct partial *p, const void *data, size_t n, struct err *err);
/* Forgets the content. */
int partial_restart(struct partial *p, struct err *err);
/* It is whole: out of the spool, the descriptor is the caller's, at its start. */
int partial_take(struct partial *p, int *ret_fd, struct err *err);
/* Keeps what there is for the next time, if it can be gone on with; else there is nothing of it left. */
void partial_close(struct partial *p);
