/* SPDX-License-Identifier: Apache-2.0 */
/* What repo.c and repo_bundle.c share; nobody else includes this. */
#pragma once

#include "repo.h"
#include "repo_record.h"

/* One poll, or the first boot. */
struct repo_cycle {
        struct node *n;
        struct repo_source source;
        struct buf anchor;
        struct tuf_signed anchor_signed;
        struct papers papers;    /* trusted: verified here */
        struct tuf_trust *trust; /* of these; NULL: nothing is trusted yet */
        struct papers bound;     /* with no trust: what may not be gone back behind all the same; empty: nothing is known */
        struct repo_record record;
        int64_t now;
        enum rollout_clock clock;
        bool ignore_expiry;
};
/* When the answer may change by itself. */
struct repo_next {
        int64_t seconds; /* 0: it will not */
        bool own;        /* this node's moment alone (the end of a bake), not a wave's */
};

void repo_cycle_done(struct repo_cycle *c);
#define cleanup_repo_cycle cleanup(repo_cycle_done)

/* (repo_bound.c) Finds c->bound: the newest metadata by which a kept release was accepted, from today's anchor. */
void repo_bound_find(struct repo_cycle *c);

/* The shadow of a bundle, for the facts of a decision; content_hex is for them to point at. */
void repo_shadow_look(const struct node *n, const struct bundle *b, struct rollout_facts *facts,
                      char content_hex[static SHA256_HEX]);
/* Begins the bake, or goes on with it; *ret_done: it has lasted long enough. 0 with bake-failed in err: too many would-be denials. */
int repo_shadow_step(struct node *n, struct bundle *b, const struct release *rel, const struct receipt *receipt,
                     const struct rollout_ring *ring, bool *ret_done, struct err *err);
void repo_shadow_end(struct node *n, struct bundle *b);

/* What is to run here of one bundle, and that it does. What was decided is in the record. */
int repo_bundle_step(struct repo_cycle *c, const char *bundle, bool *ret_changed, struct repo_next *ret_next, struct err *err);
