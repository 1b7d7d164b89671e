/* SPDX-License-Identifier: Apache-2.0 */
/* Between the two files that parse a manifest: manifest.c (document, members) and manifest_policy.c. */
#pragma once

#include "manifest.h"

struct manifest_parser {
        struct manifest *m;
        bool *used; /* per member: something refers to it */
        struct err *err;
};

#define malformed(ps, ...) err_set((ps)->err, -EBADMSG, REASON_MALFORMED, __VA_ARGS__)

/* A string member, copied, in the form that `valid` knows (NULL: any). */
int manifest_string_parse(struct manifest_parser *ps, const json_t *j, const char *key, bool (*valid)(const char *), char **ret);
int manifest_u32_parse(struct manifest_parser *ps, const json_t *j, const char *key, uint32_t min, uint32_t *ret);
/* An array of objects, at most max. *ret_elems, a pointer, is given a zeroed place of `size` bytes for each. */
int manifest_array_open(struct manifest_parser *ps, const json_t *j, const char *key, size_t max, size_t size, json_t **ret,
                        void *ret_elems);
/* The member that key names must be exactly `want`, listed, and nobody else's. */
int manifest_reference_parse(struct manifest_parser *ps, const json_t *j, const char *key, const char *want, size_t *ret);
/* Every object and seed must have been referred to. */
int manifest_references_check(struct manifest_parser *ps);

int manifest_policies_parse(struct manifest_parser *ps);
