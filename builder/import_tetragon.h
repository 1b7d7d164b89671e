/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tetragon's tracing policies (docs/coming-from-tetragon.md): what its files share. import_tetragon.c reads a document: whom it
 * is for, and its hooks. import_tetragon_selector.c reads a selector, import_tetragon_args.c its filters of arguments,
 * import_tetragon_path.c the paths in them. import_tetragon_rules.c makes rules of a hook's selectors, which are asked one after
 * the other, the first that matches deciding.
 *
 * What is made denies nothing that the policy lets through, but for what docs/coming-from-tetragon.md names: a selector of which
 * a part cannot be said is left out as a whole, and so is one that another goes in front of which cannot be said.
 */
#pragma once

#include "import.h"

enum tg_class { TG_NONE, TG_AUDIT, TG_DENY };

struct tg {
        struct import *im;
        const char *name;
        const struct yaml_node *root;
        bool monitor;                    /* the policy's own mode: nothing is denied, what would be is reported */
        struct import_policy *shared[3]; /* by class: what its rules go to; NULL: none yet */
        bool out_of_memory;
};

/* What an argument of a hook is. */
enum tg_arg {
        TG_OTHER,
        TG_OBJECT,
        TG_DIR,
        TG_MASK,
        TG_PROT,
        TG_CAP,
        TG_FAMILY,
        TG_TYPE,
        TG_PROTOCOL,
        TG_SIGNAL,
        TG_COMMAND,
        TG_SOCK,
        TG_ADDRESS
};
#define TG_ARGS_MAX 5

struct tg_hook {
        const char *name;
        const char *ops[3];
        enum tg_arg args[TG_ARGS_MAX];
        const char *note; /* what is not quite the same */
};

/* A hook of a document. */
struct tg_entry {
        const struct tg_hook *hook;
        const struct yaml_node *node, *args, *selectors;
        bool is_kprobe;
};

struct tg_selector {
        const struct yaml_node *node; /* NULL: the policy has none, which is one without filters */
        struct pos pos;
        bool unsaid; /* a filter of it cannot be said: reported */
        enum tg_class class;
        bool kill;
        int error;                      /* positive; 0: not said */
        struct strv ops;                /* none: all of the hook */
        struct strv path, not_path;     /* as paths of rules */
        struct strv exe, not_exe;       /* its program is one of them, and none of those */
        struct strv parent, not_parent; /* its parent's */
        struct strv cap, family, type, protocol, signal, command;
        struct strv address, not_address, port; /* as `to` has them */
        const char *host;                       /* "true", "false"; NULL: not asked for */
};
void tg_selector_done(struct tg_selector *s);

/* ---- import_tetragon.c --------------------------------------------------------------------------------------------------- */

/* The values of a mapping's keys, those of `names`; NULL: it has not got that key, or nothing in it. Others are reported. */
bool tg_keys(struct tg *tg, const struct yaml_node *map, const char *what, const char *const *names, size_t n,
             const struct yaml_node **ret);
/* Is it a list? What is not is reported. */
bool tg_list(struct tg *tg, const struct yaml_node *node, const char *key);
/* The text of a scalar; NULL: reported. */
const char *tg_text(struct tg *tg, const struct yaml_node *node, const char *key);
/* An errno of a list or rule: memory is the only thing that can be short. */
void tg_try(struct tg *tg, int e);
/* Adds what is not there yet. */
void tg_add(struct tg *tg, struct strv *to, const char *text);
/* This part of a selector cannot be said: the selector is lost. */
#define tg_unsaid(tg, s, at, fmt, ...) \
        ((s)->unsaid = true,           \
         import_left_out((tg)->im, (at), fmt "; so is the selector in line %u" __VA_OPT__(, ) __VA_ARGS__, (s)->pos.line))

/* ---- import_tetragon_selector.c, _args.c, _path.c, _rules.c ------------------------------------------------------------- */

void tg_selector_read(struct tg *tg, const struct tg_entry *entry, struct tg_selector *s);
void tg_args_read(struct tg *tg, const struct tg_entry *entry, struct tg_selector *s, const struct yaml_node *filters);
/* Is what is declared about the hook's arguments in order? */
void tg_args_check(struct tg *tg, const struct tg_entry *entry);

enum tg_compare { TG_EQUAL, TG_PREFIX, TG_POSTFIX, TG_SUBSTRING };
/* The paths whose bytes compare so with the value. dir: it is the folder's, of what the rule is about. */
void tg_path(struct tg *tg, struct tg_selector *s, const struct yaml_node *value, enum tg_compare compare, bool dir,
             struct strv *ret);
/* Those of the paths that are below the folders, added to ret. false: `dirs` are not all folders, or the paths not all such as
 * may be anywhere. */
bool tg_paths_below(struct tg *tg, const struct strv *dirs, const struct strv *paths, struct strv *ret);
/* Is each of them asked before each of those? */
bool tg_paths_precede(const struct strv *paths, const struct strv *others);
/* Surely nothing is matched by both. */
bool tg_path_apart(const char *a, const char *b);

void tg_rules_make(struct tg *tg, const struct tg_entry *entry);
