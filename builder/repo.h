/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A release repository: a directory with metadata/ and targets/, which are served, and pending/ and repo.json, which are not.
 *
 * Opening it reads what is in force and verifies it from the oldest root that is there, expiry aside: whoever maintains a
 * repository must be able to renew what has expired. What does not verify is refused. Writers hold a lock on the directory.
 */
#pragma once

#include <dirent.h>

#include "repo_keys.h"

#define REPO_BUNDLE_MAX (64u << 20)
#define REPO_SETTINGS "repo.json"

struct repo {
        char *path;
        int fd; /* of the directory; locked for writers */
        int64_t now;
        struct repo_doc docs[ROLE_COUNT]; /* in force; without body: there is none */
        /* The root before the one in force, kept when something in force is not (yet) signed as that one demands: a rotation was
         * interrupted, and what comes next completes it. */
        struct repo_doc previous_root;
        int64_t period[ROLE_COUNT]; /* for how long each role signs */
        char *branch;               /* of Git, where it publishes; NULL: it does not */
};
#define REPO_INIT \
        { .fd = -1 }
void repo_done(struct repo *repo);
#define cleanup_repo cleanup(repo_done)

enum repo_access {
        REPO_READ,
        REPO_WRITE, /* locked (busy) */
};
/* -ENOENT: there is no repository. */
int repo_open(const char *path, enum repo_access access, struct repo *ret, struct err *err);
/* A directory without repository, made where it is not there, locked. -EEXIST: there is one. (What an interrupted init left is
 * none: without timestamp.json nothing was ever published.) */
int repo_open_new(const char *path, struct repo *ret, struct err *err);
/* One of its folders, to be listed. */
int repo_folder_open(const struct repo *repo, const char *folder, DIR **ret, struct err *err);
int repo_settings_save(const struct repo *repo, struct err *err);

/* Do these bytes (still) hold under this root and targets? repo_role is the one of `doc`. */
int repo_doc_verify(const struct repo_doc *root, const struct repo_doc *targets, enum repo_role role, const struct repo_doc *doc,
                    struct err *err);
/* metadata/ path of a role's document in that version. */
void repo_doc_path(enum repo_role role, uint64_t version, char ret[static 64]);
/* targets/ path with the digest in its last component, as consistent snapshots have it. NULL: no memory. */
char *repo_target_path(const char *target, const uint8_t sha256[static SHA256_SIZE]);
/* The entry of `bundles` or `rollouts` for a target path; NULL: not listed. */
json_t *repo_target_entry(const struct repo_doc *doc, const char *target);
/* Length and digest of an entry. (malformed) */
int repo_entry_read(const json_t *entry, uint64_t *ret_length, uint8_t ret_sha256[static SHA256_SIZE], struct err *err);
/* A target that is in force, checked against its entry. (digest-mismatch, length-mismatch, -ENOENT: the file was pruned) */
int repo_target_read(const struct repo *repo, const char *target, const json_t *entry, size_t max, struct buf *ret,
                     struct err *err);
bool repo_target_there(const struct repo *repo, const char *target, const json_t *entry);
