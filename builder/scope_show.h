/* SPDX-License-Identifier: Apache-2.0 */
/* For whom a policy of a bundle's file is in force, as its manifest says it. */
#pragma once

#include "bundle_file.h"

/* {"unit": ["nginx.service"]}; {} or NULL: the whole node. Of a policy in C; of policies written as rules, each has its own. */
const json_t *scope_shown(const struct bundle_file *f, size_t policy);
/* "everywhere", or "in {unit: [nginx.service]}". */
int scope_show(struct buf *out, const json_t *scope);
bool scope_shown_same(const json_t *a, const json_t *b);
/* One of the tables that a scope becomes: they say nothing to people. */
bool scope_shown_table(const struct manifest_map *map);
