/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A release repository, seen from the supervisor: an unprivileged child talks to it (repo_fetcher.h), and nothing of what it says
 * is believed. Metadata comes as papers, still to be verified; a bundle only when its content id is the one that verified
 * metadata lists.
 */
#pragma once

#include "fetch.h"
#include "node.h"
#include "papers.h"
#include "transport.h"

struct repo_source {
        enum transport_kind kind;
        const char *url, *branch;
};
/* As configured. false: the source is not a repository. */
bool repo_source_configured(const struct config *c, struct repo_source *ret);

/* now: verification time. On failure ret_info holds what struct fetched says of failures. */
int repo_fetch_papers(const struct node *n, const struct repo_source *source, const struct buf *anchor, int64_t now,
                      struct papers *ret, struct fetched *ret_info, struct err *err);
/* file: below targets/. ret->release is verified. */
int repo_fetch_release(const struct node *n, const struct repo_source *source, const char *file,
                       const uint8_t content[static SHA256_SIZE], struct fetched *ret, struct err *err);
