/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each rule of a bundle has decided. The engine counts by the rule's number; counters and rules are pinned side by side, for
 * each generation that is loaded:
 *
 *      DIR/counts   struct lsm_rules_count, by number
 *         /table    struct lsm_rules_rule, of which a node reads struct lsm_rules_rule_head
 *         /cells    the automaton, and
 *         /roots    where file systems are: rules_follow.h
 */
#pragma once

#include "loader.h"

struct rule_count {
        char policy[LSM_RULE_ID_LEN], rule[LSM_RULE_ID_LEN];
        struct lsm_rules_count count;
};

/* Pins those of a generation in `dir`, in place of what is there; NULL: of none. Without an engine there is no `dir` either. */
int rules_counts_pin(const char *dir, const struct loaded *loaded, struct err *err);
/* All values of a pinned array, `value_size` bytes of each: what the bundle's version has behind those is left out. */
int rules_array_read(const char *dir, const char *name, uint32_t value_size, char **ret, uint32_t *ret_n);
/* In the rules' order; nothing there is success. */
int rules_counts_read(const char *dir, struct rule_count **ret, size_t *ret_n);
/* As {"policy","rule","allowed","denied","would_deny"}. */
json_t *rules_counts_json(const char *dir);

/* "POLICY/RULE", as rules are called in the kernel, into its two names. */
bool rule_name_split(const char *id, size_t n, char policy[static LSM_RULE_ID_LEN], char rule[static LSM_RULE_ID_LEN]);
