/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KubeArmor's policies (docs/coming-from-kubearmor.md): what its files share. import_kubearmor.c reads a document: whom it is for, and
 * which policy its rules go to. import_kubearmor_match.c reads the lists of matches,
 * import_kubearmor_path.c their paths, directories and patterns, import_kubearmor_rules.c makes rules of them.
 */
#pragma once

#include "import.h"

enum ka_kind { KA_POLICY, KA_CLUSTER, KA_HOST };
enum ka_action { KA_BLOCK, KA_AUDIT, KA_ALLOW };
enum ka_section { KA_PROCESS, KA_FILE, KA_NETWORK, KA_CAPABILITIES, KA_SECTIONS };

/* What may be said for all of a policy, for one of its sections, for one entry: the nearest counts. NULL: not said. */
struct ka_level {
        const struct yaml_node *action, *severity, *tags, *message;
};

struct ka {
        struct import *im;
        enum ka_kind kind;
        const struct yaml_node *root, *api_version, *kind_node, *metadata, *spec;
        const char *name, *space;  /* of the document, of its namespace; NULL: none */
        bool audited[KA_SECTIONS]; /* posture: what an allow-list does not have is reported, not denied */
        struct import_policy *policy;
        bool in_shared; /* other documents' rules are in it, too */
        bool out_of_memory;
};

/* ---- import_kubearmor.c -------------------------------------------------------------------------------------------------- */

/* For tables of fields: keeps the value as it is. */
#define KA_KEEP(type, member)                                                                                               \
        static void keep_##member(void *into, const struct yaml_node *value, struct diags *diags __attribute__((unused))) { \
                ((struct type *)into)->member = value;                                                                      \
        }
/* A value that stands for nothing, as Kubernetes takes it. */
bool ka_absent(const struct yaml_node *node);
enum ka_action ka_action(const struct ka_level *level);
/* Looks at the values: reported. */
void ka_level_check(struct ka *ka, const struct ka_level *level);
/* What is not said by `level` is taken from the one around it. */
void ka_level_inherit(struct ka_level *level, const struct ka_level *around);
/* As comments: message, severity and tags. of: "file: ", or "". */
void ka_level_comment(struct ka *ka, struct strv *comments, const char *of, const struct ka_level *level);
/* An errno of a list or rule: memory is the only thing that can be short. */
void ka_try(struct ka *ka, int e);

/* ---- import_kubearmor_match.c ---------------------------------------------------------------------------------------------- */

void ka_section_read(struct ka *ka, enum ka_section section, const struct yaml_node *value, const struct ka_level *around);

/* ---- import_kubearmor_rules.c ---------------------------------------------------------------------------------------------- */

/* One entry, read. */
struct ka_match {
        struct ka *ka;
        enum ka_section section;
        struct pos pos;
        struct ka_level said; /* by the entry itself: its rules' comments */
        enum ka_action action;
        bool owner_only, read_only;
        struct strv paths, sources; /* as paths of rules */
        const char *key, *value;    /* of the object, where it has no path */
};
/* Rules for it, or said to be left out. */
void ka_rules_make(struct ka_match *m);

/* ---- import_kubearmor_path.c ----------------------------------------------------------------------------------------------- */

/* As paths of rules, added to ret. false: reported. */
bool ka_path_exact(struct ka *ka, const struct yaml_node *node, struct strv *ret);
/* alone: not the directory itself, only what is in it. */
bool ka_path_directory(struct ka *ka, const struct yaml_node *node, bool recursive, bool alone, struct strv *ret);
bool ka_path_pattern(struct ka *ka, const struct yaml_node *node, struct strv *ret);
