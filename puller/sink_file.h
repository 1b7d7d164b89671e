/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events in a file, a line of JSON each, with rotation: NAME is written to, NAME.1 is the newest of those that are full, up to
 * NAME.KEEP. Never more than (KEEP + 1) * max_size bytes. Full files are renamed, oldest first, so that whenever this is cut
 * off every line is in one of them, in order, and the next rotation closes the gap.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "err.h"

#define SINK_FILE_MIN (64u << 10) /* of max_size; no line is as long */
#define SINK_FILE_SIZE (64u << 20)
#define SINK_FILE_KEEP 5
#define SINK_FILE_KEEP_MAX 100

struct sink_file {
        int dir, fd; /* -1: none; not open */
        char name[NAME_MAX + 1];
        uint64_t max_size, size;
        unsigned keep;
};
#define SINK_FILE_INIT ((struct sink_file){.dir = -1, .fd = -1})

/* An absolute path that can be one: in a folder that is not the root, with room for a number behind its name. */
bool sink_file_path_valid(const char *path);
/* While still root: opens the folder, and makes it, for this user, if only the last part of it is missing. A folder that
 * exists is left as it is. On failure nothing is open. */
int sink_file_prepare(struct sink_file *s, const char *path, uid_t uid, gid_t gid, struct err *err);
void sink_file_done(struct sink_file *s);

/* Before lines are written: opens the file, if it is not open or another one stands in its place. What was half written when
 * the power failed is cut off. -EBADMSG: what is there is not a file of lines of JSON, and is left alone. */
int sink_file_look(struct sink_file *s);
/* One line, with its newline: all of it, or nothing. */
int sink_file_write(struct sink_file *s, const void *p, size_t n);
