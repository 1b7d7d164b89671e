/* SPDX-License-Identifier: Apache-2.0 */
/* YAML as JSON: mappings to objects, lists to arrays, scalars by YAML's core schema. */
#pragma once

#include <jansson.h>

#include "yaml.h"

/* Reports what signed JSON cannot hold: fractions, whole numbers beyond 2^53 - 1, control characters, keys that are no strings,
 * ambiguous numbers. -EBADMSG when there is any. */
int yaml_to_json(const struct yaml_node *node, struct diags *diags, json_t **ret);
