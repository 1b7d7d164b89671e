/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of cgroups for who may not open them by their ids (event_cgroup.h), as the reporter, which has no capabilities: by reading the
 * hierarchy, in which the number of a folder's inode is the cgroup's id. What was read is kept and looked at first; it is read
 * anew for an id that is not there, and for that never takes more than a tenth of a processor.
 */
#pragma once

#include "buf.h"

#define CGROUP_TREE_MAX 8192        /* cgroups, those nearest to the root first */
#define CGROUP_TREE_TEXT (2u << 20) /* bytes, of their paths */
#define CGROUP_TREE_PATH 1024       /* bytes; a cgroup with a longer path is left out */

struct cgroup_node {
        uint64_t id;
        uint32_t at; /* of its path in the text */
};
struct cgroup_tree {
        int dir;               /* -1: there is no hierarchy */
        struct cgroup_node *v; /* sorted by id */
        size_t n;
        struct buf text; /* paths below the mount, terminated; the root's is "" */
        int64_t due;     /* before that it is not read again, CLOCK_MONOTONIC, ns */
};
#define CGROUP_TREE_INIT ((struct cgroup_tree){.dir = -1})

/* "/" for the root; until the next call. NULL: it is gone, or nobody knows it. */
const char *cgroup_tree_path(struct cgroup_tree *t, uint64_t id);
void cgroup_tree_done(struct cgroup_tree *t);
#define cleanup_cgroup_tree cleanup(cgroup_tree_done)
