/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_publish.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fileio.h"
#include "rollout.h"

void repo_publication_done(struct repo_publication *p) {
        strv_done(&p->written);
}

/* ---- snapshot and timestamp ------------------------------------------------------------------------------------------- */

static bool doc_changes(const struct repo *repo, const struct repo_change *c, enum repo_role role) {
        return c->docs[role].body && !repo_doc_equal(&c->docs[role], &repo->docs[role]);
}

bool repo_publish_needs(const struct repo *repo, const struct repo_change *c, enum repo_role role) {
        const struct repo_doc *root = repo_change_doc(repo, c, ROLE_ROOT), *doc = &repo->docs[role];

        if (!doc->body || repo_doc_verify(root, NULL, role, doc, NULL) < 0)
                return true;
        if (role == ROLE_TIMESTAMP)
                return repo_publish_needs(repo, c, ROLE_SNAPSHOT);
        return doc_changes(repo, c, ROLE_TARGETS) || doc_changes(repo, c, ROLE_BUNDLES) || doc_changes(repo, c, ROLE_ROLLOUTS);
}

static int meta_set(json_t *meta, enum repo_role role, const struct repo_doc *doc) {
        uint8_t digest[SHA256_SIZE];
        char hex[SHA256_HEX], name[64];

        if (sha256(doc->file.data, doc->file.len, digest) < 0)
                return -EIO;
        hex_encode(digest, sizeof(digest), hex);
        snprintf(name, sizeof(name), "%s.json", role_name(role));
        return json_object_set_new(meta, name,
                                   json_pack("{s:I, s:I, s:{s:s}}", "version", (json_int_t)doc->version, "length",
                                             (json_int_t)doc->file.len, "hashes", "sha256", hex));
}

