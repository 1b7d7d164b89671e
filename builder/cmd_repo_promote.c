/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>

#include "cmd_repo.h"
#include "repo_rollout.h"

static const struct option_spec options[] = {
        OPTION_REPO,
        OPTION_KEY,
        {"ring", 0, "R", "the ring of nodes that gets the release"},
        {"percent", 'p', "P", "so much of the ring, now"},
        {"waves", 0, "W", "when how much of it: 1h:1,24h:25,72h:100"},
        {"bake", 0, "D", "run it in the shadow of what is in force for so long, then enforce"},
        {"allow", 0, "N", "with --bake: so many denials that are not denied today are no failure (default: 0)"},
        {"else", 0, "N", "what nodes run whose wave has not come: a release, or none (default: what the ring had)"},
        {"hold", 0, NULL, "no node that enforces this bundle moves, in any ring"},
        {"resume", 0, NULL, "they move again"},
};

static bool number_read(const char *text, uint64_t *ret) {
        char *end;

        if (!isdigit((unsigned char)*text))
                return false;
        errno = 0;
        *ret = strtoull(text, &end, 10);
        return errno == 0 && !*end && *ret >= 1 && *ret <= JSON_INT_MAX;
}

/* The release that the option or the operand names, and that nodes would take. */
static int release_named(const struct repo *repo, const struct releases *releases, const char *bundle, const char *text,
                         const struct release **ret, struct err *err) {
        uint64_t release;
        int e;

        if (!number_read(text, &release))
                return err_set(err, -EINVAL, REASON_USAGE, "'%s' is not a release", text);
        e = release_may_run(releases, bundle, release, ret, err);
        if (e == 0 && !repo_target_there(repo, (*ret)->target, (*ret)->entry))
                e = err_set(err, -ENOENT, REASON_UNKNOWN_TARGET, "the file of release %ju of '%s' was pruned", (uintmax_t)release,
                            bundle);
        return e;
}

static int step_read(const struct args *args, const struct repo *repo, const struct releases *releases, char *waves, size_t size,
                     struct rollout_step *ret, struct err *err) {
        const char *bundle = args->operands[0], *otherwise = args_get(args, "else"), *bake = args_get(args, "bake");
        uint64_t percent = 0;
        int e;

        ret->ring = args_get(args, "ring");
        ret->waves = args_get(args, "waves");
        ret->floor = release_floor(releases, bundle);
        ret->no_else = otherwise && streq(otherwise, "none");
        if (args_has(args, "percent")) {
                if (args_number(args, "percent", 1, 100, &percent) < 0)
                        return err_set(err, -EINVAL, REASON_USAGE, "--percent");
                snprintf(waves, size, "0s:%ju", (uintmax_t)percent);
                ret->waves = waves;
        }
        if (args_number(args, "allow", 0, JSON_INT_MAX, &ret->bake_allow) < 0)
                return err_set(err, -EINVAL, REASON_USAGE, "--allow");
        if (bake && (rollout_duration_parse(bake, &ret->bake_s) < 0 || ret->bake_s < 1))
                return err_set(err, -EINVAL, REASON_USAGE, "--bake '%s' is not a duration like 30m or 24h", bake);
        e = release_named(repo, releases, bundle, args->operands[1], &ret->release, err);
        if (e == 0 && otherwise && !ret->no_else)
                e = release_named(repo, releases, bundle, otherwise, &ret->otherwise, err);
        return e;
}

