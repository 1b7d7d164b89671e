/* SPDX-License-Identifier: Apache-2.0 */
/* A repository for people and for scripts: who may sign what, what expires when, releases, rollouts, what is pending. */
#pragma once

#include "repo_change.h"
#include "repo_release.h"

struct repo_view {
        struct releases releases;
        struct rollout **rollouts;
        size_t n_rollouts;
        struct repo_change *pending; /* those that can be read */
        size_t n_pending;
};
void repo_view_done(struct repo_view *v);
#define cleanup_repo_view cleanup(repo_view_done)
int repo_view_read(const struct repo *repo, struct repo_view *ret, struct err *err);

enum expiry {
        EXPIRY_GOOD,
        EXPIRY_SOON, /* less than a fifth of its time is left */
        EXPIRY_PAST,
};
enum expiry repo_expiry(const struct repo *repo, enum repo_role role);
/* "good", "soon", "expired" */
const char *expiry_word(enum expiry expiry);

int repo_show_text(const struct repo *repo, const struct repo_view *v, struct buf *out);
/* (repo_show_json.c) NULL: no memory. */
json_t *repo_show_json(const struct repo *repo, const struct repo_view *v);
