/* SPDX-License-Identifier: Apache-2.0 */
#include "repo.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "fileio.h"
#include "rollout.h"

#define ROOTS_MAX 4096
#define SETTINGS_MAX 65536

void repo_done(struct repo *repo) {
        for (enum repo_role role = 0; role < ROLE_COUNT; role++)
                repo_doc_done(&repo->docs[role]);
        repo_doc_done(&repo->previous_root);
        free(repo->path);
        free(repo->branch);
        close_p(&repo->fd);
        *repo = (struct repo)REPO_INIT;
}

void repo_doc_path(enum repo_role role, uint64_t version, char ret[static 64]) {
        if (role == ROLE_TIMESTAMP)
                snprintf(ret, 64, "metadata/timestamp.json");
        else
                snprintf(ret, 64, "metadata/%ju.%s.json", (uintmax_t)version, role_name(role));
}

/* ---- settings ------------------------------------------------------------------------------------------------------- */

static int settings_read(const json_t *doc, struct repo *repo, struct err *err) {
        const json_t *expires = json_object_get(doc, "expires"), *value;
        const char *branch = json_string_value(json_object_get(json_object_get(doc, "git"), "branch")), *key;

        json_object_foreach((json_t *)expires, key, value) {
                enum repo_role role = role_find(key);

                if (role == ROLE_COUNT || rollout_duration_parse(json_string_value(value) ?: "", &repo->period[role]) < 0 ||
                    repo->period[role] < 1)
                        return err_set(err, -EINVAL, REASON_CONFIG, "'expires': '%.64s' is no role with a duration", key);
        }
        if (branch) {
                repo->branch = strdup(branch);
                if (!repo->branch)
                        return err_errno(err, -ENOMEM, "settings");
        }
        return 0;
}

/* A repository that others made has none; then the defaults hold. */
static int settings_load(struct repo *repo, struct err *err) {
        cleanup_buf struct buf text = {};
        cleanup_json json_t *doc = NULL;
        int e;

        for (enum repo_role role = 0; role < ROLE_COUNT; role++)
                repo->period[role] = role_default_period(role);
        e = file_read(repo->fd, REPO_SETTINGS, SETTINGS_MAX, &text, err);
        if (e == -ENOENT)
                return 0;
        if (e == 0)
                e = json_parse(text.data, text.len, &doc, err);
        if (e == 0)
                e = settings_read(doc, repo, err);
        return e < 0 ? err_wrap(err, e, REPO_SETTINGS) : 0;
}

int repo_folder_open(const struct repo *repo, const char *folder, DIR **ret, struct err *err) {
        cleanup_fd int fd = openat(repo->fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        *ret = fd < 0 ? NULL : fdopendir(fd);
        if (!*ret)
                return err_errno(err, -errno, "%s", folder);
        steal_fd(&fd);
        return 0;
}

int repo_settings_save(const struct repo *repo, struct err *err) {
        cleanup_json json_t *doc = json_pack("{s:i, s:{}}", "format", 1, "expires");
        cleanup_free char *text = NULL;
        char duration[32];

        for (enum repo_role role = 0; role < ROLE_COUNT; role++) {
                rollout_duration_format(repo->period[role], duration);
                json_object_set_new(json_object_get(doc, "expires"), role_name(role), json_string(duration));
        }
        if (repo->branch)
                json_object_set_new(doc, "git", json_pack("{s:s}", "branch", repo->branch));
        text = json_dumps(doc, JSON_INDENT(2));
        if (!text)
                return err_errno(err, -ENOMEM, "settings");
        return file_replace(repo->fd, REPO_SETTINGS, 0644, text, strlen(text), err);
}

/* ---- what is in force ----------------------------------------------------------------------------------------------- */

static int doc_load(struct repo *repo, enum repo_role role, uint64_t version, struct repo_doc *ret, struct err *err) {
        cleanup_buf struct buf text = {};
        char path[64];
        int e;

        repo_doc_path(role, version, path);
        e = file_read(repo->fd, path, ENVELOPE_MAX, &text, err);
        if (e == 0)
                e = repo_doc_parse_foreign(role, text.data, text.len, ret, err);
        if (e < 0)
                return e == -ENOENT ? e : err_wrap(err, e, "%s", path);
        if (role != ROLE_TIMESTAMP && ret->version != version)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "%s holds version %ju", path, (uintmax_t)ret->version);
        return 0;
}

int repo_doc_verify(const struct repo_doc *root, const struct repo_doc *targets, enum repo_role role, const struct repo_doc *doc,
                    struct err *err) {
        const struct repo_doc *delegator = role_delegator(role) == ROLE_ROOT ? root : targets;

        return role_verify(delegator->body, role_name(role), &doc->env, NULL, err);
}

/* Under the root in force or, after an interrupted rotation, the one before it. */
static int doc_verify(const struct repo *repo, enum repo_role role, struct err *err) {
        const struct repo_doc *docs = repo->docs;
        int e = repo_doc_verify(&docs[ROLE_ROOT], &docs[ROLE_TARGETS], role, &docs[role], err);

        if (e < 0 && role_delegator(role) == ROLE_ROOT && repo->previous_root.body &&
            repo_doc_verify(&repo->previous_root, NULL, role, &docs[role], NULL) == 0)
                return 0;
        return e;
}

