/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What containers are called, as their runtime tells it to a hook of the OCI runtime specification (`lsmpull oci-hook`): kept in
 * RUN/containers/ID while the container is there, for whoever shows events. It was said by whoever made the container, and decides
 * nothing.
 */
#pragma once

#include "json.h"

#define CONTAINER_NAMES_FOLDER "containers"
#define CONTAINER_NAMES_MAX 4096 /* containers; then those whose process is gone go first */

/*
 * state: what the runtime gives a hook, n bytes. Keeps the names of a container that is being made, and forgets one that has stopped. A
 * container that nobody has named is not kept. Without a folder RUN, nothing is: no agent has run.
 * -EBADMSG (malformed): it is no such state. -ENOSPC: too many are kept, and all of them are running.
 */
int container_names_take(const char *run_dir, const void *state, size_t n, struct err *err);

/* Makes the folder, for a process that is allowed what is there, and could not be allowed what is not. */
int container_names_prepare(const char *run_dir, struct err *err);

/* Of a container with this id (len bytes, of any content): {"name", "pod", "namespace"}, as far as they are known; NULL: nothing is. */
json_t *container_names_of(const char *run_dir, const char *id, size_t len);
