/* SPDX-License-Identifier: Apache-2.0 */
/* What a bundle brings for its maps, given to the kernel before the maps are frozen. In the loader's child. */
#pragma once

#include "manifest.h"

/*
 * Fills the map m of policy p, whose descriptor is `map`, from its member: packed records of key and value. members: the release's, by
 * number. lowered: names of policies that only audit on this node (lowered.h); the modes of those that are written as rules are in
 * such a map. malformed: no whole number of records; an error of the kernel's: more records than the map takes.
 */
int map_seed(const struct manifest_policy *p, const struct manifest_map *m, const int *members, const char *lowered, int map,
             struct err *err);
