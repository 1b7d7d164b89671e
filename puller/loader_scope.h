/* SPDX-License-Identifier: Apache-2.0 */
/* The loader's side of scopes (bpf/include/lsm_scope.h). */
#pragma once

#include <bpf/libbpf.h>
#include <stdbool.h>

#include "manifest.h"

/* Supervisor: can this kernel keep things at its cgroups? Asked only for a bundle that wants it. */
bool scope_storage_there(const struct manifest *m);

/* Before the object is loaded: of the two places where it may remember what cgroups are, the one that this kernel has. Nothing to do
 * for an object without scopes. */
int scope_prepare(bool cgroup_storage, struct bpf_object *obj, struct err *err);
