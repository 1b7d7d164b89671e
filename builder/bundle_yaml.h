/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.yaml: what a bundle is made of, typed, with the places where its author said so. */
#pragma once

#include "err.h"
#include "manifest.h"
#include "scope.h"
#include "strv.h"
#include "yaml.h"

#define BUNDLE_YAML "bundle.yaml"
/* What the policy is called that all rules of a bundle become. */
#define RULES_POLICY "rules"

struct policy_source {
        char *name;
        struct pos pos;
        char *path;  /* the C file, or the file of rules: absolute, normal */
        char *shown; /* the same for messages */
        enum policy_mode mode;
        bool plain;
        bool rules;                    /* written as rules */
        struct scope scope;            /* of rules: unless their file has one */
        const struct yaml_node *seeds; /* a mapping from map names; NULL: none */
};

struct bundle_source {
        char *dir;  /* absolute */
        char *file; /* its bundle.yaml: absolute */
        struct yaml_doc *doc;
        char *name, *version;
        uint64_t release; /* 0: not said */
        struct policy_source *policies;
        size_t n_policies;
        struct strv selftests; /* absolute paths of the files that list them */
        struct strv selftests_shown;
        struct pos start; /* the document as a whole */
};
void bundle_source_free(struct bundle_source *b);
static inline void bundle_source_free_p(struct bundle_source **b) {
        bundle_source_free(*b);
}
#define cleanup_bundle_source cleanup(bundle_source_free_p)

/* Reads DIR/bundle.yaml and looks whether the files it names are there. All errors are reported: -EBADMSG. *ret is set also
 * then, as far as it could be read, so that the other files can be checked, too; NULL: not even YAML. */
int bundle_source_load(const char *dir, struct diags *diags, struct bundle_source **ret, struct err *err);
