/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd.h"
#include "import.h"

/* Of the options, else of the directory, else "imported". NULL: reported; *ret_code is the exit code. */
static char *bundle_name(const struct args *args, int *ret_code) {
        const char *name = args_get(args, "name"), *dir = args_get(args, "output");
        cleanup_free char *made = NULL;

        if (!name && dir) {
                size_t n = strlen(dir), from;

                while (n > 1 && dir[n - 1] == '/')
                        n--;
                for (from = n; from > 0 && dir[from - 1] != '/';)
                        from--;
                made = strndup(dir + from, n - from);
        } else
                made = strdup(name ?: "imported");
        if (!made) {
                *ret_code = report_error(NULL, &(struct err){.msg = "out of memory"}, -ENOMEM);
                return NULL;
        }
        if (!name_valid(made)) {
                *ret_code = usage_error(args->command, "'%s' is no name of a bundle, which is [a-z0-9][a-z0-9-]{0,62}%s", made,
                                        name ? "" : ": give one by --name");
                return NULL;
        }
        return steal_pointer(made);
}

static void result_print(const struct import *im, const char *dir) {
        size_t n = 0;

        for (size_t i = 0; i < im->n_policies; i++)
                n += im->policies[i]->n;
        printf("%s: %zu polic%s, %zu rule%s", dir, im->n_policies, im->n_policies == 1 ? "y" : "ies", n, n == 1 ? "" : "s");
        if (im->n_left_out > 0)
                printf("; %zu left out", im->n_left_out);
        printf("\n");
}

/* What is broken is the user's to mend (2), and nothing is written; with something left out (1), the rest is. */
static int run(const struct args *args, const struct import_format *format) {
        cleanup_import struct import im = {.format = format, .whole_node = args_has(args, "whole-node")};
        cleanup_free char *name = NULL;
        const char *dir, *mode = args_get(args, "mode") ?: "audit";
        struct err err = {};
        int e = 0, code = 0;

        if (!streq(mode, "audit") && !streq(mode, "enforce"))
                return usage_error(args->command, "--mode '%s': it is audit or enforce", mode);
        name = bundle_name(args, &code);
        if (!name)
                return code;
        dir = args_get(args, "output") ?: name;
        for (size_t i = 0; e == 0 && i < args->n_operands; i++)
                e = import_read(&im, args->operands[i], &err);
        if (e == 0)
                e = import_run(&im, &err);
        diags_print(&im.diags, stderr);
        if (im.diags.n_errors > 0)
                e = err_set(&err, -EBADMSG, REASON_CONFIG, "%zu error%s: nothing was written", im.diags.n_errors,
                            im.diags.n_errors == 1 ? "" : "s");
        else if (e == 0 && im.n_policies == 0)
                e = err_set(&err, -ENOENT, REASON_NONE, "nothing is left to import: nothing was written");
        if (e == 0)
                e = import_write(&im, dir, name, mode, &err);
        if (e < 0)
                return report_error(NULL, &err, e);
        result_print(&im, dir);
        return output_end(im.n_left_out > 0 ? 1 : 0);
}

static const struct option_spec options[] = {
        {"output", 'o', "DIR", "the bundle's directory, new or empty: NAME", false},
        {"name", 0, "NAME", "the bundle's name: DIR's, or 'imported'", false},
        {"mode", 0, "MODE", "of its policies: audit, unless enforce is given", false},
        {"whole-node", 0, NULL, "let what was written for some containers hold for all of the node", false},
};

#define DETAILS                                                                                               \
        "Makes a bundle's directory, which lsmbundle build takes as it is. What cannot be said in rules is\n" \
        "left out, and said with its place; then the exit code is 1. Of broken input, nothing is written\n"   \
        "(2).\n"

static int run_kubearmor(const struct args *args) {
        return run(args, &import_kubearmor);
}

const struct command cmd_import_kubearmor = {
        .name = "import kubearmor",
        .operands = "FILE...",
        .min_operands = 1,
        .max_operands = SIZE_MAX,
        .summary = "make rules of KubeArmor's policies",
        .details = DETAILS,
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run_kubearmor,
};

static int run_tetragon(const struct args *args) {
        return run(args, &import_tetragon);
}

const struct command cmd_import_tetragon = {
        .name = "import tetragon",
        .operands = "FILE...",
        .min_operands = 1,
        .max_operands = SIZE_MAX,
        .summary = "make rules of Tetragon's policies",
        .details = DETAILS,
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run_tetragon,
};
