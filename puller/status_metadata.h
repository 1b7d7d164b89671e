/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata of a release repository that this node trusts, for status: which version of each role, and when it expires. */
#pragma once

#include "json.h"
#include "node.h"

/* Empty without a repository, or when nothing is trusted yet. */
json_t *status_metadata(const struct node *n);
