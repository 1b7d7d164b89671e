/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of a bundle as the tables that the engine reads (lsm_rules_abi.h). The same rules give the same bytes.
 *
 * A class is the list of rules that may decide about a path, in the order in which they are asked: policy by policy, and within
 * a policy the most specific path first, at the same length deny and kill before audit before allow, then the order of the file;
 * behind them the rules that name no path, and last the policy's default. Rules that others in front of them leave nothing to
 * decide are not in it. Class 0 is that of what no rule's path matches.
 */
#pragma once

#include "automaton.h"
#include "buf.h"
#include "rules_yaml.h"

/* A list of 32-bit numbers. */
struct rules_list {
        uint32_t *v;
        size_t n, cap;
};

/* A table as an array, an element after the other. */
struct rules_tables {
        struct automaton automaton; /* its cells; its sets say what the classes are made of */
        struct buf states;          /* struct lsm_rules_state */
        struct buf classes;         /* struct lsm_rules_class */
        struct buf refs;            /* __u32 */
        struct buf rules;           /* struct lsm_rules_rule */
        struct buf sets;            /* struct lsm_rules_set */
        struct buf members;         /* struct lsm_rules_member, sorted by their bytes */
        struct strv hooks;          /* sorted */
        uint64_t ops;               /* that any rule is about */
        bool unix_sockets;          /* some rule is about addresses of UNIX sockets */
        bool devices;               /* some rule is about devices */
        struct strv fs;             /* types of file systems that rules name, sorted: the first is number 1 */
};
void rules_tables_done(struct rules_tables *t);
#define cleanup_rules_tables cleanup(rules_tables_done)

/* What is too much is reported at a rule's place: -EBADMSG. */
int rules_tables_make(const struct rules_set *set, struct diags *diags, struct rules_tables *ret, struct err *err);

/* ---- the parts ----------------------------------------------------------------------------------------------------- */

/* A rule among all of the bundle's. */
struct rules_entry {
        const struct rules_policy *policy;
        const struct rules_rule *rule;
        uint32_t ruleset; /* index of the policy */
};

/* Where a pattern is used as a rule's object. */
struct rules_use {
        uint32_t pattern, entry;
        bool except; /* what the rule is not about */
};

/* All that the tables are made of, numbered. (rules_index.c) */
struct rules_index {
        struct rules_entry *entries; /* policy by policy, each one's default last */
        size_t n_entries;
        struct rules_rule *defaults;   /* one for each policy, whether it has one or not */
        struct path_pattern *patterns; /* by text, none twice; what they hold belongs to the rules */
        size_t n_patterns;
        struct rules_use *uses; /* by pattern */
        size_t n_uses;
        size_t *first_use; /* n_patterns + 1 indices of uses */
};
int rules_index_make(const struct rules_set *set, struct rules_index *ret);
void rules_index_done(struct rules_index *index);
#define cleanup_rules_index cleanup(rules_index_done)
/* The number of a pattern that is one of the rules'. */
uint32_t rules_index_pattern(const struct rules_index *index, const struct path_pattern *pattern);

/* Sets of what rules ask of tasks and objects. (rules_members.c) */
struct rules_members;
struct rules_members *rules_members_new(const struct rules_index *index);
void rules_members_free(struct rules_members *m);
/* The set's number; 0: there is none to ask for. Equal sets are one. < 0: no memory. */
int64_t rules_members_values(struct rules_members *m, const struct rules_list *values);
int64_t rules_members_devices(struct rules_members *m, const struct rules_devices *devices);
int64_t rules_members_comms(struct rules_members *m, const struct strv *comms);
int64_t rules_members_paths(struct rules_members *m, const struct rules_paths *paths);
/* A program whose path has these patterns is of this class: adds that to the sets of programs. */
int rules_members_class(struct rules_members *m, uint32_t class, const uint32_t *patterns, size_t n);
/* Does any set of programs ask for the pattern? */
bool rules_members_ask(const struct rules_members *m, uint32_t pattern);
int rules_members_pack(struct rules_members *m, struct buf *ret);

/* Lists of rules. (rules_classes.c) */
int rules_classes_make(const struct rules_index *index, struct rules_members *members, struct diags *diags,
                       struct rules_tables *t);

int rules_list_add(struct rules_list *list, uint32_t v);
void rules_list_done(struct rules_list *list);
#define cleanup_rules_list cleanup(rules_list_done)
