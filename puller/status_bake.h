/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle's bake, for status. */
#pragma once

#include "json.h"
#include "node.h"

/* An object, or null: nothing bakes. */
json_t *status_bake(const struct node *n, const struct bundle *b);
