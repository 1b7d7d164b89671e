/* SPDX-License-Identifier: Apache-2.0 */
/* One request to a receiver of events, and what its answer means for what was sent. */
#pragma once

#include "https.h"
#include "sender.h"

enum sender_verdict {
        SENDER_ACCEPTED,
        SENDER_REFUSED, /* it does not want this; something else perhaps */
        SENDER_LATER,   /* not reached, busy, broken */
        SENDER_DENIED,  /* it does not know us, or not this place: what is configured, or a token, is wrong */
};

/* What was opened before the sandbox. */
struct sender_post {
        const struct sender_spec *spec;
        struct https_session *session;
        struct buf ca, certificate, key, token;
        uint16_t ports[HTTPS_PORTS_MAX + 1];
        size_t n_ports;
};
/* While still root: reads the files. spec must outlive it. */
int sender_post_prepare(struct sender_post *p, const struct sender_spec *spec, struct err *err);
void sender_post_done(struct sender_post *p);

/* *ret_rejected: of those accepted, how many the receiver has thrown away; *ret_retry_s: when it wants to be asked again, 0: not said.
 * err: why not, unless it was accepted. */
enum sender_verdict sender_post(struct sender_post *p, const struct buf *body, uint64_t *ret_rejected, int *ret_retry_s,
                                struct err *err);
