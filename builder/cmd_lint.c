/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd.h"
#include "lint.h"

static int run(const struct args *args) {
        cleanup_sources struct sources sources = {};
        cleanup_diags struct diags diags = {};
        const char *dir = args->operands[0];
        struct err err = {};
        int e = sources_load(dir, &diags, &sources, &err);

        diags_print(&diags, stderr);
        if (e < 0 && diags.n_errors > 0)
                err_set(&err, e, REASON_NONE, "%zu error%s", diags.n_errors, diags.n_errors == 1 ? "" : "s");
        if (e < 0)
                return report_error(dir, &err, e);
        printf("%s: %s %s, %zu polic%s, %zu self-test%s: no errors", dir, sources.bundle->name, sources.bundle->version,
               sources.bundle->n_policies, sources.bundle->n_policies == 1 ? "y" : "ies", sources.selftests.n,
               sources.selftests.n == 1 ? "" : "s");
        if (diags.n_warnings > 0)
                printf(", %zu warning%s", diags.n_warnings, diags.n_warnings == 1 ? "" : "s");
        printf("\n");
        return output_end(0);
}

const struct command cmd_lint = {
        .name = "lint",
        .operands = "DIR",
        .min_operands = 1,
        .max_operands = 1,
        .summary = "check a bundle's sources without compiling them",
        .details = "Reports every error with its file, line and column. Warns when policies enforce without\n"
                   "self-tests for what they deny and for what they let pass.\n",
        .run = run,
};
