/* SPDX-License-Identifier: Apache-2.0 */
/* The engine of a bundle: the C source that says how large its tables are and which hooks it is on, and the records of its maps. */
#pragma once

#include "rules_tables.h"

/* What the source is called; it exists in memory and, for the compiler, beside our own headers. */
#define RULES_SOURCE "rules.bpf.c"

int rules_source_make(const struct rules_tables *t, struct buf *ret);

/* A map and its records as a node writes them: key, value, sorted by the keys' bytes. An array's are those that are not zero. */
struct rules_seed {
        const char *map; /* NULL: the engine of this bundle has no such map */
        size_t key_size, value_size;
        struct buf records;
};
#define RULES_SEEDS 8
void rules_seeds_done(struct rules_seed seeds[static RULES_SEEDS]);
int rules_seeds_make(const struct rules_tables *t, struct rules_seed ret[static RULES_SEEDS]);
