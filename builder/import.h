/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies of other tools, made into rules (docs/rules.md): what all importers share. A format reads documents and adds policies
 * and rules; what it cannot say in rules it reports as left out, what is broken as an error. The frame (import.c) reads the files,
 * checks that what came out is what `lsmbundle lint` takes, and (import_write.c) writes the bundle's directory.
 *
 * Nothing is written when there was an error. With something left out the rest is written, and the exit code says so.
 */
#pragma once

#include "buf.h"
#include "diag.h"
#include "err.h"
#include "strv.h"
#include "yaml.h"

/* A key of a rule with its values, as they will be written: `path: [/etc/shadow, /etc/gshadow]`. */
struct import_key {
        const char *key; /* borrowed: a literal */
        struct strv values;
};

struct import_keys {
        struct import_key *v;
        size_t n;
};

struct import_rule {
        struct pos pos; /* what it was made of */
        char *id;
        struct strv comments; /* lines above it, without '#' */
        struct import_keys keys, unless;
};

struct import_policy {
        struct pos pos;
        char *name;
        struct strv comments;      /* at the top of its file */
        struct import_keys denied; /* default: key: the operation; values: none */
        struct import_rule **rules;
        size_t n;
};

struct import_file {
        char *path; /* as given: what findings name */
        struct yaml_doc *doc;
};

struct import {
        const struct import_format *format;
        bool whole_node; /* what was meant for some containers may be imported for the whole node */
        struct diags diags;
        size_t n_left_out;
        struct import_file *files;
        size_t n_files;
        struct import_policy **policies;
        size_t n_policies;
};

struct import_format {
        const char *name;
        /* One document that is not empty. What is wrong with it is reported, and not the result: that is 0 or -ENOMEM. */
        int (*read)(struct import *im, const struct yaml_node *root);
};
extern const struct import_format import_kubearmor, import_tetragon;

void import_done(struct import *im);
#define cleanup_import cleanup(import_done)

/* Broken input: nothing is written. */
#define import_error(im, pos, ...) diag_error(&(im)->diags, (pos), __VA_ARGS__)
/* It cannot be said in rules: the rest is written. */
#define import_left_out(im, pos, fmt, ...) \
        ((im)->n_left_out++, diag_warning(&(im)->diags, (pos), "left out: " fmt __VA_OPT__(, ) __VA_ARGS__))
/* It is in the rules, but somebody should know. */
#define import_note(im, pos, ...) diag_warning(&(im)->diags, (pos), __VA_ARGS__)

/* A further policy. name: of any form; what is no name of a policy in it is replaced, and it is made different from the others'.
 * NULL: no memory. */
struct import_policy *import_policy_new(struct import *im, struct pos pos, const char *name);
/* A further rule of it. base: what its id begins with ([a-z0-9-]); numbered when there is one already. NULL: no memory. */
struct import_rule *import_rule_new(struct import_policy *policy, struct pos pos, const char *base);
/* A value of a key of docs/rules.md (a literal): `on`, `path`, `action`, ... Once for each value; in the order of the first. */
int import_rule_add(struct import_rule *rule, const char *key, const char *value);
int import_rule_unless(struct import_rule *rule, const char *key, const char *value);
/* Takes the rule away again. */
void import_rule_drop(struct import_policy *policy, struct import_rule *rule);
/* `default: {OP: deny}`; op is a literal. */
int import_policy_deny(struct import_policy *policy, const char *op);
/* A comment; newlines and control characters in it become blanks. */
int import_comment(struct strv *comments, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A text as a path of rules that has no wildcards: what would be one is escaped. */
char *import_path_literal(const char *text);
/* Is it a path of rules? If not, says why, as an error at its place. what: "matchPaths", for the message. */
bool import_path_check(struct import *im, const struct yaml_node *node, const char *path, const char *what);

/* Reads one file with any number of documents. 0 although something was wrong with it (im->diags). */
int import_read(struct import *im, const char *path, struct err *err);
/* The same of a file's text. */
int import_parse(struct import *im, const char *path, const void *p, size_t n, struct err *err);
/* When all are read: gives the format each document, takes away rules that would never decide, with a note, and policies that have
 * none. -EBADMSG: im->diags says why. */
int import_run(struct import *im, struct err *err);
/* The text of a policy's file; lines (may be NULL): gets the line in which each rule begins. */
int import_policy_text(const struct import_policy *policy, struct buf *ret, unsigned *lines);
/* A new directory, or an empty one: bundle.yaml and rules/NAME.yaml. name, mode: of the bundle, of its policies. */
int import_write(const struct import *im, const char *dir, const char *name, const char *mode, struct err *err);
