/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "cmd_repo.h"

#define PREFIX_MIN 8

static const struct option_spec options[] = {
        OPTION_REPO,
        OPTION_KEY,
        {"add", 0, "PUB", "give the role to this public key, too", true},
        {"remove", 0, "KEYID", "take the role from this key: its id, or at least 8 digits of it", true},
        {"threshold", 't', "N", "so many of its keys must sign from now on"},
};

/* -ENOENT: no key has an id that begins so. */
static int key_find(const struct keyring *ring, const char *prefix, size_t *ret, struct err *err) {
        size_t n = strlen(prefix), found = 0;

        if (n < PREFIX_MIN || strspn(prefix, "0123456789abcdef") != n)
                return err_set(err, -EINVAL, REASON_USAGE, "'%.80s' is no key id, nor %d digits of one", prefix, PREFIX_MIN);
        for (size_t i = 0; i < ring->n; i++)
                if (strncmp(ring->keys[i].id_hex, prefix, n) == 0) {
                        *ret = i;
                        found++;
                }
        if (found > 1)
                return err_set(err, -EINVAL, REASON_USAGE, "'%s' is more than one key", prefix);
        return found == 1 ? 0 : err_set(err, -ENOENT, REASON_USAGE, "the role has no key '%s'", prefix);
}

/* The keys as they will be. A key that is asked to go and has gone already is no error: rotating can be run again. */
static int keys_change(const struct args *args, const struct keyring *now, struct keyring *next, struct err *err) {
        bool gone[KEYRING_MAX] = {};
        const char *text;
        size_t k = 0;
        int e = 0;

        for (size_t i = 0; (text = args_nth(args, "remove", i)); i++) {
                e = key_find(now, text, &k, err);
                if (e == 0)
                        gone[k] = true;
                else if (e != -ENOENT || strlen(text) != KEYID_HEX - 1)
                        return e;
                else
                        fprintf(stderr, "lsmbundle: note: the role has no key %s\n", text);
        }
        for (size_t i = 0; i < now->n; i++) {
                uint8_t raw[32];

                if (gone[i])
                        continue;
                e = pubkey_raw(&now->keys[i], raw) < 0
                            ? err_set(err, -ENOTSUP, REASON_UNSUPPORTED_FORMAT, "key %s is not Ed25519", now->keys[i].id_hex)
                            : keyring_add_raw(next, raw, err);
                if (e < 0)
                        return e;
                /* Under the id that it has in this repository. */
                memcpy(next->keys[next->n - 1].id, now->keys[i].id, sizeof(now->keys[i].id));
                memcpy(next->keys[next->n - 1].id_hex, now->keys[i].id_hex, sizeof(now->keys[i].id_hex));
        }
        for (size_t i = 0; (text = args_nth(args, "add", i)); i++) {
                e = keyring_add_file(next, text, err);
                if (e < 0)
                        return err_wrap(err, e, "key '%s'", text);
        }
        return 0;
}

/* What the new state no longer accepts is to be signed anew by those who now may. */
static int follow(const struct repo *repo, struct repo_change *c, enum repo_role role, struct err *err) {
        const struct repo_doc *root = repo_change_doc(repo, c, ROLE_ROOT), *targets = repo_change_doc(repo, c, ROLE_TARGETS);
        struct repo_doc *doc;

        if (role >= ROLE_SNAPSHOT || role == ROLE_ROOT || c->docs[role].body || !repo->docs[role].body ||
            repo_doc_verify(root, targets, role, &repo->docs[role], NULL) == 0)
                return 0;
        return repo_change_edit(repo, c, role, &doc, err);
}

static int change_make(const struct args *args, const struct repo *repo, enum repo_role role, uint64_t threshold,
                       struct repo_change *c, struct err *err) {
        cleanup_role_keys struct role_keys now = {};
        cleanup_keyring struct keyring next = {};
        enum repo_role by = role_delegator(role);
        struct repo_doc *doc;
        int e = role_keys_read(repo->docs[by].body, role_name(role), &now, err);

        if (e == 0 && now.n_listed != now.ring.n)
                e = err_set(err, -ENOTSUP, REASON_UNSUPPORTED_FORMAT, "'%s' has keys of a kind that is not known",
                            role_name(role));
        if (e == 0)
                e = keys_change(args, &now.ring, &next, err);
        if (e == 0)
                e = repo_change_edit(repo, c, by, &doc, err);
        if (e == 0)
                e = role_keys_write(doc->body, role_name(role), &next, threshold ?: now.threshold, err);
        if (e == 0 && json_equal(doc->body, repo->docs[by].body))
                repo_doc_done(&c->docs[by]); /* as it is already */
        if (e == 0)
                e = follow(repo, c, ROLE_TARGETS, err);
        return e < 0 ? e : follow(repo, c, role, err);
}

static int rotate(const struct args *args, enum repo_role role, uint64_t threshold, struct err *err) {
        cleanup_repo struct repo repo = REPO_INIT;
        cleanup_signers struct signers signers = {};
        cleanup_repo_change struct repo_change c = {};
        cleanup_publication struct repo_publication p = {.signers = &signers};
        char message[64];
        int e = signers_load(args, &signers, err);

        if (e == 0 && asprintf(&c.name, "rotate.%s", role_name(role)) < 0) {
                c.name = NULL;
                e = err_errno(err, -ENOMEM, "rotate");
        }
        if (e == 0)
                e = repo_open_args(args, &repo, err);
        if (e == 0)
                e = change_make(args, &repo, role, threshold, &c, err);
        snprintf(message, sizeof(message), "rotate %s", role_name(role));
        return e < 0 ? e : change_finish(&repo, &c, &p, message, err);
}

static int run(const struct args *args) {
        enum repo_role role = role_find(args->operands[0]);
        uint64_t threshold = 0;
        struct err err = {};
        int e;

        if (role == ROLE_COUNT)
                return usage_error(args->command, "'%s' is no role: root, targets, bundles, rollouts, snapshot, timestamp",
                                   args->operands[0]);
        if (!args_has(args, "add") && !args_has(args, "remove") && !args_has(args, "threshold"))
                return usage_error(args->command, "--add, --remove or --threshold is needed");
        if (!args_has(args, "key"))
                return usage_error(args->command, "at least one --key is needed");
        if (args_number(args, "threshold", 1, SIGNATURES_MAX, &threshold) < 0)
                return reason_exit_code(REASON_USAGE);
        e = rotate(args, role, threshold, &err);
        return e < 0 ? report_error(NULL, &err, e) : output_end(0);
}

const struct command cmd_repo_rotate = {
        .name = "repo rotate",
        .operands = "ROLE",
        .min_operands = 1,
        .max_operands = 1,
        .summary = "change who may sign for a role",
        .details = "root signs for root, targets, snapshot and timestamp; targets for bundles and rollouts. What\n"
                   "the remaining keys have not signed is signed anew: give the new keys, too. With the old keys\n"
                   "of targets, snapshot and timestamp as well, nodes notice nothing at any moment.\n",
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run,
};
