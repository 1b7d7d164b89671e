/* SPDX-License-Identifier: Apache-2.0 */
/* What nobody needs any more leaves the served tree. */
#include <fcntl.h>
#include <stdio.h>

#include "repo_publish.h"
#include "repo_release.h"
#include "rollout.h"

static int keep_path(struct strv *keep, const char *target, const json_t *entry, struct err *err) {
        cleanup_free char *path = NULL;
        uint8_t digest[SHA256_SIZE];
        uint64_t length;
        int e = repo_entry_read(entry, &length, digest, err);

        if (e < 0)
                return e;
        path = repo_target_path(target, digest);
        return path && strv_add(keep, path) == 0 ? 0 : err_errno(err, -ENOMEM, "paths");
}

static bool rollout_names(const struct rollout *r, const char *target) {
        for (size_t i = 0; i < r->n_rings; i++)
                if (streq(r->rings[i].choice.target, target) ||
                    (r->rings[i].has_else && streq(r->rings[i].otherwise.target, target)))
                        return true;
        return false;
}

/* The newest releases of each bundle. */
static int keep_newest(struct strv *keep, const struct releases *releases, unsigned n, struct err *err) {
        int e = 0;

        for (size_t i = 0; e == 0 && i < releases->n; i++) {
                const struct release *r = &releases->v[i];
                size_t newer = 0;

                while (i + newer + 1 < releases->n && streq(releases->v[i + newer + 1].bundle, r->bundle))
                        newer++;
                if (newer < n)
                        e = keep_path(keep, r->target, r->entry, err);
        }
        return e;
}

/* Rollouts, and whatever they name. */
static int keep_rolled_out(const struct repo *repo, struct strv *keep, const struct releases *releases, struct err *err) {
        json_t *targets = json_object_get(repo->docs[ROLE_ROLLOUTS].body, "targets"), *entry;
        const char *target;

        json_object_foreach(targets, target, entry) {
                cleanup_rollout struct rollout *rollout = NULL;
                cleanup_buf struct buf text = {};
                int e = repo_target_read(repo, target, entry, ROLLOUT_MAX, &text, err);

                if (e == 0)
                        e = rollout_parse(text.data, text.len, NULL, &rollout, err);
                if (e == 0)
                        e = keep_path(keep, target, entry, err);
                for (size_t i = 0; e == 0 && i < releases->n; i++)
                        if (rollout_names(rollout, releases->v[i].target))
                                e = keep_path(keep, releases->v[i].target, releases->v[i].entry, err);
                if (e < 0)
                        return e;
        }
        return 0;
}

/* N.ROLE.json is still needed when N is among the newest; roots always, for nodes walk through all of them. */
static bool doc_needed(const struct repo *repo, const char *name, unsigned keep) {
        char *end;
        unsigned long long version = strtoull(name, &end, 10);

        for (enum repo_role role = ROLE_TARGETS; role <= ROLE_SNAPSHOT; role++) {
                char tail[64];

                snprintf(tail, sizeof(tail), ".%s.json", role_name(role));
                if (end != name && streq(end, tail))
                        return !repo->docs[role].body || version + (keep > 2 ? keep : 2) > repo->docs[role].version;
        }
        return true;
}

static int folder_prune(const struct repo *repo, const char *folder, const struct strv *keep, unsigned n, struct err *err) {
        struct dirent *entry;
        DIR *d;
        int e = repo_folder_open(repo, folder, &d, err);

        if (e < 0)
                return e;
        while (e == 0 && (entry = readdir(d))) {
                char path[512];

                snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
                if (entry->d_name[0] == '.' || entry->d_type == DT_DIR ||
                    (keep ? strv_has(keep, path) : doc_needed(repo, entry->d_name, n)))
                        continue;
                if (unlinkat(repo->fd, path, 0) < 0)
                        e = err_errno(err, -errno, "%s", path);
        }
        closedir(d);
        return e;
}

int repo_prune(const char *path, unsigned keep, struct err *err) {
        cleanup_repo struct repo repo = REPO_INIT;
        cleanup_releases struct releases releases = {};
        cleanup_strv struct strv paths = {};
        int e = repo_open(path, REPO_READ, &repo, err);

        if (e == 0)
                e = releases_read(&repo.docs[ROLE_BUNDLES], &releases, err);
        if (e == 0)
                e = keep_newest(&paths, &releases, keep, err);
        if (e == 0)
                e = keep_rolled_out(&repo, &paths, &releases, err);
        if (e == 0)
                e = folder_prune(&repo, "targets/bundles", &paths, keep, err);
        if (e == 0)
                e = folder_prune(&repo, "targets/rollouts", &paths, keep, err);
        return e < 0 ? e : folder_prune(&repo, "metadata", NULL, keep, err);
}
