/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engines of rules follow the node's mounts: where file systems are (rules_roots.h) is worked out anew when something was mounted,
 * and put into the table of each engine that is loaded, in force or in the shadow of what is.
 */
#pragma once

#include "mounts.h"
#include "node.h"
#include "rules_roots.h"

/* What has to be removed from a table, and what put in, for `before` to become `after`. */
struct rules_change {
        const struct rules_place *put;
        size_t n_put;
        uint32_t *gone; /* devices */
        size_t n_gone;
        struct rules_place *room; /* what put points into */
};
int rules_change_find(const struct rules_roots *before, const struct rules_roots *after, struct rules_change *ret);
void rules_change_done(struct rules_change *c);
#define cleanup_rules_change cleanup(rules_change_done)

/*
 * Reads fd, of mounts_open(). An engine whose pins cannot be read is left as it is, and the first error returned; the others follow.
 * What engines have remembered is void after a change, by a rename of the agent's own: the kernel counts those (rename_lock), and nothing
 * is remembered beyond the next one. 1: something changed.
 */
int rules_follow(struct node *n, int fd, struct err *err);
