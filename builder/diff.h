/* SPDX-License-Identifier: Apache-2.0 */
/* What changes for a node between two bundles. Where a bundle comes from (commit, date, compiler) is no change for a node. */
#pragma once

#include "bundle_file.h"

/* X(identifier, word) */
#define CHANGES(X)                                   \
        X(CHANGE_NAME, "name")                       \
        X(CHANGE_VERSION, "version")                 \
        X(CHANGE_RELEASE, "release")                 \
        X(CHANGE_ORDER, "policy-order")              \
        X(CHANGE_POLICY_ADDED, "policy-added")       \
        X(CHANGE_POLICY_REMOVED, "policy-removed")   \
        X(CHANGE_MODE, "mode")                       \
        X(CHANGE_SCOPE, "scope")                     \
        X(CHANGE_PLAIN, "plain")                     \
        X(CHANGE_HOOK_ADDED, "hook-added")           \
        X(CHANGE_HOOK_REMOVED, "hook-removed")       \
        X(CHANGE_OBJECT, "object")                   \
        X(CHANGE_MAP_ADDED, "map-added")             \
        X(CHANGE_MAP_REMOVED, "map-removed")         \
        X(CHANGE_MAP, "map")                         \
        X(CHANGE_SEED_ADDED, "seed-added")           \
        X(CHANGE_SEED_REMOVED, "seed-removed")       \
        X(CHANGE_SEED, "seed")                       \
        X(CHANGE_TABLE, "table")                     \
        X(CHANGE_READABLE, "rules-readable")         \
        X(CHANGE_DEFAULT_ADDED, "default-added")     \
        X(CHANGE_DEFAULT_REMOVED, "default-removed") \
        X(CHANGE_DEFAULT, "default")                 \
        X(CHANGE_RULE_ADDED, "rule-added")           \
        X(CHANGE_RULE_REMOVED, "rule-removed")       \
        X(CHANGE_RULE, "rule")                       \
        X(CHANGE_TEST_ADDED, "selftest-added")       \
        X(CHANGE_TEST_REMOVED, "selftest-removed")   \
        X(CHANGE_TEST, "selftest")

enum change_kind {
#define X(id, word) id,
        CHANGES(X)
#undef X
                CHANGE_COUNT
};

struct change {
        enum change_kind kind;
        char *policy;         /* NULL: the bundle as a whole */
        char *subject;        /* hook, map, map's key, rule, operation, self-test; NULL: none */
        char *before, *after; /* NULL: it was not there, or there is nothing to say */
};

struct changes {
        struct change *items;
        size_t n;
};
void changes_done(struct changes *c);
#define cleanup_changes cleanup(changes_done)

int changes_find(const struct bundle_file *before, const struct bundle_file *after, struct changes *ret, struct err *err);
/* 0 or -ENOMEM; takes copies. */
int change_add(struct changes *c, enum change_kind kind, const char *policy, const char *subject, const char *before,
               const char *after);
/* For whom a policy is in force, where that is no longer the same. */
int change_scope(struct changes *c, const char *policy, const json_t *before, const json_t *after);
/* Maps and what they are seeded with. (diff_maps.c) */
int changes_find_maps(const struct bundle_file *before, const struct manifest_policy *p, const struct bundle_file *after,
                      const struct manifest_policy *q, struct changes *c);

/* Policies that are written as rules, and their rules; the tables that they become are told as such. (diff_rules.c) */
int changes_find_rules(const struct bundle_file *before, const struct bundle_file *after, struct changes *c);
int changes_find_table(const char *policy, const char *map, const struct buf *before, const struct buf *after, struct changes *c);

/* (diff_show.c) */
int changes_text(const struct changes *c, const struct bundle_file *before, const struct bundle_file *after, struct buf *out);
int changes_markdown(const struct changes *c, const struct bundle_file *before, const struct bundle_file *after, struct buf *out);
json_t *changes_json(const struct changes *c, const struct bundle_file *before, const struct bundle_file *after);
