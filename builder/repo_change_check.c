/* SPDX-License-Identifier: Apache-2.0 */
/* What a change may do to `bundles` and `rollouts`. Signers and publishers both ask: a signature does not make it right. */
#include <stdio.h>

#include "bundle_file.h"
#include "fileio.h"
#include "manifest.h"
#include "repo_change.h"
#include "repo_release.h"
#include "rollout.h"

static const struct repo_file *file_find(const struct repo_change *c, const char *target) {
        for (size_t i = 0; i < c->n_files; i++)
                if (streq(c->files[i].target, target))
                        return &c->files[i];
        return NULL;
}

/* Before anything reads what is in a file: it is what was listed. */
static int file_check(const struct repo_file *file, const json_t *entry, struct err *err) {
        uint8_t want[SHA256_SIZE], found[SHA256_SIZE];
        uint64_t length;
        int e = repo_entry_read(entry, &length, want, err);

        if (e < 0)
                return e;
        if (file->data.len != length)
                return err_set(err, -EBADMSG, REASON_LENGTH_MISMATCH, "%zu bytes, and %ju are listed", file->data.len,
                               (uintmax_t)length);
        if (sha256(file->data.data, file->data.len, found) < 0 || !digest_equal(want, found))
                return err_set(err, -EBADMSG, REASON_DIGEST_MISMATCH, "it has not the digest that is listed");
        return 0;
}

/* ---- bundles ---------------------------------------------------------------------------------------------------------- */

/* The file is the very bundle that its entry describes. */
static int bundle_check(const struct repo_file *file, const struct release *r, struct err *err) {
        cleanup_bundle_file struct bundle_file bundle = BUNDLE_FILE_INIT;
        const struct manifest *m;
        int fd = memfd_sealed("bundle", file->data.data, file->data.len, err);
        int e;

        if (fd < 0)
                return fd;
        bundle.check_only = true;
        e = bundle_file_load_fd(fd, NULL, 0, &bundle, err);
        if (e < 0)
                return e;
        m = bundle.manifest;
        if (!streq(m->name, r->bundle) || !streq(m->version, r->version) || m->release != r->release ||
            !streq(m->content_hex, r->content))
                return err_set(err, -EBADMSG, REASON_WRONG_BUNDLE, "it is %s %s, release %ju, which is not what its entry says",
                               m->name, m->version, (uintmax_t)m->release);
        return 0;
}

/* A release number only grows, and stands for one content for ever. */
static int release_check(const struct releases *before, const struct release *r, struct err *err) {
        const struct release *same = release_find(before, r->bundle, r->release), *newest = release_newest(before, r->bundle);

        if (same && (!streq(same->content, r->content) || !streq(same->version, r->version)))
                return err_set(err, -EEXIST, REASON_RELEASE_REUSED,
                               "release %ju of '%s' is version %s, and was published already", (uintmax_t)r->release, r->bundle,
                               same->version);
        for (size_t i = 0; i < before->n; i++)
                if (streq(before->v[i].target, r->target) && before->v[i].release != r->release)
                        return err_set(err, -EEXIST, REASON_RELEASE_REUSED, "version %s of '%s' is release %ju already",
                                       r->version, r->bundle, (uintmax_t)before->v[i].release);
        if (!same && newest && r->release < newest->release)
                return err_set(err, -EPERM, REASON_RELEASE_TOO_OLD, "release %ju of '%s' is not above the newest, %ju",
                               (uintmax_t)r->release, r->bundle, (uintmax_t)newest->release);
        return 0;
}

/* Nodes remember the highest floor: a lower one would hold for new nodes alone. One above the newest release would stop all. */
static int floor_check(const struct releases *before, const struct releases *after, const struct release *r, struct err *err) {
        if (r->floor != release_floor(after, r->bundle))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "the releases of '%s' have different floors", r->bundle);
        if (r->floor < release_floor(before, r->bundle))
                return err_set(err, -EPERM, REASON_RELEASE_TOO_OLD, "the floor of '%s' is %ju and never goes down", r->bundle,
                               (uintmax_t)release_floor(before, r->bundle));
        if (r->floor > release_newest(after, r->bundle)->release)
                return err_set(err, -EPERM, REASON_RELEASE_TOO_OLD, "the floor of '%s' would be above its newest release",
                               r->bundle);
        return 0;
}

