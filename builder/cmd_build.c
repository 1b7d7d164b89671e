/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sched.h>

#include "build.h"
#include "cmd.h"
#include "lint.h"
#include "pack.h"
#include "progress.h"

static const struct option_spec options[] = {
        {"output", 'o', "FILE", "the bundle (default: NAME-VERSION.tar.zst, here)"},
        {"key", 'k', "KEY", "sign with this private key: a PEM file or an OpenSSL store URI", true},
        {"jobs", 'j', "N", "compile so many policies at a time (default: one per processor)"},
        {"release", 0, "N", "the release, instead of the one in bundle.yaml"},
        {"bundle-version", 0, "V", "the version, instead of the one in bundle.yaml"},
        {"no-cache", 0, NULL, "compile everything, keep nothing"},
};

static unsigned processors(void) {
        cpu_set_t set;

        return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

static void say_done(const struct build *b, const struct signers *signers, const char *output, const char *content_hex,
                     bool unchanged) {
        size_t n_cached = 0;

        for (size_t i = 0; i < b->n_policies; i++)
                n_cached += b->policies[i].unit.cached;
        printf("%s: %s %s, release %ju, %zu polic%s%s, %s", output, b->bundle->name, b->version, (uintmax_t)b->release,
               b->bundle->n_policies, b->bundle->n_policies == 1 ? "y" : "ies",
               unchanged                   ? " (unchanged)"
               : n_cached == b->n_policies ? " (none compiled anew)"
                                           : "",
               signers->n > 0 ? "signed by" : "unsigned");
        for (size_t i = 0; i < signers->n; i++)
                printf(" %.16s", privkey_public(signers->keys[i])->id_hex);
        printf("\ncontent id %s\n", content_hex);
}

static int set_identity(const struct args *args, const struct sources *sources, struct build *b) {
        const char *version = args_get(args, "bundle-version");

        b->bundle = sources->bundle;
        b->selftests = &sources->selftests;
        b->rules = &sources->rules;
        b->version = version ?: sources->bundle->version;
        b->release = sources->bundle->release;
        if (!version_valid(b->version))
                return usage_error(args->command, "--bundle-version '%s' is not a semantic version", b->version);
        if (args_number(args, "release", 1, JSON_INT_MAX, &b->release) < 0)
                return reason_exit_code(REASON_USAGE);
        if (b->release == 0)
                return usage_error(args->command, "bundle.yaml says no 'release': --release N is needed");
        return 0;
}

static int build(const struct args *args, struct build *b, const struct build_options *opts, struct diags *diags,
                 struct err *err) {
        cleanup_signers struct signers signers = {};
        cleanup_free char *name = NULL;
        const char *output = args_get(args, "output");
        char content_hex[SHA256_HEX];
        bool unchanged = false;
        int e = signers_load(args, &signers, err);

        if (e < 0)
                return e;
        e = build_policies(b, opts, diags, err);
        progress_end();
        if (e < 0)
                return e;
        if (!output) {
                if (asprintf(&name, "%s-%s.tar.zst", b->bundle->name, b->version) < 0) {
                        name = NULL;
                        return err_errno(err, -ENOMEM, "name");
                }
                output = name;
        }
        e = bundle_pack(b, &signers, output, content_hex, &unchanged, err);
        if (e == 0)
                say_done(b, &signers, output, content_hex, unchanged);
        return e;
}

static int run(const struct args *args) {
        cleanup_sources struct sources sources = {};
        cleanup_diags struct diags diags = {};
        cleanup_build struct build b = {};
        const char *dir = args->operands[0];
        uint64_t jobs = processors();
        struct err err = {};
        int e, code;

        if (args_number(args, "jobs", 1, 1024, &jobs) < 0)
                return reason_exit_code(REASON_USAGE);
        e = sources_load(dir, &diags, &sources, &err);
        if (e == 0) {
                struct build_options opts = {(unsigned)jobs, !args_has(args, "no-cache"), progress_show, (void *)"compiling"};

                code = set_identity(args, &sources, &b);
                if (code != 0)
                        return code;
                e = build(args, &b, &opts, &diags, &err);
        }
        diags_print(&diags, stderr);
        if (e < 0 && diags.n_errors > 0)
                err_set(&err, e, REASON_NONE, "%zu error%s: nothing was written", diags.n_errors, diags.n_errors == 1 ? "" : "s");
        return e < 0 ? report_error(dir, &err, e) : output_end(0);
}

const struct command cmd_build = {
        .name = "build",
        .operands = "DIR",
        .min_operands = 1,
        .max_operands = 1,
        .summary = "compile, seed, pack and sign a bundle",
        .details = "The same sources and compiler give the same bytes, wherever the directory stands. Dates\n"
                   "are taken from SOURCE_DATE_EPOCH, else from the commit. CLANG names the compiler.\n"
                   "Without --key the bundle is unsigned.\n",
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run,
};
