/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where file systems are in the node's own tree, as the rules' engine wants it (lsm_rules_roots of lsm_rules_abi.h): so that a rule
 * about /srv/keys/ is about what is on the disk mounted there, wherever else somebody mounts it.
 */
#pragma once

#include <linux/types.h>

#include "lsm_rules_abi.h"
#include "mounts.h"

struct rules_place {
        uint32_t dev;
        struct lsm_rules_root root;
};

struct rules_roots {
        struct rules_place *list;
        size_t n; /* at most LSM_ROOTS_MAX */
        struct rules_place special[LSM_ROOTS_SPECIAL];
        size_t n_special;
        /* File systems left out because their root is nowhere to be seen: folders of them are mounted, or something over it. */
        size_t parts;
        size_t full; /* left out because there are too many */
};
void rules_roots_done(struct rules_roots *r);
#define cleanup_rules_roots cleanup(rules_roots_done)

/* The automaton's cells, from their seed: records of index and cell; what is not there is zero. -EBADMSG (malformed): it is none. */
int rules_cells_read(const void *p, size_t n, size_t n_cells, struct lsm_rules_cell **ret, struct err *err);

/*
 * For each file system the place that rules may be about; of several the one with the shortest path, and of those the first in the
 * table. Those that rules may be about come first.
 *
 * before: what was found the last time; NULL: nothing. A place that rules may be about stays, however the file system is moved,
 * covered, or mounted besides, as long as it is mounted at all; and that of a disk which is mounted nowhere until there is another: it may
 * be in use still. The number of a file system without a disk is soon another's.
 */
int rules_roots_find(const struct mounts *m, const struct lsm_rules_cell *cells, size_t n_cells, uint32_t start,
                     const struct rules_roots *before, struct rules_roots *ret, struct err *err);