static int body_fill(const struct repo *repo, const struct repo_change *c, enum repo_role role, const struct repo_doc *snapshot,
                     struct repo_doc *doc) {
        static const enum repo_role listed[] = {ROLE_TARGETS, ROLE_BUNDLES, ROLE_ROLLOUTS};
        json_t *meta = json_object_get(doc->body, "meta");
        char now[32];

        if (!meta) {
                meta = json_object();
                if (json_object_set_new(doc->body, "meta", meta) < 0)
                        return -ENOMEM;
        }
        if (role == ROLE_TIMESTAMP) {
                rollout_time_format(repo->now, now);
                return meta_set(meta, ROLE_SNAPSHOT, snapshot) ?: json_object_set_new(doc->body, "issued", json_string(now));
        }
        for (size_t i = 0; i < ARRAY_SIZE(listed); i++) {
                const struct repo_doc *one = repo_change_doc(repo, c, listed[i]);

                if (one->body && meta_set(meta, listed[i], one) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* Made and signed; refused when the keys that were given are not enough. */
static int listing_make(const struct repo *repo, struct repo_change *c, enum repo_role role, const struct repo_doc *snapshot,
                        const struct signers *signers, struct err *err) {
        const struct repo_doc *before = &repo->docs[role], *root = repo_change_doc(repo, c, ROLE_ROOT);
        struct repo_doc *doc = &c->docs[role];
        size_t n;
        int e;

        e = before->body ? repo_doc_copy(before, doc, err) : repo_doc_new(role, doc, err);
        if (e == 0 && body_fill(repo, c, role, snapshot, doc) < 0)
                e = err_errno(err, -ENOMEM, "%s", role_name(role));
        c->base[role] = before->version;
        if (e == 0)
                e = repo_doc_seal(doc, before->version + 1, repo->now + repo->period[role], err);
        if (e == 0)
                e = role_sign(root->body, role_name(role), signers, &doc->env, &n, err);
        if (e == 0 && repo->docs[ROLE_ROOT].body)
                e = role_sign(repo->docs[ROLE_ROOT].body, role_name(role), signers, &doc->env, &n, err);
        if (e == 0 && repo->previous_root.body)
                e = role_sign(repo->previous_root.body, role_name(role), signers, &doc->env, &n, err);
        if (e == 0)
                e = repo_doc_verify(root, NULL, role, doc, err);
        if (e == 0)
                e = repo_doc_write(doc, err);
        return e < 0 ? err_wrap(err, e, "with the keys that were given") : 0;
}

static int listings_make(const struct repo *repo, struct repo_change *c, const struct repo_publication *p, struct err *err) {
        bool snapshot = p->snapshot || repo_publish_needs(repo, c, ROLE_SNAPSHOT);
        bool timestamp = snapshot || p->timestamp || repo_publish_needs(repo, c, ROLE_TIMESTAMP);
        int e = 0;

        if (snapshot)
                e = listing_make(repo, c, ROLE_SNAPSHOT, NULL, p->signers, err);
        if (e == 0 && timestamp)
                e = listing_make(repo, c, ROLE_TIMESTAMP, repo_change_doc(repo, c, ROLE_SNAPSHOT), p->signers, err);
        return e;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

/* ".NAME.SALT", as file_replace() calls what it has not finished; and not somebody's ".htaccess". */
static bool is_temporary(const char *name) {
        const char *salt = strrchr(name, '.');

        return name[0] == '.' && salt > name + 1 && strlen(salt + 1) == 16 && strspn(salt + 1, "0123456789abcdef") == 16;
}

/* What file_replace() leaves when it is killed. Nobody else writes here, for we hold the lock. */
static int folder_sweep(const struct repo *repo, const char *folder, struct err *err) {
        struct dirent *entry;
        DIR *d;
        int e = repo_folder_open(repo, folder, &d, err);

        if (e < 0)
                return e;
        while (e == 0 && (entry = readdir(d)))
                if (is_temporary(entry->d_name) && unlinkat(dirfd(d), entry->d_name, 0) < 0)
                        e = err_errno(err, -errno, "%s/%s", folder, entry->d_name);
        closedir(d);
        return e;
}

static int folders_make(const struct repo *repo, struct err *err) {
        static const char *const folders[] = {"metadata", "targets", "targets/bundles", "targets/rollouts"};
        int e = 0;

        for (size_t i = 0; e == 0 && i < ARRAY_SIZE(folders); i++) {
                if (mkdirat(repo->fd, folders[i], 0755) < 0 && errno != EEXIST)
                        return err_errno(err, -errno, "%s", folders[i]);
                e = folder_sweep(repo, folders[i], err);
        }
        if (e < 0)
                return e;
        return fsync(repo->fd) < 0 ? err_errno(err, -errno, "%s", repo->path) : 0;
}

static int written_add(struct repo_publication *p, const char *path, struct err *err) {
        return strv_add(&p->written, path) < 0 ? err_errno(err, -ENOMEM, "paths") : 0;
}

static int file_write(const struct repo *repo, const struct repo_file *file, struct repo_publication *p, struct err *err) {
        cleanup_free char *path = NULL;
        uint8_t digest[SHA256_SIZE];
        int e;

        if (sha256(file->data.data, file->data.len, digest) < 0)
                return err_errno(err, -EIO, "digest");
        path = repo_target_path(file->target, digest);
        if (!path)
                return err_errno(err, -ENOMEM, "target");
        e = file_replace(repo->fd, path, 0644, file->data.data, file->data.len, err);
        return e < 0 ? e : written_add(p, path, err);
}

static int doc_write(const struct repo *repo, const struct repo_change *c, enum repo_role role, struct repo_publication *p,
                     struct err *err) {
        const struct repo_doc *doc = &c->docs[role];
        char path[64];
        int e;

        if (!doc_changes(repo, c, role))
                return 0;
        repo_doc_path(role, doc->version, path);
        e = file_replace(repo->fd, path, 0644, doc->file.data, doc->file.len, err);
        return e < 0 ? e : written_add(p, path, err);
}

/* Would a client that knows only the old root accept the new state? */
static bool old_root_holds(const struct repo *repo, const struct repo_change *c) {
        static const enum repo_role roles[] = {ROLE_TARGETS, ROLE_SNAPSHOT, ROLE_TIMESTAMP};
        const struct repo_doc *root = &repo->docs[ROLE_ROOT];

        for (size_t i = 0; root->body && i < ARRAY_SIZE(roles); i++)
                if (repo_doc_verify(root, NULL, roles[i], repo_change_doc(repo, c, roles[i]), NULL) < 0)
                        return false;
        return root->body;
}

/* Would a client that knows the new root accept the old state? Then it does not matter when the root comes. */
static bool new_root_holds(const struct repo *repo, const struct repo_change *c) {
        static const enum repo_role roles[] = {ROLE_TARGETS, ROLE_SNAPSHOT, ROLE_TIMESTAMP};
        const struct repo_doc *root = repo_change_doc(repo, c, ROLE_ROOT);

        for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
                if (!repo->docs[roles[i]].body || repo_doc_verify(root, NULL, roles[i], &repo->docs[roles[i]], NULL) < 0)
                        return false;
        return true;
}

static int write_all(const struct repo *repo, const struct repo_change *c, struct repo_publication *p, struct err *err) {
        static const enum repo_role before[] = {ROLE_BUNDLES, ROLE_ROLLOUTS, ROLE_TARGETS, ROLE_SNAPSHOT};
        bool root_last = old_root_holds(repo, c);
        int e = folders_make(repo, err);

        for (size_t i = 0; e == 0 && i < c->n_files; i++)
                e = file_write(repo, &c->files[i], p, err);
        for (size_t i = 0; e == 0 && i < ARRAY_SIZE(before); i++)
                e = doc_write(repo, c, before[i], p, err);
        if (e == 0 && !root_last)
                e = doc_write(repo, c, ROLE_ROOT, p, err);
        if (e == 0)
                e = doc_write(repo, c, ROLE_TIMESTAMP, p, err);
        if (e == 0 && root_last)
                e = doc_write(repo, c, ROLE_ROOT, p, err);
        p->gap = doc_changes(repo, c, ROLE_ROOT) && repo->docs[ROLE_ROOT].body && !root_last && !new_root_holds(repo, c);
        return e;
}

/* What was written is read as it will be read from now on. */
static int read_back(const struct repo *repo, struct err *err) {
        cleanup_repo struct repo again = REPO_INIT;
        int e = repo_open(repo->path, REPO_READ, &again, err);

        return e < 0 ? err_wrap(err, e, "what was published does not read back") : 0;
}

int repo_publish(const struct repo *repo, struct repo_change *c, struct repo_publication *p, struct err *err) {
        int e = repo_change_base(repo, c, err);

        if (e == 0)
                e = repo_change_check(repo, c, err);
        if (e == 0)
                e = repo_change_complete(repo, c, err);
        for (enum repo_role role = 0; e == 0 && role <= ROLE_ROLLOUTS; role++)
                if (c->docs[role].body)
                        e = repo_doc_write(&c->docs[role], err);
        if (e == 0)
                e = listings_make(repo, c, p, err);
        if (e == 0)
                e = write_all(repo, c, p, err);
        if (e == 0)
                e = read_back(repo, err);
        return e == 0 && p->keep > 0 ? repo_prune(repo->path, p->keep, err) : e;
}
