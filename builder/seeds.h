/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeds: what bundle.yaml puts into a policy's maps, packed by the maps' BTF types into the records that a node writes:
 * key bytes, then value bytes, sorted by key.
 *
 * A list is a set (value 1), a mapping is key: value, an array takes a list by index. Whole numbers of each width with range
 * checks, enumerators by name, truth values, char[N] from strings shorter than N, arrays from lists, structs from mappings
 * (fields not named are zero).
 */
#pragma once

#include "object.h"
#include "yaml.h"

/* Every value that does not fit is reported at its place: -EBADMSG. map: one of o's. */
int seed_pack(const struct object *o, const struct object_map *map, const struct yaml_node *node, struct diags *diags,
              struct buf *ret);

/* The records of an array that was made: those that are not zero. table: n values. */
int seed_pack_array(const void *table, size_t value_size, size_t n, struct buf *ret);

/* One value of BTF type `type` into size bytes at out, which are zero. false: reported. (seed_value.c) */
bool seed_value(const struct btf *btf, uint32_t type, const struct yaml_node *node, uint8_t *out, size_t size,
                struct diags *diags);
/* The number 1 in a type that has one; false: it has not. */
bool seed_one(const struct btf *btf, uint32_t type, uint8_t *out, size_t size);
