/* SPDX-License-Identifier: Apache-2.0 */
/* A change as a folder. It comes from a pull request: nothing in it is believed. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fileio.h"
#include "path.h"
#include "repo_change.h"

#define PENDING_FILE "pending.json"
#define PENDING_MAX 65536
#define FILES_MAX 16 /* each is held in memory */

static const char *file_name(const char *target) {
        const char *slash = strrchr(target, '/');

        return slash ? slash + 1 : target;
}

char *repo_pending_path(const struct repo *repo, const char *name) {
        bool here = streq(repo->path, ".");
        char *path;

        return asprintf(&path, "%s%spending/%s", here ? "" : repo->path, here ? "" : "/", name) < 0 ? NULL : path;
}

/* Beside it: what is half made, or half gone. */
static char *temporary_name(const char *dir) {
        cleanup_free char *parent = path_dir(dir);
        char *tmp;

        return !parent || asprintf(&tmp, "%s/.%s.tmp", parent, file_name(dir)) < 0 ? NULL : tmp;
}

static int dir_open(const char *dir, struct err *err) {
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? err_errno(err, -errno, "%s", dir) : fd;
}

/* ---- writing -------------------------------------------------------------------------------------------------------- */

static int base_write(int fd, const struct repo_change *c, struct err *err) {
        cleanup_json json_t *doc = json_pack("{s:i, s:{}}", "format", 1, "base");
        cleanup_free char *text = NULL;

        for (enum repo_role role = 0; role < ROLE_COUNT; role++)
                if (c->docs[role].body)
                        json_object_set_new(json_object_get(doc, "base"), role_name(role),
                                            json_integer((json_int_t)c->base[role]));
        text = json_dumps(doc, JSON_INDENT(2));
        if (!text)
                return err_errno(err, -ENOMEM, PENDING_FILE);
        return file_replace(fd, PENDING_FILE, 0644, text, strlen(text), err);
}

static int docs_write(int fd, struct repo_change *c, struct err *err) {
        for (enum repo_role role = 0; role < ROLE_COUNT; role++) {
                char name[64];
                int e;

                if (!c->docs[role].body)
                        continue;
                snprintf(name, sizeof(name), "%s.json", role_name(role));
                e = repo_doc_write(&c->docs[role], err);
                if (e == 0)
                        e = file_replace(fd, name, 0644, c->docs[role].file.data, c->docs[role].file.len, err);
                if (e < 0)
                        return e;
        }
        return 0;
}

static int folder_write(const char *dir, struct repo_change *c, struct err *err) {
        cleanup_fd int fd = -1;
        int e;

        if (mkdir(dir, 0755) < 0)
                return err_errno(err, -errno, "%s", dir);
        fd = dir_open(dir, err);
        e = fd < 0 ? fd : base_write(fd, c, err);
        for (size_t i = 0; e == 0 && i < c->n_files; i++)
                e = file_replace(fd, file_name(c->files[i].target), 0644, c->files[i].data.data, c->files[i].data.len, err);
        return e < 0 ? e : docs_write(fd, c, err);
}

static size_t signatures(const struct repo_change *c) {
        size_t n = 0;

        for (enum repo_role role = 0; role < ROLE_COUNT; role++)
                n += c->docs[role].env.n_sigs;
        return n;
}

/* A change that lies there may go when nobody's signature is lost by it. Anything else is not ours to remove. */
static int make_room(const struct repo *repo, const char *dir, struct err *err) {
        cleanup_repo_change struct repo_change there = {};
        cleanup_free char *mark = NULL;

        if (access(dir, F_OK) < 0)
                return errno == ENOENT ? 0 : err_errno(err, -errno, "%s", dir);
        mark = path_join(dir, PENDING_FILE);
        if (!mark)
                return err_errno(err, -ENOMEM, "pending");
        if (access(mark, F_OK) < 0)
                return err_set(err, -EEXIST, REASON_NONE, "%s is there, and is no pending change", dir);
        if (repo_pending_load(repo, dir, &there, NULL) == 0 && signatures(&there) > 0 &&
            repo_change_base(repo, &there, NULL) == 0)
                return err_set(err, -EEXIST, REASON_NONE, "%s is pending and has been signed: publish it, or remove it", dir);
        return repo_pending_remove(dir, err);
}

int repo_pending_save(const struct repo *repo, struct repo_change *c, const char *dir, struct err *err) {
        cleanup_free char *parent = path_dir(dir), *tmp = temporary_name(dir);
        cleanup_fd int fd = -1;
        int e;

        if (!parent || !tmp)
                return err_errno(err, -ENOMEM, "pending");
        if (mkdir(parent, 0755) < 0 && errno != EEXIST)
                return err_errno(err, -errno, "%s", parent);
        e = make_room(repo, dir, err);
        if (e == 0)
                e = repo_pending_sweep(dir, err);
        if (e == 0)
                e = folder_write(tmp, c, err);
        if (e == 0 && rename(tmp, dir) < 0)
                e = err_errno(err, -errno, "%s", dir);
        if (e < 0)
                return e;
        fd = dir_open(parent, err);
        return fd < 0 ? fd : fsync(fd) < 0 ? err_errno(err, -errno, "%s", parent) : 0;
}

int repo_pending_update(struct repo_change *c, const char *dir, struct err *err) {
        cleanup_fd int fd = dir_open(dir, err);

        return fd < 0 ? fd : docs_write(fd, c, err);
}

