/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pins. Everything that enforces is pinned in bpffs and so outlives the agent:
 *
 *      BPFFS/lsmpull/agent/state            struct lsm_agent
 *                         /events           the node's ring buffer
 *                         /guard-tasks, guard-objects, guard-node   what the agent tells policies that guard it
 *                         /folds            denials that are counted and not told yet: struct lsm_fold
 *      BPFFS/lsmpull/bundle/NAME/gate       struct lsm_gate
 *                               /hook/HOOK/slots   the hook's PROG_ARRAY
 *                                         /link    the dispatcher's attachment
 *                               /counters/SLOT/POLICY   per policy, of the generation in that slot
 *                               /rules/SLOT/counts, table, cells, roots   of a generation's rules
 *                               /scopes/SLOT/POLICY     what is remembered about cgroups, where the kernel cannot (scope_collect.h)
 *                               /probes/SLOT/POLICY     cgroups of self-tests that are in a scope (scope_probe.h)
 *
 * bpffs refuses names with a dot. Paths are plain strings: the directories belong to root and are closed to others.
 */
#pragma once

#include <limits.h>

#include "err.h"
#include "util.h"

/* PATH_MAX bytes; -ENAMETOOLONG. */
int pin_path(char ret[static PATH_MAX], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* mkdir -p below an existing bpffs, mode 0700. */
int pin_mkdir(const char *path, struct err *err);
/* The pinned object, or -ENOENT. */
int pin_get(const char *path);
/* Pins under a name that does not exist yet. */
int pin_put(int fd, const char *path, struct err *err);
/* Removes a pin, or a directory of pins with all that is in it. Absent is success. */
int pin_remove(const char *path, struct err *err);
/* Names in a directory of pins, sorted; an absent directory is empty. Free each and the array. */
int pin_list(const char *path, char ***ret, size_t *ret_n, struct err *err);
void strings_free(char **strings, size_t n);
/* The pinned map, or a new one of this type (BPF_MAP_TYPE_*), pinned. Returns its descriptor. */
int pin_map_adopt(const char *path, const char *name, uint32_t type, uint32_t key, uint32_t value, uint32_t max, uint32_t flags,
                  struct err *err);
/* Maps the value of an mmap-able array, shared and writable. */
int pin_map_mmap(int fd, size_t size, void **ret);
