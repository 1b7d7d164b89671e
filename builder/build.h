/* SPDX-License-Identifier: Apache-2.0 */
/* From a bundle's directory to a signed bundle, step by step; each step reports what is wrong with the sources. */
#pragma once

#include "bundle.h"
#include "bundle_yaml.h"
#include "compile.h"
#include "object.h"
#include "provenance.h"
#include "rules_yaml.h"
#include "selftest_yaml.h"

struct build_seed {
        const char *map;
        struct buf records;
};

struct build_policy { /* one of bundle->policies, or the engine of those that are written as rules */
        const struct policy_source *source;
        struct compile_unit unit;
        struct object *object;
        struct scope_tables scope;
        struct strv defines; /* for the compiler */
        struct build_seed *seeds;
        size_t n_seeds;
};

struct build {
        const struct bundle_source *bundle;
        const struct selftest_set *selftests;
        const struct rules_set *rules;
        struct build_engine *engine; /* NULL: there are no rules */
        const char *version;         /* of the bundle */
        uint64_t release;
        struct toolchain toolchain;
        struct provenance provenance;
        char *root; /* top of the tree: above all sources */
        struct build_policy *policies;
        size_t n_policies;
};
void build_done(struct build *b);
#define cleanup_build cleanup(build_done)

struct build_options {
        unsigned jobs;
        bool cache;
        process_progress_fn progress;
        void *progress_ctx;
};

/* Compiles, reads the objects back, packs the seeds. b: bundle, selftests, rules, version and release are set. -EBADMSG: the findings
 * say what is wrong with the sources. */
int build_policies(struct build *b, const struct build_options *options, struct diags *diags, struct err *err);

/* The policy that all rules of the bundle become. (build_engine.c) */
int build_engine_make(struct build *b, struct diags *diags, struct err *err);
void build_engine_free(struct build_engine *engine);
const struct policy_source *build_engine_source(const struct build_engine *engine);
const struct buf *build_engine_text(const struct build_engine *engine);
/* The object is read: hands the tables over as seeds. */
int build_engine_seed(struct build *b, struct build_policy *p, struct err *err);

/* For whom the policies are in force: what the compiler has to know of it, and after the objects are read, the tables as seeds.
 * (build_scope.c) */
int build_scope_make(struct build *b, struct build_policy *p, struct err *err);
int build_scope_seed(struct build_policy *p, struct err *err);

/* The archive's members and the manifest that lists them, unsigned. (manifest_write.c) */
struct build_archive {
        struct bundle_member *members;
        size_t n;
        struct strv paths; /* the members' */
        struct envelope env;
};
void build_archive_done(struct build_archive *a);
#define cleanup_build_archive cleanup(build_archive_done)
int build_archive_make(const struct build *b, struct build_archive *ret, struct err *err);
