/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle's rollout in a repository: read, and changed ring by ring. What it means to a node: lib/rollout.h. */
#pragma once

#include "repo_change.h"
#include "repo_release.h"
#include "rollout.h"

/* The rollout in force; without one, *ret is new and empty: no rings. */
int repo_rollout_load(const struct repo *repo, const char *bundle, struct rollout **ret, struct err *err);

struct rollout_step {
        const char *ring;
        const struct release *release;
        const char *waves;               /* "1h:1,24h:25,72h:100"; NULL: at once */
        const struct release *otherwise; /* `else`; NULL: the one that the ring had before */
        bool no_else;
        uint64_t floor; /* what lies below it is not offered as `else` */
        int64_t bake_s; /* 0: none */
        uint64_t bake_allow;
};
/* Moves a ring. `started` stays when the ring gets more of the release that it already is moving to; so does its `else`. */
int repo_rollout_step(struct rollout *r, const struct rollout_step *step, int64_t now, struct err *err);
/* Its target becomes part of the change. 1: it is as it was. */
int repo_rollout_save(const struct repo *repo, struct repo_change *c, const struct rollout *r, struct err *err);
