/* SPDX-License-Identifier: Apache-2.0 */
/* The maps of a generation's scopes that the agent goes on using after it was loaded, pinned as DIR/POLICY. */
#pragma once

#include "loader.h"

enum scope_map {
        SCOPE_MAP_HASH,   /* what was found for cgroups, where the kernel has no storage there (scope_collect.h) */
        SCOPE_MAP_PROBES, /* cgroups that self-tests put into scopes (scope_probe.h) */
};

/* In place of what is there; loaded NULL: of none. Where the generation has no such map there is no `dir`. */
int scope_maps_pin(const char *dir, const struct loaded *loaded, enum scope_map which, struct err *err);