static int folder_remove(const char *dir, struct err *err) {
        DIR *d = opendir(dir);
        struct dirent *entry;
        int e = 0;

        if (!d)
                return errno == ENOENT ? 0 : err_errno(err, -errno, "%s", dir);
        while (e == 0 && (entry = readdir(d)))
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, "..") && unlinkat(dirfd(d), entry->d_name, 0) < 0)
                        e = err_errno(err, -errno, "%s/%s", dir, entry->d_name);
        closedir(d);
        if (e == 0 && rmdir(dir) < 0)
                e = err_errno(err, -errno, "%s", dir);
        return e;
}

int repo_pending_sweep(const char *dir, struct err *err) {
        cleanup_free char *tmp = temporary_name(dir);

        return tmp ? folder_remove(tmp, err) : err_errno(err, -ENOMEM, "pending");
}

/* Under its name it is there whole, or not at all. */
int repo_pending_remove(const char *dir, struct err *err) {
        cleanup_free char *tmp = temporary_name(dir);
        int e;

        if (!tmp)
                return err_errno(err, -ENOMEM, "pending");
        e = folder_remove(tmp, err);
        if (e == 0 && rename(dir, tmp) < 0)
                e = errno == ENOENT ? 0 : err_errno(err, -errno, "%s", dir);
        return e < 0 ? e : folder_remove(tmp, err);
}

/* ---- reading -------------------------------------------------------------------------------------------------------- */

static int base_read(int fd, struct repo_change *c, struct err *err) {
        cleanup_buf struct buf text = {};
        cleanup_json json_t *doc = NULL;
        const char *name;
        json_t *base, *version;
        long long format;
        int e = file_read(fd, PENDING_FILE, PENDING_MAX, &text, err);

        if (e == 0)
                e = json_parse(text.data, text.len, &doc, err);
        if (e == 0)
                e = json_get_int(doc, "format", 1, JSON_INT_MAX, &format, err);
        if (e == 0 && format != 1)
                e = err_set(err, -EBADMSG, REASON_UNSUPPORTED_FORMAT, "format %lld, and this program knows format 1", format);
        if (e == 0)
                e = json_get_object(doc, "base", &base, err);
        if (e < 0)
                return err_wrap(err, e, PENDING_FILE);
        json_object_foreach(base, name, version) {
                enum repo_role role = role_find(name);

                if (role > ROLE_ROLLOUTS || !json_is_integer(version) || json_integer_value(version) < 0)
                        return err_set(err, -EBADMSG, REASON_MALFORMED, PENDING_FILE ": 'base' holds '%.64s'", name);
                c->base[role] = (uint64_t)json_integer_value(version);
        }
        return 0;
}

static int docs_read(int fd, struct repo_change *c, struct err *err) {
        size_t n = 0;

        for (enum repo_role role = 0; role <= ROLE_ROLLOUTS; role++) {
                cleanup_buf struct buf text = {};
                char name[64];
                int e;

                snprintf(name, sizeof(name), "%s.json", role_name(role));
                e = file_read(fd, name, ENVELOPE_MAX, &text, err);
                if (e == -ENOENT)
                        continue;
                if (e == 0)
                        e = repo_doc_parse(role, text.data, text.len, &c->docs[role], err);
                if (e < 0)
                        return err_wrap(err, e, "%s", name);
                n++;
        }
        return n > 0 ? 0 : err_set(err, -EBADMSG, REASON_MALFORMED, "there is nothing to sign or to publish in it");
}

/* A new or changed entry whose file is not among the repository's targets yet. */
static int file_load(const struct repo *repo, int fd, const char *target, const json_t *entry, struct repo_change *c,
                     struct err *err) {
        struct repo_file *files;
        int e;

        if (repo_target_there(repo, target, entry))
                return 0;
        if (c->n_files >= FILES_MAX)
                return err_set(err, -E2BIG, REASON_TOO_LARGE, "more than %d new files in one change", FILES_MAX);
        files = reallocarray(c->files, c->n_files + 1, sizeof(*files));
        if (!files)
                return err_errno(err, -ENOMEM, "target");
        c->files = files;
        files[c->n_files++] = (struct repo_file){strdup(target)};
        if (!files[c->n_files - 1].target)
                return err_errno(err, -ENOMEM, "target");
        e = file_read(fd, file_name(target), REPO_BUNDLE_MAX, &files[c->n_files - 1].data, err);
        return e == -ENOENT ? err_set(err, -EBADMSG, REASON_MISSING_MEMBER, "%s is listed, and is not there", target) : e;
}

static int files_read(const struct repo *repo, int fd, struct repo_change *c, struct err *err) {
        static const enum repo_role roles[] = {ROLE_BUNDLES, ROLE_ROLLOUTS};

        for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
                json_t *targets = json_object_get(c->docs[roles[i]].body, "targets"), *entry;
                const char *target;

                json_object_foreach(targets, target, entry) {
                        int e;

                        /* Entries that are in force already may stand for files that were pruned. */
                        if (json_equal(entry, repo_target_entry(&repo->docs[roles[i]], target)))
                                continue;
                        e = file_load(repo, fd, target, entry, c, err);
                        if (e < 0)
                                return e;
                }
        }
        return 0;
}

int repo_pending_load(const struct repo *repo, const char *dir, struct repo_change *ret, struct err *err) {
        cleanup_repo_change struct repo_change c = {};
        cleanup_fd int fd = dir_open(dir, err);
        int e;

        if (fd < 0)
                return fd;
        e = base_read(fd, &c, err);
        if (e == 0)
                e = docs_read(fd, &c, err);
        if (e == 0)
                e = files_read(repo, fd, &c, err);
        if (e == 0) {
                c.name = strdup(file_name(dir));
                if (!c.name)
                        e = err_errno(err, -ENOMEM, "pending");
        }
        if (e < 0)
                return e;
        *ret = c;
        c = (struct repo_change){};
        return 0;
}
