/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a journal that says which releases the node has seen; for journal.c. */
#pragma once

#include "journal.h"
#include "json.h"

/* `doc` is the journal; an absent list is an empty one. */
int seen_parse(const json_t *doc, struct journal *j, struct err *err);
json_t *seen_format(const struct journal *j);
