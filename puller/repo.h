/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node and its release repository: one poll brings the metadata up to date, decides for each configured bundle what is to run
 * here (rollout.h), and does it. The fetcher's word counts for nothing: what is decided is decided from metadata that was verified
 * here, against what was trusted the last time.
 *
 * An unreachable or expired repository takes nothing away: waves go on by what is known, and what is in force stays.
 */
#pragma once

#include "repo_fetch.h"
#include "source.h"

/* As source_poll(); s->next_s and next_own say when the answer may change by itself. */
int repo_poll(struct node *n, struct source *s, bool *ret_changed, struct err *err);
/* A repository on this disk, for a node that has never confirmed anything. 0 when there was nothing to do. */
int repo_first_boot(struct node *n, bool *ret_changed, struct err *err);
/* Can it be reached, and does it answer? */
int repo_reachable(struct node *n, int64_t deadline_ns, struct err *err);
