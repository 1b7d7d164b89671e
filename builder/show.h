/* SPDX-License-Identifier: Apache-2.0 */
/* Content of bundles as text for people. Objects are not opened for it: nobody has vouched for a bundle that is being looked
 * at, so what bytes mean is told from the bytes alone. */
#pragma once

#include <jansson.h>

#include "buf.h"
#include "manifest.h"

/* "shadow", 42 or 0a0b0c: text that ends in zeros, a number of 1, 2, 4 or 8 bytes, or hex. */
int show_bytes(struct buf *out, const uint8_t *bytes, size_t n);
/* Is the value of a set's member: the number 1? */
bool show_is_one(const uint8_t *bytes, size_t n);

/* A JSON value as YAML in one line, as its author may have written it. */
int show_flow(struct buf *out, const json_t *value);
/* The operation of a self-test: the same with the operation's own key first. */
int show_operation(struct buf *out, const json_t *operation);

/* One record of a seed. */
struct seed_record {
        const uint8_t *key, *value;
};
/* The records of a map's seed, which manifest_parse() has found to be whole. */
size_t seed_count(const struct manifest_map *map, const struct buf *records);
struct seed_record seed_at(const struct manifest_map *map, const struct buf *records, size_t i);

/* The first 16 digits, which is what people compare. */
#define SHOW_SHORT "%.16s"
