/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd_repo.h"
#include "repo_show.h"

static const struct option_spec options[] = {
        OPTION_REPO,
        {"json", 0, NULL, "print it as JSON"},
};

static int show(const struct args *args, struct err *err) {
        cleanup_repo struct repo repo = REPO_INIT;
        cleanup_repo_view struct repo_view view = {};
        cleanup_buf struct buf text = {};
        cleanup_json json_t *doc = NULL;
        int e = repo_open(args_get(args, "repo") ?: ".", REPO_READ, &repo, err);

        if (e == 0)
                e = repo_view_read(&repo, &view, err);
        if (e < 0)
                return e;
        if (args_has(args, "json")) {
                doc = repo_show_json(&repo, &view);
                if (!doc)
                        return err_errno(err, -ENOMEM, "JSON");
                json_dumpf(doc, stdout, JSON_INDENT(2));
                printf("\n");
                return 0;
        }
        if (repo_show_text(&repo, &view, &text) < 0)
                return err_errno(err, -ENOMEM, "text");
        fwrite(text.data, 1, text.len, stdout);
        return 0;
}

static int run(const struct args *args) {
        struct err err = {};
        int e = show(args, &err);

        return e < 0 ? report_error(args_get(args, "repo"), &err, e) : output_end(0);
}

const struct command cmd_repo_show = {
        .name = "repo show",
        .operands = "",
        .min_operands = 0,
        .max_operands = 0,
        .summary = "show who may sign what, what expires when, releases, rollouts, pending changes",
        .details = "A role that has less than a fifth of its time left is marked.\n",
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run,
};
