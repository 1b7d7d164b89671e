/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy written as rules (docs/rules.md): YAML, typed, with the places where its author said so. Everything that is wrong is
 * found here: words, numbers, paths, combinations that cannot be, rules that never decide.
 */
#pragma once

#include "bundle_yaml.h"
#include "path_pattern.h"
#include "rules_words.h"

struct rules_path {
        struct pos pos;
        struct path_pattern pattern;
        const char *written; /* of an address, which may be several patterns; belongs to the file. NULL: as the pattern has it */
};
const char *rules_path_text(const struct rules_path *path);
/* Are they patterns of one value of the file? They stand side by side. */
bool rules_path_same_value(const struct rules_path *a, const struct rules_path *b);

struct rules_paths {
        struct rules_path *v;
        size_t n;
};

struct rules_numbers {
        uint32_t *v; /* sorted, none twice */
        size_t n;
};

struct rules_devices {
        struct lsm_rules_device *v; /* sorted, none twice */
        size_t n;
};

enum rules_to_kinds { RULES_TO_IP = 1 << 0, RULES_TO_UNIX = 1 << 1 };

enum rules_answer { ANSWER_ANY, ANSWER_YES, ANSWER_NO };

/* What is asked of a task; what is empty is not asked. */
struct rules_subject {
        struct rules_paths exe, parent;
        struct strv comm; /* sorted */
        struct rules_numbers uid, gid;
        enum rules_answer host, owner;
};

struct rules_rule {
        char *id;
        struct pos pos;
        uint64_t ops;
        struct rules_paths paths;  /* none: whatever the path; of operations on sockets, addresses */
        struct rules_paths except; /* what of them it is not about */
        unsigned to_kinds;         /* enum rules_to_kinds: of `paths`, when they are addresses */
        struct rules_numbers caps, families, types, protocols;
        struct rules_numbers signals, commands, targets; /* of signal, of bpf, of setuid and setgid */
        struct rules_devices devices;                    /* of files that are nodes of devices, or are to be */
        struct strv fs;                                  /* names of types of file systems, sorted */
        struct rules_subject subject, unless;
        bool has_unless;
        enum lsm_rule_action action;
        int error;           /* positive errno */
        bool on_error_allow; /* a denial that lets through what cannot be followed to where its path ends */
};

struct rules_policy {
        const struct policy_source *source;
        struct scope scope; /* of the file; without a key: that of bundle.yaml holds */
        struct yaml_doc *doc;
        struct buf text; /* the file */
        struct rules_rule *rules;
        size_t n;
        uint64_t default_deny; /* operations that are denied where no rule decides */
        struct pos default_pos;
};

/* The policies of a bundle that are written as rules, in its order. */
struct rules_set {
        struct rules_policy *policies;
        size_t n;
};
void rules_set_done(struct rules_set *set);
#define cleanup_rules_set cleanup(rules_set_done)

#define RULES_POLICIES_MAX 32 /* each has at least one place in the list of what lies below a folder */
#define RULES_MAX 65536       /* in a bundle */

/* Reads the files of all policies that have `rules`. All that is wrong is reported: -EBADMSG. */
int rules_set_load(const struct bundle_source *bundle, struct diags *diags, struct rules_set *ret, struct err *err);

/* One file's text; file: what findings name. (For rules_set_load() and tests.) */
int rules_policy_parse(const char *file, const void *p, size_t n, struct diags *diags, struct rules_policy *policy);
void rules_policy_done(struct rules_policy *policy);
/* For whom it is in force. */
const struct scope *rules_policy_scope(const struct rules_policy *policy);

/* Rules that can never decide, alone (rules_check.c) or because of others that are asked first. */
void rules_policy_check(const struct rules_policy *policy, struct diags *diags);

/* `to` (rules_to.c): fills paths and except. */
bool rules_value_to(const struct yaml_node *value, struct rules_rule *rule, struct diags *diags);
/* What it cannot have together with the rest of the rule. */
void rules_to_check(const struct rules_rule *rule, struct diags *diags);

/* `device` (rules_device.c). */
bool rules_value_devices(const struct yaml_node *value, struct rules_devices *ret, struct diags *diags);
/* Is every device of b one of a? Neither is empty. */
bool rules_devices_cover(const struct rules_devices *a, const struct rules_devices *b);

/* ---- values (rules_value.c): reported at their places; false: nothing was read ---------------------------------------- */

struct rules_items {
        const struct yaml_node *const *v;
        size_t n;
};
/* A value, or the values of a list. n 0: reported. */
struct rules_items rules_items_of(const struct yaml_node *const *value, const char *key, struct diags *diags);
bool rules_value_numbers(const struct yaml_node *value, const char *key, int (*named)(const char *), uint32_t max,
                         struct rules_numbers *ret, struct diags *diags);
bool rules_value_ids(const struct yaml_node *value, const char *key, struct rules_numbers *ret, struct diags *diags);
bool rules_value_paths(const struct yaml_node *value, const char *key, struct rules_paths *ret, struct diags *diags);
void rules_paths_check_twice(const struct rules_paths *paths, const char *key, const struct yaml_node *value,
                             struct diags *diags);
bool rules_value_comms(const struct yaml_node *value, const char *key, struct strv *ret, struct diags *diags);
bool rules_value_fs(const struct yaml_node *value, struct strv *ret, struct diags *diags);
bool rules_value_answer(const struct yaml_node *value, const char *key, enum rules_answer *ret, struct diags *diags);
bool rules_value_ops(const struct yaml_node *value, const char *key, uint64_t *ret, struct diags *diags);
bool rules_value_errno(const struct yaml_node *value, const char *key, int *ret, struct diags *diags);
bool rules_numbers_have(const struct rules_numbers *numbers, uint32_t number);
