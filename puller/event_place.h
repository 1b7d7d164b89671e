/* SPDX-License-Identifier: Apache-2.0 */
/* Where the task of an event is: "cgroup_path", "container", "container_name", "pod_name", "pod_namespace" (docs/events.md). */
#pragma once

#include "json.h"

/* Takes away what the event says about it, and adds what the path of its cgroup tells (NULL: it is not known) and what its container
 * is called. Without memory, some of it is left out. */
void event_place_set(json_t *event, const char *cgroup_path, const char *run_dir);
