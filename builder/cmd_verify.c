/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "bundle_file.h"
#include "cmd.h"
#include "repo_verify.h"
#include "rollout.h"

static const struct option_spec options[] = {
        {"key", 'k', "PUB", "a public key that must have signed", true},
        {"threshold", 't', "N", "so many of the keys are enough (default: all)"},
        {"root", 0, "ROOT", "the root.json that is trusted; with --repo, instead of --key"},
        {"repo", 'r', "DIR|URL", "the release repository that must list it"},
        {"ca", 0, "FILE", "with a URL: the authorities to trust, PEM (default: the system's)"},
        {"json", 0, NULL, "print the result as JSON"},
};

/* The keys as they were given; the ring holds each key material once. */
struct signatories {
        struct keyring ring;
        const char **names; /* of ring.keys[i] */
        size_t n_given;
};

static void signatories_done(struct signatories *s) {
        keyring_done(&s->ring);
        free(s->names);
}

static int load_keys(const struct args *args, struct signatories *s, struct err *err) {
        const char *path;

        s->names = new_array(args->n_options, sizeof(*s->names));
        if (!s->names)
                return err_errno(err, -ENOMEM, "keys");
        for (size_t i = 0; (path = args_nth(args, "key", i)); i++) {
                int e = keyring_add_file(&s->ring, path, err);

                if (e < 0)
                        return err_wrap(err, e, "key '%s'", path);
                if (s->ring.n > 0 && !s->names[s->ring.n - 1])
                        s->names[s->ring.n - 1] = path;
                s->n_given++;
        }
        return 0;
}

static void print_json(const struct bundle_file *f, const struct signatories *s, uint64_t threshold, const struct err *err,
                       int e) {
        cleanup_json json_t *keys = json_array(), *doc = NULL;

        for (size_t i = 0; i < s->ring.n; i++)
                json_array_append_new(keys, json_pack("{s:s, s:s, s:b}", "key", s->names[i], "keyid", s->ring.keys[i].id_hex,
                                                      "signed", f->report.valid[i]));
        doc = json_pack("{s:b, s:I, s:O, s:I}", "verified", e == 0, "threshold", (json_int_t)threshold, "keys", keys,
                        "unknown_signatures", (json_int_t)f->report.n_unknown);
        if (e == 0)
                json_object_update_new(doc, json_pack("{s:s, s:s, s:I, s:s}", "name", f->manifest->name, "version",
                                                      f->manifest->version, "release", (json_int_t)f->manifest->release,
                                                      "content_id", f->manifest->content_hex));
        else
                json_object_update_new(doc, json_pack("{s:s, s:s}", "reason", reason_word(err->reason), "message", err->msg));
        json_dumpf(doc, stdout, JSON_INDENT(2));
        printf("\n");
}

static void print_text(const char *path, const struct bundle_file *f, const struct signatories *s, uint64_t threshold) {
        printf("%s: %s %s, release %ju: verified\ncontent id %s\n", path, f->manifest->name, f->manifest->version,
               (uintmax_t)f->manifest->release, f->manifest->content_hex);
        for (size_t i = 0; i < s->ring.n; i++)
                printf("%s %s %s\n", f->report.valid[i] ? "signed by    " : "not signed by", s->ring.keys[i].id_hex, s->names[i]);
        if (f->report.n_unknown > 0)
                printf("%zu other signature%s, by keys that were not given\n", f->report.n_unknown,
                       f->report.n_unknown == 1 ? "" : "s");
        printf("%zu of %zu signed, %ju needed\n", f->report.n_valid, s->ring.n, (uintmax_t)threshold);
}

/* ---- against a repository ------------------------------------------------------------------------------------------------ */

