/* SPDX-License-Identifier: Apache-2.0 */
/* The loader's side of the rules' engine: what only the node knows, and the engine asks for (lsm_rules_abi.h). */
#pragma once

#include <bpf/libbpf.h>

#include "loader_proto.h"
#include "manifest.h"

/* Before the object is loaded. */
int engine_prepare(const struct lsm_rules_kernel *kernel, struct bpf_object *obj, struct err *err);

/* After: fills lsm_rules_roots. members: of the bundle; mounts: the node's table, to be read. */
int engine_fill(const struct manifest_policy *p, struct bpf_object *obj, const int *members, int mounts, struct loader_roots *ret,
                struct err *err);
