/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Publishing: a change becomes what nodes see. Everything is checked before the first write; then targets, documents, snapshot,
 * and timestamp.json last. Until that one is replaced, clients see the old state, whole; after it the new one.
 *
 * A new root stands outside of that order, for clients look for it first. Where the old keys have signed timestamp, snapshot and
 * targets as well, it is written last and no client ever meets a state that does not hold. Where they have not (they are lost, or
 * in the wrong hands), it is written just before timestamp.json: clients that come in between refuse, keep what they have, and
 * try again.
 */
#pragma once

#include "repo_change.h"
#include "strv.h"

struct repo_publication {
        const struct signers *signers; /* for snapshot and timestamp */
        bool snapshot, timestamp;      /* sign them anew, also when nothing demands it */
        unsigned keep;                 /* prune: keep so many releases of each bundle; 0: everything */
        struct strv written;           /* out: paths; empty: it was published already */
        bool gap;                      /* out: there was a moment in which clients refused */
};
#define cleanup_publication cleanup(repo_publication_done)
void repo_publication_done(struct repo_publication *p);

/* Would it need a new snapshot or timestamp, so that their keys must be given? */
bool repo_publish_needs(const struct repo *repo, const struct repo_change *c, enum repo_role role);
/* c: complete and based on what is in force, else refused. May be called again after an interruption. */
int repo_publish(const struct repo *repo, struct repo_change *c, struct repo_publication *p, struct err *err);

/* (repo_prune.c) Removes files that neither the newest `keep` releases of a bundle nor a rollout need, and documents that are out
 * of force but for the newest `keep` ones (at least two: clients in the middle of an update ask for the last). Roots stay. */
int repo_prune(const char *path, unsigned keep, struct err *err);
/* (repo_git.c) Commits metadata/, targets/ and repo.json and pushes, where the repository publishes by Git. */
int repo_git_push(const struct repo *repo, const char *message, struct err *err);
/* Before anything is written: this clone is as the remote's branch is (stale-base). */
int repo_git_check(const struct repo *repo, struct err *err);
/* A new repository whose branch is pushed to url. */
int repo_git_init(const struct repo *repo, const char *url, struct err *err);
