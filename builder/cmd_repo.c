/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd_repo.h"

#include <stdio.h>

#include "path.h"

char *path_trimmed(const char *path) {
        size_t n = strlen(path);

        while (n > 1 && path[n - 1] == '/')
                n--;
        return strndup(path, n);
}

char *repo_path_pending(const struct args *args, const char *pending) {
        char *path;

        if (args_has(args, "repo"))
                return strdup(args_get(args, "repo"));
        /* REPO/pending/NAME */
        return asprintf(&path, "%s/../..", pending) < 0 ? NULL : path;
}

int repo_open_args(const struct args *args, struct repo *ret, struct err *err) {
        const char *path = args_get(args, "repo") ?: ".";
        int e = repo_open(path, REPO_WRITE, ret, err);

        if (e == 0)
                e = repo_git_check(ret, err);
        return e < 0 ? err_wrap(err, e, "repository '%s'", path) : 0;
}

/* ---- what a change lacks -------------------------------------------------------------------------------------------------- */

static void line_print(const json_t *delegator, enum repo_role role, const char *which, const struct envelope *env) {
        cleanup_role_keys struct role_keys keys = {};
        struct sig_report report = {};

        if (role_keys_read(delegator, role_name(role), &keys, NULL) < 0)
                return;
        role_verify(delegator, role_name(role), env, &report, NULL);
        printf("  %s%s: %zu of %zu signatures\n", role_name(role), which, report.n_valid, keys.threshold);
}

void change_print(const struct repo *repo, const struct repo_change *c) {
        for (enum repo_role role = 0; role <= ROLE_ROLLOUTS; role++) {
                const struct repo_doc *doc = &c->docs[role];

                if (!doc->body)
                        continue;
                line_print(repo_change_doc(repo, c, role_delegator(role))->body, role, "", &doc->env);
                if (role == ROLE_ROOT && repo->docs[ROLE_ROOT].body)
                        line_print(repo->docs[ROLE_ROOT].body, role, ", by the keys until now", &doc->env);
        }
}

/* ---- publishing ----------------------------------------------------------------------------------------------------------- */

int change_publish(const struct repo *repo, struct repo_change *c, struct repo_publication *p, const char *message,
                   struct err *err) {
        int e = repo_publish(repo, c, p, err);

        if (e == 0)
                e = repo_git_push(repo, message, err);
        if (e < 0)
                return e;
        for (size_t i = 0; i < p->written.n; i++)
                printf("%s\n", p->written.v[i]);
        if (p->written.n == 0)
                printf("nothing to do: this is in force already\n");
        if (p->gap)
                printf("note: the keys until now have not signed timestamp, snapshot and targets, too. A node that asked in\n"
                       "between refused what it saw, kept what it had, and will ask again.\n");
        return 0;
}

static bool keys_given(const struct repo *repo, const struct repo_change *c, enum repo_role role, const struct signers *signers) {
        cleanup_role_keys struct role_keys keys = {};
        cleanup_keyring struct keyring given = {};
        size_t n = 0;

        if (role_keys_read(repo_change_doc(repo, c, ROLE_ROOT)->body, role_name(role), &keys, NULL) < 0 ||
            signers_ring(signers, &given, NULL) < 0)
                return false;
        for (size_t i = 0; i < given.n; i++)
                n += role_keys_has(&keys, &given.keys[i]);
        return n >= keys.threshold;
}

/* Complete, and what publishing must sign can be signed. */
static bool can_publish(const struct repo *repo, const struct repo_change *c, const struct repo_publication *p) {
        static const enum repo_role online[] = {ROLE_SNAPSHOT, ROLE_TIMESTAMP};
        bool wanted[] = {p->snapshot, p->timestamp};

        if (repo_change_complete(repo, c, NULL) < 0)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(online); i++)
                if ((wanted[i] || repo_publish_needs(repo, c, online[i])) && !keys_given(repo, c, online[i], p->signers))
                        return false;
        return true;
}

static int change_keep(const struct repo *repo, struct repo_change *c, struct err *err) {
        cleanup_free char *dir = repo_pending_path(repo, c->name);
        int e = dir ? repo_pending_save(repo, c, dir, err) : err_errno(err, -ENOMEM, "pending");

        if (e < 0)
                return e;
        printf("%s: pending, not published\n", dir);
        change_print(repo, c);
        if (repo_change_complete(repo, c, NULL) < 0)
                printf("next: lsmbundle sign %s --key KEY, by those who may sign\n", dir);
        else
                printf("next: lsmbundle repo publish %s --key KEY, with the keys of snapshot and timestamp\n", dir);
        return 0;
}

int change_finish(const struct repo *repo, struct repo_change *c, struct repo_publication *p, const char *message,
                  struct err *err) {
        size_t n;
        int e = repo_change_seal(repo, c, err);

        if (e == 0)
                e = repo_change_check(repo, c, err);
        if (e == 0)
                e = repo_change_sign(repo, c, p->signers, &n, err);
        if (e < 0)
                return e;
        return can_publish(repo, c, p) ? change_publish(repo, c, p, message, err) : change_keep(repo, c, err);
}
