/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd_repo.h"
#include "rollout.h"

static const struct option_spec options[] = {
        {"key", 'k', "KEY", "a private key to sign with; it gets each role that no other option gives away", true},
        {"root-key", 0, "PUB", "a public key of root", true},
        {"targets-key", 0, "PUB", "a public key of targets (default: those of root)", true},
        {"bundles-key", 0, "PUB", "a public key of bundles: approves policies", true},
        {"rollouts-key", 0, "PUB", "a public key of rollouts: moves releases through the fleet", true},
        {"snapshot-key", 0, "PUB", "a public key of snapshot (default: those of timestamp)", true},
        {"timestamp-key", 0, "PUB", "a public key of timestamp: automation", true},
        {"threshold", 't', "ROLE=N", "so many of the role's keys must sign (default: 1)", true},
        {"expires", 0, "ROLE=D", "what the role signs holds for so long: 12h, 30d", true},
        {"git", 0, "URL", "publish by Git: every change is committed and pushed there"},
        {"branch", 0, "B", "the branch that nodes read (default: main)"},
};

struct plan {
        struct keyring keys[ROLE_COUNT];
        uint64_t threshold[ROLE_COUNT];
};

static void plan_done(struct plan *plan) {
        for (enum repo_role role = 0; role < ROLE_COUNT; role++)
                keyring_done(&plan->keys[role]);
}

/* "ROLE=VALUE": the value; NULL: reported in err. */
static const char *role_value(const char *text, enum repo_role *ret, struct err *err) {
        const char *equals = strchr(text, '=');
        char name[32];

        snprintf(name, sizeof(name), "%.*s", equals ? (int)(equals - text) : 0, text);
        *ret = role_find(name);
        if (equals && *ret != ROLE_COUNT)
                return equals + 1;
        err_set(err, -EINVAL, REASON_USAGE,
                "'%s' is not ROLE=VALUE, with root, targets, bundles, rollouts, snapshot or timestamp", text);
        return NULL;
}

static int periods_read(const struct args *args, struct repo *repo, struct err *err) {
        const char *text, *value;
        enum repo_role role;

        for (size_t i = 0; (text = args_nth(args, "expires", i)); i++) {
                value = role_value(text, &role, err);
                if (!value)
                        return -EINVAL;
                if (rollout_duration_parse(value, &repo->period[role]) < 0 || repo->period[role] < 1)
                        return err_set(err, -EINVAL, REASON_USAGE, "--expires %s: not a duration like 12h or 30d", text);
        }
        return 0;
}

static int thresholds_read(const struct args *args, struct plan *plan, struct err *err) {
        const char *text, *value;
        enum repo_role role;

        for (role = 0; role < ROLE_COUNT; role++)
                plan->threshold[role] = 1;
        for (size_t i = 0; (text = args_nth(args, "threshold", i)); i++) {
                char *end;

                value = role_value(text, &role, err);
                if (!value)
                        return -EINVAL;
                plan->threshold[role] = strtoull(value, &end, 10);
                if (!*value || *end || plan->threshold[role] < 1 || plan->threshold[role] > SIGNATURES_MAX)
                        return err_set(err, -EINVAL, REASON_USAGE, "--threshold %s: not a number from 1 to %d", text,
                                       SIGNATURES_MAX);
        }
        return 0;
}

static int ring_copy(const struct keyring *from, struct keyring *to, struct err *err) {
        int e = 0;

        for (size_t i = 0; e == 0 && i < from->n; i++) {
                uint8_t raw[32];

                e = pubkey_raw(&from->keys[i], raw) < 0 ? err_errno(err, -EBADMSG, "key") : keyring_add_raw(to, raw, err);
        }
        return e;
}

/* Who gets which role: as the options say; else as the role that is nearest; else the keys that sign. */
static int keys_read(const struct args *args, const struct signers *signers, struct plan *plan, struct err *err) {
        static const enum repo_role nearest[ROLE_COUNT] = {
                [ROLE_ROOT] = ROLE_ROOT,         [ROLE_TARGETS] = ROLE_ROOT,       [ROLE_BUNDLES] = ROLE_BUNDLES,
                [ROLE_ROLLOUTS] = ROLE_ROLLOUTS, [ROLE_SNAPSHOT] = ROLE_TIMESTAMP, [ROLE_TIMESTAMP] = ROLE_TIMESTAMP};
        cleanup_keyring struct keyring own = {};
        int e = signers_ring(signers, &own, err);

        for (enum repo_role role = 0; role < ROLE_COUNT; role++) {
                char name[32];
                const char *path;

                snprintf(name, sizeof(name), "%s-key", role_name(role));
                for (size_t i = 0; e == 0 && (path = args_nth(args, name, i)); i++)
                        e = keyring_add_file(&plan->keys[role], path, err);
        }
        for (enum repo_role role = 0; e == 0 && role < ROLE_COUNT; role++)
                if (plan->keys[role].n == 0)
                        e = ring_copy(plan->keys[nearest[role]].n ? &plan->keys[nearest[role]] : &own, &plan->keys[role], err);
        return e;
}

