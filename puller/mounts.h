/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount table, as /proc/PID/mountinfo has it. Where things are mounted is chosen by whoever may mount, so paths are not trusted
 * to be anything. The loader reads it when it loads rules, and the agent when something is mounted.
 */
#pragma once

#include "err.h"
#include "util.h"

#define MOUNTS_TEXT_MAX (64u << 20) /* a node has 100,000 mounts at most, unless told otherwise */

struct mount_entry {
        uint32_t id, parent;
        uint32_t dev;     /* the kernel's number: major << 20 | minor */
        bool whole;       /* the root of the file system is what is mounted, and not a folder of it */
        bool seen;        /* a path from the root leads to it: nothing is mounted over it or over a folder above */
        char *path;       /* "" or "/a/b", as it is: nothing in it is escaped */
        const char *type; /* "ext4"; "" when the line does not tell */
};

struct mounts {
        struct mount_entry *list; /* in the table's order */
        size_t n;
        size_t unreadable; /* lines left out: not of this form, or mounted where no path leads to */
        char *text;        /* holds the paths */
};
void mounts_done(struct mounts *m);
#define cleanup_mounts cleanup(mounts_done)

/* p: at most MOUNTS_TEXT_MAX bytes. -ENOMEM alone is an error. */
int mounts_parse(const void *p, size_t n, struct mounts *ret);
/* All that fd, of /proc/PID/mountinfo, has to say, from its beginning; what is too long ends at a line. */
int mounts_read(int fd, struct mounts *ret);
/* The node's own mount table: PID 1's, unless /proc hides it. */
int mounts_open(void);
