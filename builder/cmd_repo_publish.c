/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd_repo.h"

static const struct option_spec options[] = {
        OPTION_REPO,
        {"key", 'k', "KEY", "a private key of snapshot or timestamp: a PEM file or an OpenSSL store URI", true},
        {"keep", 0, "N", "remove the files of releases older than the newest N that no rollout names"},
};

/* A repository that has never been published is opened, too: its initial change is pending. */
static int open_any(const char *path, struct repo *ret, struct err *err) {
        int e = repo_open(path, REPO_WRITE, ret, err);

        if (e == -ENOENT)
                e = repo_open_new(path, ret, err);
        if (e == 0)
                e = repo_git_check(ret, err);
        return e < 0 ? err_wrap(err, e, "repository '%s'", path) : 0;
}

static int publish(const struct args *args, unsigned keep, struct err *err) {
        cleanup_free char *dir = path_trimmed(args->operands[0]), *path = dir ? repo_path_pending(args, dir) : NULL;
        cleanup_repo struct repo repo = REPO_INIT;
        cleanup_signers struct signers signers = {};
        cleanup_repo_change struct repo_change change = {};
        cleanup_publication struct repo_publication p = {.signers = &signers, .keep = keep};
        char message[300];
        int e = path ? signers_load(args, &signers, err) : err_errno(err, -ENOMEM, "path");

        if (e == 0)
                e = open_any(path, &repo, err);
        if (e == 0)
                e = repo_pending_sweep(dir, err);
        if (e == 0)
                e = repo_pending_load(&repo, dir, &change, err);
        if (e < 0)
                return e;
        snprintf(message, sizeof(message), "publish %.200s", change.name);
        e = change_publish(&repo, &change, &p, message, err);
        if (e < 0)
                return e;
        e = repo_pending_remove(dir, err);
        if (e == 0)
                printf("%s: published\n", dir);
        return e;
}

static int run(const struct args *args) {
        uint64_t keep = 0;
        struct err err = {};
        int e;

        if (!args_has(args, "key"))
                return usage_error(args->command, "at least one --key is needed");
        if (args_number(args, "keep", 1, 100000, &keep) < 0)
                return reason_exit_code(REASON_USAGE);
        e = publish(args, (unsigned)keep, &err);
        return e < 0 ? report_error(args->operands[0], &err, e) : output_end(0);
}

const struct command cmd_repo_publish = {
        .name = "repo publish",
        .operands = "PENDING",
        .min_operands = 1,
        .max_operands = 1,
        .summary = "publish what enough people have signed",
        .details = "Signs snapshot and timestamp; all other signatures must be there. timestamp.json is written\n"
                   "last: interrupted anywhere, nodes see the state before, and running it again completes it.\n",
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run,
};
