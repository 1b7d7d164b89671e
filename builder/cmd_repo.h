/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of `lsmbundle repo` share: which repository, which keys, and how a change ends: published or pending. */
#pragma once

#include "cmd.h"
#include "repo_publish.h"

#define OPTION_REPO \
        { "repo", 'r', "DIR", "the repository (default: here)" }
#define OPTION_KEY \
        { "key", 'k', "KEY", "a private key: a PEM file or an OpenSSL store URI", true }

/* Opens it for writing, as --repo says; where it publishes by Git, this clone is up to date with the remote. */
int repo_open_args(const struct args *args, struct repo *ret, struct err *err);
/* The repository in whose pending/ a folder lies, unless --repo says otherwise. NULL: no memory. */
char *repo_path_pending(const struct args *args, const char *pending);
/* A path without the slashes behind it. NULL: no memory. */
char *path_trimmed(const char *path);

/* How many signatures each document of the change has and needs, a line each. */
void change_print(const struct repo *repo, const struct repo_change *c);
/* Publishes and pushes, and says what was written. message: for Git. */
int change_publish(const struct repo *repo, struct repo_change *c, struct repo_publication *p, const char *message,
                   struct err *err);
/*
 * The end of a command that changes something, with change->docs edited and change->name set: seals and signs it with the keys
 * given, then publishes it, or writes it to pending/ for those who have yet to sign or to publish.
 */
int change_finish(const struct repo *repo, struct repo_change *c, struct repo_publication *p, const char *message,
                  struct err *err);
