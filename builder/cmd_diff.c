/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd.h"
#include "diff.h"

static const struct option_spec options[] = {
        {"json", 0, NULL, "print it as JSON"},
        {"markdown", 0, NULL, "print it as Markdown, for a pull request"},
        {"exit-code", 0, NULL, "end with 1 when there are changes"},
};

static int print(const struct args *args, const struct changes *c, const struct bundle_file *before,
                 const struct bundle_file *after, struct err *err) {
        cleanup_buf struct buf text = {};
        int e;

        if (args_has(args, "json")) {
                cleanup_json json_t *json = changes_json(c, before, after);

                if (!json)
                        return err_errno(err, -ENOMEM, "JSON");
                json_dumpf(json, stdout, JSON_INDENT(2));
                printf("\n");
                return 0;
        }
        e = args_has(args, "markdown") ? changes_markdown(c, before, after, &text) : changes_text(c, before, after, &text);
        if (e < 0)
                return err_errno(err, e, "text");
        fwrite(text.data, 1, text.len, stdout);
        return 0;
}

static int run(const struct args *args) {
        cleanup_bundle_file struct bundle_file before = BUNDLE_FILE_INIT, after = BUNDLE_FILE_INIT;
        cleanup_changes struct changes changes = {};
        struct err err = {};
        int e;

        if (args_has(args, "json") && args_has(args, "markdown"))
                return usage_error(args->command, "--json or --markdown, not both");
        e = bundle_file_load(args->operands[0], NULL, 0, &before, &err);
        if (e < 0)
                return report_error(args->operands[0], &err, e);
        e = bundle_file_load(args->operands[1], NULL, 0, &after, &err);
        if (e < 0)
                return report_error(args->operands[1], &err, e);
        e = changes_find(&before, &after, &changes, &err);
        if (e == 0)
                e = print(args, &changes, &before, &after, &err);
        if (e < 0)
                return report_error("diff", &err, e);
        return output_end(args_has(args, "exit-code") && changes.n > 0 ? 1 : 0);
}

const struct command cmd_diff = {
        .name = "diff",
        .operands = "OLD NEW",
        .min_operands = 2,
        .max_operands = 2,
        .summary = "show what changes for a node between two bundles",
        .details = "Policies, modes, hooks, maps, seeds, code, self-tests. Signatures are not checked, and\n"
                   "where a bundle was built is no change.\n",
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run,
};
