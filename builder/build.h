/* SPDX-License-Identifier: Apache-2.0 */
/* From a bundle's directory to a signed bundle, step by step; each step reports what is wrong with the sources. */
#pragma once

#include "bundle.h"
#include "bundle_yaml.h"
#include "compile.h"
#include "object.h"
#include "provenance.h"
#include "selftest_yaml.h"

struct build_seed {
        const char *map;
        struct buf records;
};

struct build_policy { /* the i-th of bundle->policies */
        const struct policy_source *source;
        struct compile_unit unit;
        struct object *object;
        struct build_seed *seeds;
        size_t n_seeds;
};

struct build {
        const struct bundle_source *bundle;
        const struct selftest_set *selftests;
        const char *version; /* of the bundle */
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

/* Compiles, reads the objects back, packs the seeds. b: bundle, selftests, version and release are set. -EBADMSG: the findings
 * say what is wrong with the sources. */
int build_policies(struct build *b, const struct build_options *options, struct diags *diags, struct err *err);

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
