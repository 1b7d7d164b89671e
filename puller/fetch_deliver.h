/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the fetcher: the ends of its conversation with the supervisor; and in between, an archive is read by the same code as
 * everywhere, and handed over piece by piece as sealed memory files.
 */
#pragma once

#include "bundle.h"
#include "fetch_proto.h"

/* Sends MANIFEST and one MEMBER each. What it refuses is advice: the supervisor checks again. */
int bundle_deliver(int sock, int fd, const struct bundle_trust *trust, const struct bundle_limits *limits, struct err *err);

/* To be called before anything is sent. */
int fetch_begin(int sock);
/* The last packet: what `answer` says, or the story of a failure (result < 0); then the process ends. */
_Noreturn void fetch_end(int sock, struct fetch_packet *answer, int result, const struct err *err);

int fetch_packet_send(int sock, const struct fetch_packet *p, const int *fds, size_t n_fds, struct err *err);
/* An empty memory file that can be sealed. */
int fetch_memory_file(const char *name);
