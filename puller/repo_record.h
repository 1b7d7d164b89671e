/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node remembers of its release repository, apart from the trusted metadata itself (STATE/trust, packed papers):
 * STATE/repository.json has, for each bundle, the highest floor that was ever seen (also when the anchor has changed since), and
 * what was decided last; and the newest time that the repository has vouched for, below which the clock is never believed.
 */
#pragma once

#include "node.h"
#include "papers.h"
#include "rollout.h"

struct repo_memory {
        char bundle[64];
        uint64_t floor;
        char why[32], reason[32]; /* as words; "" when nothing was decided yet */
        char sentence[512];
        uint64_t release; /* that the rollout has for this node; 0: none */
        /* Content ids that came from the repository: last, and before that (what `rollback` goes back to); "": none. What else is
         * in force, the operator installed. */
        char taken[SHA256_HEX], taken_before[SHA256_HEX];
        bool removed; /* by the operator: nothing of it is taken until `retry` */
        int64_t next; /* when the answer may change by itself; 0: it will not */
};

struct repo_record {
        int64_t issued;
        struct repo_memory *list;
        size_t n;
};
void repo_record_done(struct repo_record *r);
#define cleanup_repo_record cleanup(repo_record_done)

/* An absent record is an empty one. A damaged one is an error: floors are not to be forgotten by accident. */
int repo_record_load(int state_fd, struct repo_record *ret, struct err *err);
/* Durable; does nothing when it says what is there already. */
int repo_record_save(int state_fd, const struct repo_record *r, struct err *err);
/* The bundle's, added when it is not there. NULL: no memory. */
struct repo_memory *repo_memory_of(struct repo_record *r, const char *bundle);

/* The operator has removed the bundle, or wants it tried again (NULL: all). */
int repo_removed_set(int state_fd, const char *bundle, bool removed, struct err *err);

/* The trusted metadata of the last time; empty when there is none. */
int repo_papers_load(int state_fd, struct papers *ret, struct err *err);
int repo_papers_save(int state_fd, const struct papers *p, struct err *err);

/* Verification time: the latest of the clock, `issued` and the time this program was built. *ret_clock says whether the clock is
 * behind what was signed. */
int64_t repo_now(int64_t issued, enum rollout_clock *ret_clock);
