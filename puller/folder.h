/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's own folders: opened by name below an open folder, never through a link. */
#pragma once

#include "err.h"
#include "util.h"

/* Opens the folder `name` below dirfd. With `create`, makes it (0700, durable) when it is not there; else that is -ENOENT. */
int folder_open(int dirfd, const char *name, bool create, struct err *err);
/* Opens a regular file for reading. -ENOENT; not-a-file. */
int regular_open(int dirfd, const char *name, struct err *err);

struct names {
        char **list;
        size_t n;
};
void names_done(struct names *names);
#define cleanup_names cleanup(names_done)
/* What is in an open folder, "." and ".." left out, sorted. */
int folder_list(int fd, struct names *ret, struct err *err);

/* Removes the temporary files of file_replace() that a writer who was killed has left in an open folder. Nobody else may be writing
 * there. */
int folder_tidy(int fd, struct err *err);
/* Removes `name` below dirfd, with all that is in it if it is a folder. Stays on its file system. Nothing there is success. */
int folder_remove(int dirfd, const char *name, struct err *err);