static int change_make(const struct args *args, const struct repo *repo, struct repo_change *c, struct err *err) {
        cleanup_releases struct releases releases = {};
        cleanup_rollout struct rollout *rollout = NULL;
        struct rollout_step step = {};
        char waves[32];
        int e = releases_read(&repo->docs[ROLE_BUNDLES], &releases, err);

        if (e == 0 && args->n_operands == 2)
                e = step_read(args, repo, &releases, waves, sizeof(waves), &step, err);
        if (e == 0)
                e = repo_rollout_load(repo, args->operands[0], &rollout, err);
        if (e < 0)
                return e;
        if (args->n_operands == 2)
                e = repo_rollout_step(rollout, &step, repo->now, err);
        else if (rollout->n_rings == 0)
                e = err_set(err, -ENOENT, REASON_USAGE, "there is no rollout of '%s'", args->operands[0]);
        if (args_has(args, "hold") || args_has(args, "resume"))
                rollout->hold = args_has(args, "hold");
        return e < 0 ? e : repo_rollout_save(repo, c, rollout, err);
}

static int promote(const struct args *args, struct err *err) {
        cleanup_repo struct repo repo = REPO_INIT;
        cleanup_signers struct signers signers = {};
        cleanup_repo_change struct repo_change c = {};
        cleanup_publication struct repo_publication p = {.signers = &signers};
        char message[200];
        int e = signers_load(args, &signers, err);

        if (e == 0 && asprintf(&c.name, "promote.%s", args->operands[0]) < 0) {
                c.name = NULL;
                e = err_errno(err, -ENOMEM, "promote");
        }
        if (e == 0)
                e = repo_open_args(args, &repo, err);
        if (e == 0)
                e = change_make(args, &repo, &c, err);
        if (e > 0) {
                printf("nothing to do: the rollout of '%s' is so already\n", args->operands[0]);
                return repo_git_push(&repo, "promote", err);
        }
        snprintf(message, sizeof(message), "promote %s%s%s", args->operands[0], args->n_operands == 2 ? " " : "",
                 args->n_operands == 2 ? args->operands[1] : "");
        return e < 0 ? e : change_finish(&repo, &c, &p, message, err);
}

static int usage_check(const struct args *args) {
        static const char *const moves[] = {"percent", "waves", "bake", "allow", "else"};
        bool move = args->n_operands == 2;

        if (!name_valid(args->operands[0]))
                return usage_error(args->command, "'%s' is not the name of a bundle", args->operands[0]);
        if (args_has(args, "hold") && args_has(args, "resume"))
                return usage_error(args->command, "--hold or --resume, not both");
        if (!move && !args_has(args, "hold") && !args_has(args, "resume"))
                return usage_error(args->command, "a RELEASE, --hold or --resume is needed");
        if (move != args_has(args, "ring"))
                return usage_error(args->command, move ? "--ring is needed" : "--ring goes with a RELEASE");
        if (move && !name_valid(args_get(args, "ring")))
                return usage_error(args->command, "'%s' is not the name of a ring", args_get(args, "ring"));
        for (size_t i = 0; !move && i < ARRAY_SIZE(moves); i++)
                if (args_has(args, moves[i]))
                        return usage_error(args->command, "--%s goes with a RELEASE", moves[i]);
        if (args_has(args, "percent") && args_has(args, "waves"))
                return usage_error(args->command, "--percent or --waves, not both");
        if (args_has(args, "allow") && !args_has(args, "bake"))
                return usage_error(args->command, "--allow goes with --bake");
        if (args_has(args, "else") && !args_has(args, "percent") && !args_has(args, "waves"))
                return usage_error(args->command, "--else goes with --percent or --waves");
        if (!args_has(args, "key"))
                return usage_error(args->command, "at least one --key is needed");
        return 0;
}

static int run(const struct args *args) {
        struct err err = {};
        int e = usage_check(args);

        if (e != 0)
                return e;
        e = promote(args, &err);
        return e < 0 ? report_error(NULL, &err, e) : output_end(0);
}

const struct command cmd_repo_promote = {
        .name = "repo promote",
        .operands = "NAME [RELEASE]",
        .min_operands = 1,
        .max_operands = 2,
        .summary = "move a release through the fleet, ring by ring",
        .details = "Any published release at or above the floor: that is also how a fleet goes back. Promoting\n"
                   "the same release further keeps the time at which its waves began.\n",
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run,
};
