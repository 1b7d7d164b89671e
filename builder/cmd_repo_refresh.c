/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd_repo.h"
#include "repo_time.h"

static const struct option_spec options[] = {
        OPTION_REPO,
        OPTION_KEY,
        {"all", 'a', NULL, "sign all that the keys may sign, not only what has passed half of its time"},
};

static bool keys_may(const struct repo *repo, enum repo_role role, const struct signers *signers) {
        cleanup_role_keys struct role_keys keys = {};
        const struct repo_doc *delegator = &repo->docs[role_delegator(role)];

        if (role_keys_read(delegator->body, role_name(role), &keys, NULL) < 0)
                return false;
        for (size_t i = 0; i < signers->n; i++)
                if (role_keys_has(&keys, privkey_public(signers->keys[i])))
                        return true;
        return false;
}

/* What nobody renews here, and what it has come to. */
static void warn(const struct repo *repo, enum repo_role role) {
        int64_t left = repo->docs[role].expires - repo->now;
        char text[DURATION_TEXT];

        duration_show(left, text);
        if (left <= 0)
                fprintf(stderr, "lsmbundle: warning: %s has expired %s ago, and none of its keys was given\n", role_name(role),
                        text);
        else if (left < repo->period[role] / 5)
                fprintf(stderr, "lsmbundle: warning: %s expires in %s, and none of its keys was given\n", role_name(role), text);
}

static int refresh(const struct args *args, struct err *err) {
        cleanup_repo struct repo repo = REPO_INIT;
        cleanup_signers struct signers signers = {};
        cleanup_repo_change struct repo_change c = {.name = strdup("refresh")};
        cleanup_publication struct repo_publication p = {.signers = &signers};
        bool any = false;
        int e = c.name ? signers_load(args, &signers, err) : err_errno(err, -ENOMEM, "refresh");

        if (e == 0)
                e = repo_open_args(args, &repo, err);
        for (enum repo_role role = 0; e == 0 && role < ROLE_COUNT; role++) {
                struct repo_doc *doc = &repo.docs[role];
                bool due = args_has(args, "all") || doc->expires - repo.now < repo.period[role] / 2;

                if (!doc->body)
                        continue;
                if (!keys_may(&repo, role, &signers)) {
                        warn(&repo, role);
                        continue;
                }
                any = true;
                /* A new timestamp each time: nodes learn from it that nobody keeps news from them. */
                if (role == ROLE_TIMESTAMP)
                        p.timestamp = true;
                else if (role == ROLE_SNAPSHOT)
                        p.snapshot = due;
                else if (due)
                        e = repo_change_edit(&repo, &c, role, &doc, err);
        }
        if (e == 0 && !any)
                e = err_set(err, -ENOKEY, REASON_UNKNOWN_KEY, "none of the keys may sign anything here");
        return e < 0 ? e : change_finish(&repo, &c, &p, "refresh", err);
}

static int run(const struct args *args) {
        struct err err = {};
        int e;

        if (!args_has(args, "key"))
                return usage_error(args->command, "at least one --key is needed");
        e = refresh(args, &err);
        return e < 0 ? report_error(NULL, &err, e) : output_end(0);
}

const struct command cmd_repo_refresh = {
        .name = "repo refresh",
        .operands = "",
        .min_operands = 0,
        .max_operands = 0,
        .summary = "sign anew what expires",
        .details = "Of the roles whose keys are given: timestamp always, the others once half of their time has\n"
                   "passed. Warns of the other roles, when less than a fifth of theirs is left.\n",
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run,
};
