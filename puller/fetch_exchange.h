/* SPDX-License-Identifier: Apache-2.0 */
/* One conversation with the fetcher: the child is started, gets its request, and everything it answers is taken for hostile. */
#pragma once

#include "child.h"
#include "fetch.h"
#include "fetch_intake.h"
#include "fetch_proto.h"

struct fetch_call {
        struct intake in;   /* trust and limits, when a bundle is wanted */
        struct buf *papers; /* when metadata is wanted instead: packed, unverified */
        bool conditional;   /* "not modified" is an answer */
        struct waiter *waiter;
        int64_t deadline_ns;
        struct child child;
        bool sandboxed;
};
#define FETCH_CALL_INIT .child = CHILD_INIT
void fetch_call_done(struct fetch_call *c);
#define cleanup_fetch_call cleanup(fetch_call_done)

/* packet and fds: the request, as fetch_proto.h has it; fds stay the caller's. Returns as fetch_bundle() does. */
int fetch_call(struct fetch_call *c, const char *exe, const char *role, const struct buf *packet, const int *fds, size_t n_fds,
               struct fetched *ret, struct err *err);
