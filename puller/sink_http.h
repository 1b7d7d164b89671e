/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events on their way to a receiver in the network: the reporter's half, which has no network. It writes them into the spool
 * (spool.h), where they wait for the sender (sender.h), through restarts of both.
 */
#pragma once

#include "spool.h"

struct sink_http {
        struct spool spool;
        int wake; /* to the sender: there is something new; -1: none */
};
#define SINK_HTTP_INIT ((struct sink_http){.spool = SPOOL_INIT, .wake = -1})

/* Takes over both descriptors. dir -1: the folder could not be opened, and nothing works. */
int sink_http_prepare(struct sink_http *s, int dir, int wake, uint64_t max_size);
void sink_http_done(struct sink_http *s);
/* One line, with its newline. What had to make room for it is added to *lost. */
int sink_http_write(struct sink_http *s, const void *p, size_t n, struct spool_sum *lost);
/* After some lines, and when nothing comes: lets the sender have what it may. false: something is left to be given later. */
bool sink_http_flush(struct sink_http *s);
