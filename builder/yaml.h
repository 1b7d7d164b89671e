/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML files as trees that know where every node stands. yaml.c is the only file that includes libfyaml.
 *
 * Taken: plain YAML 1.2; one document, unless it is said that there may be several. Refused, because a policy should read the same to everybody: anchors and aliases,
 * tags, duplicate keys.
 */
#pragma once

#include "diag.h"

#define YAML_FILE_MAX (16u << 20)
#define YAML_NODES_MAX 1000000u
#define YAML_DEPTH_MAX 32

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
        enum yaml_kind kind;
        struct pos pos;
        bool quoted; /* scalar in quotes or a block: a string, whatever it looks like */
        char *text;  /* scalar: NUL-terminated; it may contain NUL, too */
        size_t len;
        struct yaml_node **keys;  /* map */
        struct yaml_node **items; /* list; map: the values */
        size_t n;
};

struct yaml_doc;
/* file: what findings name. -EBADMSG: the findings say what is wrong. */
int yaml_parse(const char *file, const void *p, size_t n, struct diags *diags, struct yaml_doc **ret);
const struct yaml_node *yaml_root(const struct yaml_doc *doc);
/* The same for a file of any number of documents, separated by "---"; at least one. An empty one is a YAML_NULL scalar. */
int yaml_parse_all(const char *file, const void *p, size_t n, struct diags *diags, struct yaml_doc **ret);
size_t yaml_count(const struct yaml_doc *doc);
const struct yaml_node *yaml_nth(const struct yaml_doc *doc, size_t i);
void yaml_free(struct yaml_doc *doc);
static inline void yaml_free_p(struct yaml_doc **doc) {
        yaml_free(*doc);
}
#define cleanup_yaml cleanup(yaml_free_p)

/* What a scalar is by YAML's core schema. AMBIGUOUS: a number with leading zeros, which YAML 1.1 and 1.2 read differently. */
enum yaml_type { YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT, YAML_AMBIGUOUS, YAML_STRING };
enum yaml_type yaml_scalar_type(const struct yaml_node *node);
bool yaml_is_true(const struct yaml_node *node); /* a YAML_BOOL */
/* The magnitude of a YAML_INT; -ERANGE above 64 bits. */
int yaml_int(const struct yaml_node *node, bool *ret_negative, uint64_t *ret);
/* "a list", "a mapping", "a string", ... for messages */
const char *yaml_describe(const struct yaml_node *node);
