/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the kernel has no storage at its cgroups (before 6.2), what scopes were found for one is remembered in a hash by its id, which
 * outlives it. These hashes are pinned, and the agent takes out what is about cgroups that are gone.
 *
 *      DIR/POLICY   the hash of a policy's object: __u64 to struct lsm_scope_found (bpf/include/lsm_scope.h)
 */
#pragma once

#include "loader.h"
#include "node.h"

/* From all hashes of all generations that are loaded, in force or in the shadow of what is. Returns how many entries were taken out, or
 * the first error; the others are gone through all the same. Nothing is taken out where cgroups cannot be looked up.
 * Without such hashes it costs a look at a directory. */
int scopes_collect(const struct node *n);
