/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd.h"
#include "inspect.h"

static const struct option_spec options[] = {
        {"json", 0, NULL, "print it as JSON"},
};

static int inspect(const char *path, bool as_json, struct err *err) {
        cleanup_bundle_file struct bundle_file file = BUNDLE_FILE_INIT;
        cleanup_buf struct buf text = {};
        cleanup_json json_t *json = NULL;
        int e = bundle_file_load(path, NULL, 0, &file, err);

        if (e < 0)
                return e;
        e = as_json ? inspect_json(&file, &json, err) : inspect_text(&file, &text, err);
        if (e < 0)
                return e;
        if (as_json) {
                json_dumpf(json, stdout, JSON_INDENT(2));
                printf("\n");
        } else
                fwrite(text.data, 1, text.len, stdout);
        return 0;
}

static int run(const struct args *args) {
        struct err err = {};
        int e = inspect(args->operands[0], args_has(args, "json"), &err);

        return e < 0 ? report_error(args->operands[0], &err, e) : output_end(0);
}

const struct command cmd_inspect = {
        .name = "inspect",
        .operands = "FILE",
        .min_operands = 1,
        .max_operands = 1,
        .summary = "show what is in a bundle",
        .details = "Policies, hooks, maps and what they start with, self-tests, provenance, signatures.\n"
                   "Everything but the signatures is checked; whom to believe is for `lsmbundle verify`.\n",
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run,
};
