/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Self-tests in a policy's scope: the agent enters the probe's cgroup in the `lsm_scope_probes` of the policy's object, before anything
 * is asked of that cgroup (bpf/include/lsm_scope.h). An entry only adds scopes: nobody gets out of one by it.
 *
 *      DIR/POLICY   the map of a policy's object: __u64, a cgroup's id, to __u64, the scopes that are to hold there besides
 */
#pragma once

#include "loader.h"

/* The object of the policy, and the number of its scope there: of one in C, 0; of one that is written as rules, its set's. -ENOENT: there
 * is no such policy, or it is in force everywhere. */
int scope_probe_place(const struct manifest *m, const char *policy, size_t *ret_object, unsigned *ret_number);

/* Puts the cgroup into the scope of a policy, and no other one. -EBADE (selftest-failed): there is no such scope. */
int scope_probe_enter(const char *dir, const struct manifest *m, const char *policy, uint64_t cgroup_id, struct err *err);
/* Takes out all cgroups. */
int scope_probe_leave(const char *dir, struct err *err);
