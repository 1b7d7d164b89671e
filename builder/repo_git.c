/* SPDX-License-Identifier: Apache-2.0 */
/* Publishing by Git, with the git program: it knows the user's keys, agents and proxies. A commit is what nodes see, whole. */
#include <fcntl.h>
#include <stdio.h>

#include "process.h"
#include "repo_publish.h"

#define WORDS_MAX 24

static void first_line(const struct buf *text, char *ret, size_t n) {
        size_t len = text->data ? strcspn(text->data, "\n") : 0;

        snprintf(ret, n, "%.*s", (int)(len < n ? len : n - 1), text->data ?: "");
}

/* git WORD...; in the repository's directory. ret_ok NULL: failing is an error, with git's own words. */
static int git(const struct repo *repo, const char *const *words, bool *ret_ok, struct err *err) {
        const char *argv[WORDS_MAX] = {"git"};
        cleanup_process struct process p = {.argv = argv, .dir = repo->path};
        char why[512];
        size_t n = 1;
        int e;

        while (*words && n < WORDS_MAX - 1)
                argv[n++] = *words++;
        e = process_run(&p, err);
        if (e < 0)
                return e;
        if (ret_ok) {
                *ret_ok = process_ok(&p);
                return 0;
        }
        if (process_ok(&p))
                return 0;
        first_line(&p.err, why, sizeof(why));
        return err_set(err, -EIO, REASON_NONE, "git %s: %s", argv[1], *why ? why : "failed");
}
#define GIT(repo, err, ...) git(repo, (const char *const[]){__VA_ARGS__, NULL}, NULL, err)
#define GIT_ASK(repo, ok, err, ...) git(repo, (const char *const[]){__VA_ARGS__, NULL}, ok, err)

int repo_git_init(const struct repo *repo, const char *url, struct err *err) {
        char ref[256];
        bool ok;
        int e;

        /* An interrupted init can be run again; somebody's work is not taken over. */
        e = GIT_ASK(repo, &ok, err, "rev-parse", "--quiet", "--verify", "HEAD");
        if (e == 0 && ok && faccessat(repo->fd, ".git", F_OK, 0) == 0)
                e = err_set(err, -EEXIST, REASON_NONE, "it is a Git repository with commits already");
        if (e < 0)
                return e;
        snprintf(ref, sizeof(ref), "refs/heads/%s", repo->branch);
        e = GIT(repo, err, "init", "--quiet", ".");
        if (e == 0)
                e = GIT(repo, err, "symbolic-ref", "HEAD", ref);
        if (e == 0)
                e = GIT_ASK(repo, &ok, err, "remote", "remove", "origin");
        if (e == 0)
                e = GIT(repo, err, "remote", "add", "--", "origin", url);
        return e;
}

static void remote_name(const struct repo *repo, char *ret, size_t n) {
        snprintf(ret, n, "refs/remotes/origin/%s", repo->branch);
}

int repo_git_check(const struct repo *repo, struct err *err) {
        char remote[256], spec[600], ours[256];
        bool there, known, behind;
        int e;

        if (!repo->branch)
                return 0;
        remote_name(repo, remote, sizeof(remote));
        snprintf(ours, sizeof(ours), "refs/heads/%s", repo->branch);
        snprintf(spec, sizeof(spec), "+%s:%s", ours, remote);
        e = GIT_ASK(repo, &there, err, "ls-remote", "--exit-code", "--quiet", "origin", ours);
        if (e < 0 || !there)
                return e; /* nothing was pushed yet; or pushing will say what is wrong with the remote */
        e = GIT(repo, err, "fetch", "--quiet", "--no-tags", "origin", spec);
        if (e == 0)
                e = GIT_ASK(repo, &known, err, "rev-parse", "--quiet", "--verify", "HEAD");
        if (e == 0 && known)
                e = GIT_ASK(repo, &behind, err, "merge-base", "--is-ancestor", remote, "HEAD");
        if (e < 0)
                return e;
        if (!known || !behind)
                return err_set(err, -ESTALE, REASON_STALE_BASE,
                               "branch '%s' has moved on at its remote: bring this clone up to date (git reset --hard "
                               "origin/%s), then do it again",
                               repo->branch, repo->branch);
        return 0;
}

/* Whoever publishes is named by Git's own configuration; a machine without one is named after the program. */
static int commit(const struct repo *repo, const char *message, struct err *err) {
        bool named;
        int e = GIT_ASK(repo, &named, err, "config", "user.email");

        if (e < 0)
                return e;
        if (named)
                return GIT(repo, err, "commit", "--quiet", "-m", message);
        return GIT(repo, err, "-c", "user.name=lsmbundle", "-c", "user.email=lsmbundle@localhost", "commit", "--quiet", "-m",
                   message);
}

int repo_git_push(const struct repo *repo, const char *message, struct err *err) {
        char spec[256];
        bool same;
        int e;

        if (!repo->branch)
                return 0;
        snprintf(spec, sizeof(spec), "HEAD:refs/heads/%s", repo->branch);
        e = GIT(repo, err, "add", "--all", "--force", "--", "metadata", "targets", REPO_SETTINGS);
        if (e == 0)
                e = GIT_ASK(repo, &same, err, "diff", "--cached", "--quiet");
        if (e == 0 && !same)
                e = commit(repo, message, err);
        if (e == 0)
                e = GIT(repo, err, "push", "--quiet", "origin", spec);
        return e < 0 ? err_wrap(err, e, "it is published in this directory, but not pushed; run it again") : 0;
}
