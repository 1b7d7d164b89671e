/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change to a release repository: the next version of some roles' documents, and the targets that are new in them. It is made,
 * signed by one person after another, and published as a whole.
 *
 * Until enough have signed it lies in a folder of its own, outside of what is served:
 *      pending.json                    {"format": 1, "base": {"bundles": 4}}: the versions it is based on
 *      ROLE.json                       the document with the signatures so far, for root, targets, bundles, rollouts
 *      NAME-VERSION.tar.zst, NAME.json the new targets
 */
#pragma once

#include "repo.h"

struct repo_file {
        char *target; /* bundles/..., rollouts/... */
        struct buf data;
};

struct repo_change {
        char *name;                       /* of the folder, below pending/ */
        struct repo_doc docs[ROLE_COUNT]; /* without body: stays as it is. Never snapshot and timestamp: publishing makes them */
        uint64_t base[ROLE_COUNT];        /* 0: there was none */
        struct repo_file *files;
        size_t n_files;
};
void repo_change_done(struct repo_change *c);
#define cleanup_repo_change cleanup(repo_change_done)

/* The document of a role, to be edited: a copy of what is in force, the first time. */
int repo_change_edit(const struct repo *repo, struct repo_change *c, enum repo_role role, struct repo_doc **ret, struct err *err);
/* A new target and its entry; custom is taken, and may be NULL. data is taken. */
int repo_change_target(struct repo_change *c, enum repo_role role, const char *target, struct buf *data, json_t *custom,
                       struct err *err);
/* No more edits: versions and expiries are set. */
int repo_change_seal(const struct repo *repo, struct repo_change *c, struct err *err);
/* What will be in force for a role once this is: from the change, else from the repository. */
const struct repo_doc *repo_change_doc(const struct repo *repo, const struct repo_change *c, enum repo_role role);

/* Signs each document with those of the keys that may sign it, in the new state or in the old one; counts signatures. */
int repo_change_sign(const struct repo *repo, struct repo_change *c, const struct signers *signers, size_t *ret_n,
                     struct err *err);
/* Have enough signed? threshold-not-met and the other words of signatures_verify(), naming the role. A document that is not
 * changed, and that a changed root or targets no longer accepts, is threshold-not-met, too. */
int repo_change_complete(const struct repo *repo, const struct repo_change *c, struct err *err);
/* stale-base: something that it is based on has moved on. Documents that are in force already are as they should be. */
int repo_change_base(const struct repo *repo, const struct repo_change *c, struct err *err);
/* What no valid change does, whoever signed it: expired, and for `bundles` and `rollouts` release-reused, release-too-old,
 * wrong-bundle, malformed. Each new target is there and is what its entry says. (repo_change_check.c) */
int repo_change_check(const struct repo *repo, const struct repo_change *c, struct err *err);

/* (repo_pending.c) */
/* Writes a new folder, whole or not at all. -EEXIST: there is one that somebody has signed and that is not stale. */
int repo_pending_save(const struct repo *repo, struct repo_change *c, const char *dir, struct err *err);
/* Writes the documents' signatures into the folder that it was loaded from. */
int repo_pending_update(struct repo_change *c, const char *dir, struct err *err);
int repo_pending_load(const struct repo *repo, const char *dir, struct repo_change *ret, struct err *err);
int repo_pending_remove(const char *dir, struct err *err);
/* Removes what one that was interrupted has left beside it. */
int repo_pending_sweep(const char *dir, struct err *err);
/* REPO/pending/NAME; NULL: no memory. */
char *repo_pending_path(const struct repo *repo, const char *name);