static int root_make(const struct plan *plan, struct repo_doc *ret, struct err *err) {
        json_t *roles = json_object();
        int e = repo_doc_new(ROLE_ROOT, ret, err);

        if (e < 0 || json_object_set_new(ret->body, "roles", roles) < 0)
                return err_errno(err, -ENOMEM, "root");
        json_object_set_new(ret->body, "consistent_snapshot", json_true());
        json_object_set_new(ret->body, "keys", json_object());
        for (enum repo_role role = 0; e == 0 && role < ROLE_COUNT; role++) {
                if (role_delegator(role) != ROLE_ROOT)
                        continue;
                json_object_set_new(roles, role_name(role), json_object());
                e = role_keys_write(ret->body, role_name(role), &plan->keys[role], plan->threshold[role], err);
        }
        return e;
}

static int targets_make(enum repo_role role, struct repo_doc *ret, struct err *err) {
        int e = repo_doc_new(role, ret, err);

        if (e == 0 && json_object_set_new(ret->body, "targets", json_object()) < 0)
                e = err_errno(err, -ENOMEM, "%s", role_name(role));
        return e;
}

static int change_make(const struct plan *plan, struct repo_change *c, struct err *err) {
        static const enum repo_role delegated[] = {ROLE_BUNDLES, ROLE_ROLLOUTS};
        struct repo_doc *targets = &c->docs[ROLE_TARGETS];
        int e = root_make(plan, &c->docs[ROLE_ROOT], err);

        if (e == 0)
                e = targets_make(ROLE_TARGETS, targets, err);
        for (size_t i = 0; e == 0 && i < ARRAY_SIZE(delegated); i++) {
                enum repo_role role = delegated[i];

                e = targets_make(role, &c->docs[role], err);
                if (e == 0)
                        e = role_delegate(targets->body, role_name(role), err);
                if (e == 0)
                        e = role_keys_write(targets->body, role_name(role), &plan->keys[role], plan->threshold[role], err);
        }
        c->name = strdup("initial");
        return e == 0 && !c->name ? err_errno(err, -ENOMEM, "pending") : e;
}

static void say_done(const struct repo *repo, const struct plan *plan) {
        bool one = true;

        for (enum repo_role role = 1; role < ROLE_COUNT; role++)
                one = one && plan->keys[role].n == 1 && plan->keys[ROLE_ROOT].n == 1 &&
                      streq(plan->keys[role].keys[0].id_hex, plan->keys[ROLE_ROOT].keys[0].id_hex);
        printf("nodes trust it by %s/metadata/1.root.json: copy that to /etc/lsmpull/root.json\n", repo->path);
        if (one)
                printf("note: one key has every role. That is good for trying it out; docs/repository.md says how\n"
                       "to part them.\n");
}

static int init(const struct args *args, const char *dir, struct err *err) {
        cleanup_repo struct repo repo = REPO_INIT;
        cleanup_signers struct signers signers = {};
        cleanup_repo_change struct repo_change change = {};
        cleanup(plan_done) struct plan plan = {};
        cleanup_publication struct repo_publication publication = {.signers = &signers};
        int e = signers_load(args, &signers, err);

        if (e == 0)
                e = thresholds_read(args, &plan, err);
        if (e == 0)
                e = keys_read(args, &signers, &plan, err);
        if (e == 0)
                e = change_make(&plan, &change, err);
        if (e == 0)
                e = repo_open_new(dir, &repo, err);
        if (e == 0)
                e = periods_read(args, &repo, err);
        if (e == 0 && args_has(args, "git")) {
                repo.branch = strdup(args_get(args, "branch") ?: "main");
                e = repo.branch ? repo_git_init(&repo, args_get(args, "git"), err) : err_errno(err, -ENOMEM, "branch");
                if (e == 0)
                        e = repo_git_check(&repo, err);
        }
        if (e == 0)
                e = repo_settings_save(&repo, err);
        if (e == 0)
                e = change_finish(&repo, &change, &publication, "init", err);
        if (e == 0)
                say_done(&repo, &plan);
        return e;
}

static int run(const struct args *args) {
        const char *dir = args->operands[0];
        struct err err = {};
        int e;

        if (!args_has(args, "key"))
                return usage_error(args->command, "at least one --key is needed");
        if (args_has(args, "branch") && !args_has(args, "git"))
                return usage_error(args->command, "--branch goes with --git");
        e = init(args, dir, &err);
        return e < 0 ? report_error(dir, &err, e) : output_end(0);
}

const struct command cmd_repo_init = {
        .name = "repo init",
        .operands = "DIR",
        .min_operands = 1,
        .max_operands = 1,
        .summary = "make a release repository",
        .details = "With --key alone, that key has every role. Roles whose keys are given otherwise are signed\n"
                   "by those keys: what the keys given here do not complete is pending, for the others to sign.\n"
                   "Nothing secret is generated: lsmbundle keygen does that.\n",
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run,
};