static int root_first(const struct repo *repo, uint64_t *ret, struct err *err) {
        char path[64];

        for (*ret = 1; *ret <= ROOTS_MAX; ++*ret) {
                repo_doc_path(ROLE_ROOT, *ret, path);
                if (faccessat(repo->fd, path, F_OK, 0) == 0)
                        return 0;
        }
        return err_set(err, -ENOENT, REASON_NONE, "this is no repository: there is no metadata/N.root.json");
}

/* Each root is signed as the one before it and as itself demands. */
static int roots_load(struct repo *repo, struct err *err) {
        struct repo_doc *root = &repo->docs[ROLE_ROOT];
        uint64_t version;
        int e = root_first(repo, &version, err);

        for (; e == 0 && version <= ROOTS_MAX; version++) {
                cleanup_repo_doc struct repo_doc next = {};

                e = doc_load(repo, ROLE_ROOT, version, &next, err);
                if (e == -ENOENT && root->body)
                        return 0;
                if (e == 0 && root->body)
                        e = repo_doc_verify(root, NULL, ROLE_ROOT, &next, err);
                if (e == 0)
                        e = repo_doc_verify(&next, NULL, ROLE_ROOT, &next, err);
                if (e < 0)
                        return err_wrap(err, e, "metadata/%ju.root.json", (uintmax_t)version);
                repo_doc_done(&repo->previous_root);
                repo->previous_root = *root;
                *root = next;
                next = (struct repo_doc){};
        }
        return e;
}

/* The version (and, where they are given, length and digest) that `meta` of timestamp or snapshot has for a role. */
static int listed_load(struct repo *repo, enum repo_role lister, enum repo_role role, struct err *err) {
        char name[64];
        const json_t *meta = json_object_get(repo->docs[lister].body, "meta"), *entry;
        struct repo_doc *doc = &repo->docs[role];
        const char *hex;
        uint8_t found[SHA256_SIZE], want[SHA256_SIZE];
        long long version;
        int e;

        snprintf(name, sizeof(name), "%s.json", role_name(role));
        entry = json_object_get(meta, name);
        if (!entry)
                return -ENOENT;
        e = json_get_int(entry, "version", 1, JSON_INT_MAX, &version, err);
        if (e == 0)
                e = doc_load(repo, role, (uint64_t)version, doc, err);
        if (e < 0)
                return e == -ENOENT ? err_set(err, -EIO, REASON_NONE, "%s is listed, and its file is missing", name) : e;
        hex = json_string_value(json_object_get(json_object_get(entry, "hashes"), "sha256"));
        if (hex && (hex_decode(hex, want, sizeof(want)) < 0 || sha256(doc->file.data, doc->file.len, found) < 0 ||
                    !digest_equal(want, found)))
                return err_set(err, -EBADMSG, REASON_DIGEST_MISMATCH, "%s is not what %s lists", name, role_name(lister));
        return 0;
}

static int docs_load(struct repo *repo, struct err *err) {
        static const enum repo_role listed[][2] = {{ROLE_TIMESTAMP, ROLE_SNAPSHOT},
                                                   {ROLE_SNAPSHOT, ROLE_TARGETS},
                                                   {ROLE_SNAPSHOT, ROLE_BUNDLES},
                                                   {ROLE_SNAPSHOT, ROLE_ROLLOUTS}};
        int e = roots_load(repo, err);

        if (e == 0)
                e = doc_load(repo, ROLE_TIMESTAMP, 0, &repo->docs[ROLE_TIMESTAMP], err);
        if (e == 0)
                e = doc_verify(repo, ROLE_TIMESTAMP, err);
        for (size_t i = 0; e == 0 && i < ARRAY_SIZE(listed); i++) {
                enum repo_role role = listed[i][1];

                e = listed_load(repo, listed[i][0], role, err);
                if (e == -ENOENT && role_delegator(role) == ROLE_TARGETS)
                        e = 0; /* a repository that was made by others may delegate otherwise */
                else if (e == -ENOENT)
                        e = err_set(err, -EBADMSG, REASON_MALFORMED, "%s lists no %s", role_name(listed[i][0]), role_name(role));
                else if (e == 0)
                        e = doc_verify(repo, role, err);
        }
        return e;
}

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

static int dir_open(const char *path, bool lock, struct repo *ret, struct err *err) {
        ret->now = time(NULL);
        ret->path = strdup(path);
        ret->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (!ret->path)
                return err_errno(err, -ENOMEM, "repository");
        if (ret->fd < 0)
                return err_errno(err, -errno, "cannot open");
        if (lock && flock(ret->fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? err_set(err, -EBUSY, REASON_BUSY, "somebody else is writing to this repository")
                                            : err_errno(err, -errno, "cannot lock");
        return settings_load(ret, err);
}

int repo_open(const char *path, enum repo_access access, struct repo *ret, struct err *err) {
        cleanup_repo struct repo repo = REPO_INIT;
        int e = dir_open(path, access == REPO_WRITE, &repo, err);

        if (e == 0)
                e = docs_load(&repo, err);
        if (e < 0)
                return e;
        *ret = repo;
        repo = (struct repo)REPO_INIT;
        return 0;
}

int repo_open_new(const char *path, struct repo *ret, struct err *err) {
        cleanup_repo struct repo repo = REPO_INIT;
        int e;

        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                return err_errno(err, -errno, "cannot make the directory");
        e = dir_open(path, true, &repo, err);
        if (e < 0)
                return e;
        if (faccessat(repo.fd, "metadata/timestamp.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
                return err_set(err, -EEXIST, REASON_NONE, "there is a repository already");
        *ret = repo;
        repo = (struct repo)REPO_INIT;
        return 0;
}
