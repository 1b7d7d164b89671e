/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One update of a release repository's metadata, in the fetcher: TUF's workflow over a transport, and the rollouts of the bundles
 * that are wanted. What is known from the last time lies in the spool, and is checked like anything else:
 *
 *      SPOOL/metadata/ROLE.json, N.root      as received
 *      SPOOL/seen                            what the server said of its timestamp, to ask "anything new?"
 *      SPOOL/rollout/NAME.json               the rollouts
 */
#pragma once

#include "papers.h"
#include "transport.h"

struct repo_refresh {
        struct transport *transport;
        int spool;
        int64_t now;
        const char *ring; /* whose choices will be asked for; NULL: none */
        const char *const *bundles;
        size_t n_bundles;
};

/* ret: everything that is trusted, in the order of trust, with the roles that vouch for what the ring may choose. A bundle
 * without a rollout is left out: what that means, the supervisor says. */
int repo_refresh(const struct repo_refresh *what, const struct buf *anchor, struct papers *ret, struct err *err);
