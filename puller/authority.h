/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On whose word a release is in force, as of today. Revoking a key stops installing; it takes nothing away from a node that has
 * the release already, not even over a reboot. This says so.
 */
#pragma once

#include "node.h"
#include "store.h"

struct authority {
        bool repository; /* else: keys that an operator named */
        size_t signers;  /* whose signatures were counted */
        size_t removed;  /* of these, with a repository: may not sign for it any more */
        bool unlisted;   /* the repository does not list the release any more */
        bool old_anchor; /* the anchor has changed since */
};

/* By the metadata that was trusted last; without any, nothing is known to have been removed. */
int authority_find(const struct node *n, const struct receipt *r, struct authority *ret, struct err *err);