static int bundles_check(const struct repo *repo, const struct repo_change *c, struct err *err) {
        const struct repo_doc *mine = &c->docs[ROLE_BUNDLES], *theirs = &repo->docs[ROLE_BUNDLES];
        cleanup_releases struct releases before = {}, after = {};
        int e = releases_read(theirs, &before, err);

        if (e == 0)
                e = releases_read(mine, &after, err);
        if (e == 0 && after.n != json_object_size(json_object_get(mine->body, "targets")))
                e = err_set(err, -EBADMSG, REASON_MALFORMED, "'bundles' lists something that is no release");
        for (size_t i = 0; e == 0 && i < after.n; i++) {
                const struct release *r = &after.v[i];
                const struct repo_file *file = file_find(c, r->target);

                e = release_check(&before, r, err);
                if (e == 0)
                        e = floor_check(&before, &after, r, err);
                if (e == 0 && file)
                        e = file_check(file, r->entry, err);
                if (e == 0 && file)
                        e = bundle_check(file, r, err);
                if (e < 0)
                        return err_wrap(err, e, "%s", r->target);
        }
        return e;
}

/* ---- rollouts --------------------------------------------------------------------------------------------------------- */

/* The floor is not asked here: a rollout that has fallen below it in one ring must still be put on hold in all. */
static int choice_check(const struct releases *releases, const struct rollout *r, const struct rollout_choice *choice,
                        struct err *err) {
        const struct release *release = release_find(releases, r->bundle, choice->release);

        if (!release)
                return err_set(err, -ENOENT, REASON_UNKNOWN_TARGET, "release %ju of \'%s\' is not published here",
                               (uintmax_t)choice->release, r->bundle);
        if (!streq(release->target, choice->target))
                return err_set(err, -EBADMSG, REASON_WRONG_BUNDLE, "release %ju is %s, not %s", (uintmax_t)choice->release,
                               release->target, choice->target);
        return 0;
}

static int rollout_check(const struct releases *releases, const struct repo_file *file, const char *bundle, struct err *err) {
        cleanup_rollout struct rollout *r = NULL;
        int e = rollout_parse(file->data.data, file->data.len, bundle, &r, err);

        for (size_t i = 0; e == 0 && i < r->n_rings; i++) {
                const struct rollout_ring *ring = &r->rings[i];

                e = choice_check(releases, r, &ring->choice, err);
                if (e == 0 && ring->has_else)
                        e = choice_check(releases, r, &ring->otherwise, err);
                if (e < 0)
                        return err_wrap(err, e, "ring '%s'", ring->name);
        }
        return e;
}

/* rollouts/NAME.json, and NAME. */
static int rollout_name(const char *target, char ret[static 64], struct err *err) {
        size_t n = strlen(target), before = strlen("rollouts/"), behind = strlen(".json");

        if (n > before + behind && n - before - behind < 64 && strncmp(target, "rollouts/", before) == 0 &&
            streq(target + n - behind, ".json")) {
                snprintf(ret, 64, "%.*s", (int)(n - before - behind), target + before);
                if (name_valid(ret))
                        return 0;
        }
        return err_set(err, -EBADMSG, REASON_MALFORMED, "'%.255s' is not rollouts/NAME.json", target);
}

static int rollouts_check(const struct repo *repo, const struct repo_change *c, struct err *err) {
        json_t *targets = json_object_get(c->docs[ROLE_ROLLOUTS].body, "targets"), *entry;
        cleanup_releases struct releases releases = {};
        const char *target;
        char name[64];
        int e = releases_read(repo_change_doc(repo, c, ROLE_BUNDLES), &releases, err);

        if (e < 0)
                return e;
        json_object_foreach(targets, target, entry) {
                const struct repo_file *file = file_find(c, target);

                e = rollout_name(target, name, err);
                if (e == 0 && file)
                        e = file_check(file, entry, err);
                if (e == 0 && file)
                        e = rollout_check(&releases, file, name, err);
                if (e < 0)
                        return err_wrap(err, e, "%s", target);
        }
        return 0;
}

/* It may have been pending for long. Nodes would refuse the whole state. */
static int expiry_check(const struct repo *repo, const struct repo_change *c, struct err *err) {
        for (enum repo_role role = 0; role < ROLE_COUNT; role++)
                if (c->docs[role].body && c->docs[role].expires <= repo->now)
                        return err_set(err, -EKEYEXPIRED, REASON_EXPIRED,
                                       "its '%s' has expired while it was pending: prepare it again", role_name(role));
        return 0;
}

int repo_change_check(const struct repo *repo, const struct repo_change *c, struct err *err) {
        int e = expiry_check(repo, c, err);

        if (e == 0 && c->docs[ROLE_BUNDLES].body)
                e = bundles_check(repo, c, err);
        if (e == 0 && c->docs[ROLE_ROLLOUTS].body)
                e = rollouts_check(repo, c, err);
        return e;
}
