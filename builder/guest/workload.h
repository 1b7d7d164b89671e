/* SPDX-License-Identifier: Apache-2.0 */
/* What an ordinary root process does: files, sockets, processes; so that the hooks of a bundle are called. Nothing in it is meant
 * to be denied, and what a policy denies all the same is counted. */
#pragma once

#include <stddef.h>

struct workload {
        size_t tried, denied; /* operations; those that ended with EPERM or EACCES */
};

/* Prepares its scratch directory. 0 or a negative errno. */
int workload_begin(void);
/* Cheap operations so many times, and those that start a process or change mounts a tenth of it. */
void workload_run(struct workload *w, unsigned rounds);