static void repo_print(bool as_json, const char *path, const struct bundle_file *f, const struct repo_verified *v,
                       const struct err *err, int e) {
        cleanup_json json_t *doc = NULL;
        char expires[32];

        rollout_time_format(e == 0 ? v->expires : 0, expires);
        if (!as_json && e == 0)
                printf("%s: %s %s, release %ju: verified\ncontent id %s\n%s, by root version %lld\noldest release that may run: %ju\n"
                       "this holds until %s\n",
                       path, f->manifest->name, f->manifest->version, (uintmax_t)f->manifest->release, f->manifest->content_hex,
                       v->target, v->root_version, (uintmax_t)v->floor, expires);
        if (!as_json)
                return;
        if (e == 0)
                doc = json_pack("{s:b, s:s, s:s, s:I, s:s, s:s, s:I, s:I, s:s}", "verified", 1, "name", f->manifest->name,
                                "version", f->manifest->version, "release", (json_int_t)f->manifest->release, "content_id",
                                f->manifest->content_hex, "target", v->target, "floor", (json_int_t)v->floor, "root_version",
                                (json_int_t)v->root_version, "expires", expires);
        else
                doc = json_pack("{s:b, s:s, s:s}", "verified", 0, "reason", reason_word(err->reason), "message", err->msg);
        json_dumpf(doc, stdout, JSON_INDENT(2));
        printf("\n");
}

static int run_repo(const struct args *args) {
        cleanup_bundle_file struct bundle_file file = BUNDLE_FILE_INIT;
        const char *path = args->operands[0];
        struct repo_verified verified = {};
        struct err err = {};
        int e;

        if (!args_has(args, "root") || !args_has(args, "repo"))
                return usage_error(args->command, "--root and --repo go together");
        if (args_has(args, "key") || args_has(args, "threshold"))
                return usage_error(args->command, "--key or --repo, not both: the repository says which keys count");
        file.check_only = true;
        e = bundle_file_load(path, NULL, 0, &file, &err);
        if (e == 0)
                e = repo_verify(&file, args_get(args, "root"), args_get(args, "repo"), args_get(args, "ca"), &verified, &err);
        repo_print(args_has(args, "json"), path, &file, &verified, &err, e);
        return output_end(e < 0 ? report_error(path, &err, e) : 0);
}

static int run(const struct args *args) {
        cleanup_bundle_file struct bundle_file file = BUNDLE_FILE_INIT;
        cleanup(signatories_done) struct signatories s = {};
        const char *path = args->operands[0];
        struct err err = {};
        uint64_t threshold = 0;
        int e;

        if (args_has(args, "repo") || args_has(args, "root") || args_has(args, "ca"))
                return run_repo(args);
        if (!args_has(args, "key"))
                return usage_error(args->command, "at least one --key, or --root and --repo, is needed");
        if (args_number(args, "threshold", 1, SIGNATURES_MAX, &threshold) < 0)
                return reason_exit_code(REASON_USAGE);
        e = load_keys(args, &s, &err);
        if (e < 0)
                return report_error(NULL, &err, e);
        if (threshold > s.n_given)
                return usage_error(args->command, "--threshold %ju, but %zu key%s", (uintmax_t)threshold, s.n_given,
                                   s.n_given == 1 ? "" : "s");
        /* All that were given, not all that differ: one key under two names is still one signature short. */
        if (threshold == 0)
                threshold = s.n_given;
        file.check_only = true;
        e = bundle_file_load(path, &s.ring, threshold, &file, &err);
        if (args_has(args, "json"))
                print_json(&file, &s, threshold, &err, e);
        else if (e == 0)
                print_text(path, &file, &s, threshold);
        return output_end(e < 0 ? report_error(path, &err, e) : 0);
}

const struct command cmd_verify = {
        .name = "verify",
        .operands = "FILE",
        .min_operands = 1,
        .max_operands = 1,
        .summary = "check a bundle's signatures and content",
        .details = "Offline, by the same code as the nodes. All keys given must have signed, unless\n"
                   "--threshold says fewer. A refusal names its reason and ends with exit code 3.\n"
                   "With --root and --repo: does the release repository, as it is now, list this very file?\n",
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run,
};
