/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_review.h"

#include <fcntl.h>
#include <stdio.h>

#include "build.h"
#include "diff.h"
#include "fileio.h"
#include "lint.h"
#include "repo_rollout.h"

/* ---- documents ---------------------------------------------------------------------------------------------------------- */

struct path { /* where in a document; the names are borrowed */
        const struct path *up;
        const char *name;
};

static int path_print(const struct path *p, struct buf *out) {
        int e = p->up ? path_print(p->up, out) : 0;

        if (e == 0 && p->up)
                e = buf_printf(out, " > ");
        /* Nothing that a terminal would show as something else: no right-to-left marks, no look-alikes. */
        for (const char *s = p->name; e == 0 && *s; s++)
                e = buf_printf(out, "%c", *s >= 0x20 && *s < 0x7f ? *s : '?');
        return e;
}

static int value_print(char sign, const struct path *p, const json_t *value, struct buf *out) {
        cleanup_free char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
        int e = text ? buf_printf(out, "  %c ", sign) : -ENOMEM;

        if (e == 0)
                e = path_print(p, out);
        return e < 0 ? e : buf_printf(out, ": %s\n", text);
}

static int object_diff(const struct path *p, const json_t *before, const json_t *after, struct buf *out);

/* Every difference gets a line: what is not shown must not be signed. Either may be NULL. */
static int value_diff(const struct path *p, const json_t *before, const json_t *after, struct buf *out) {
        int e = 0;

        if (before && after && json_equal(before, after))
                return 0;
        if ((json_is_object(before) || !before) && (json_is_object(after) || !after) &&
            json_object_size(before) + json_object_size(after) > 0)
                return object_diff(p, before, after, out);
        if (before)
                e = value_print('-', p, before, out);
        return e == 0 && after ? value_print('+', p, after, out) : e;
}

static int object_diff(const struct path *p, const json_t *before, const json_t *after, struct buf *out) {
        const char *key;
        json_t *value;
        int e = 0;

        json_object_foreach((json_t *)before, key, value) {
                if (e == 0)
                        e = value_diff(&(struct path){p, key}, value, json_object_get(after, key), out);
        }
        json_object_foreach((json_t *)after, key, value) {
                if (e == 0 && !json_object_get(before, key))
                        e = value_diff(&(struct path){p, key}, NULL, value, out);
        }
        return e;
}

/* ---- bundles ------------------------------------------------------------------------------------------------------------ */

static int bundle_open(const struct buf *data, struct bundle_file *ret, struct err *err) {
        int fd = memfd_sealed("bundle", data->data, data->len, err);

        return fd < 0 ? fd : bundle_file_load_fd(fd, NULL, 0, ret, err);
}

static int against(const struct repo *repo, const struct release *old, const struct bundle_file *next, struct buf *out,
                   struct err *err) {
        cleanup_bundle_file struct bundle_file before = BUNDLE_FILE_INIT;
        cleanup_changes struct changes changes = {};
        cleanup_buf struct buf data = {};
        int e = repo_target_read(repo, old->target, old->entry, REPO_BUNDLE_MAX, &data, err);

        if (e == 0)
                e = bundle_open(&data, &before, err);
        if (e == 0)
                e = changes_find(&before, next, &changes, err);
        if (e == 0 && buf_printf(out, "\nagainst release %ju:\n", (uintmax_t)old->release) < 0)
                e = err_errno(err, -ENOMEM, "text");
        if (e == 0 && changes_text(&changes, &before, next, out) < 0)
                e = err_errno(err, -ENOMEM, "text");
        return e;
}

static bool ring_runs(const struct rollout *r, uint64_t release) {
        for (size_t i = 0; i < r->n_rings; i++)
                if (r->rings[i].choice.release == release || (r->rings[i].has_else && r->rings[i].otherwise.release == release))
                        return true;
        return false;
}

static int bundle_review(const struct repo *repo, const struct release *r, const struct repo_file *file, struct buf *out,
                         struct err *err) {
        cleanup_releases struct releases releases = {};
        cleanup_bundle_file struct bundle_file next = BUNDLE_FILE_INIT;
        cleanup_rollout struct rollout *rollout = NULL;
        const struct release *newest;
        size_t n = 0;
        int e = releases_read(&repo->docs[ROLE_BUNDLES], &releases, err);

        if (e == 0)
                e = repo_rollout_load(repo, r->bundle, &rollout, err);
        if (e == 0)
                e = bundle_open(&file->data, &next, err);
        if (e == 0 && buf_printf(out, "\n%s %s, release %ju, content id %s\n", r->bundle, r->version, (uintmax_t)r->release,
                                 r->content) < 0)
                e = err_errno(err, -ENOMEM, "text");
        for (size_t i = 0; e == 0 && i < releases.n; i++) {
                const struct release *old = &releases.v[i];

                if (!streq(old->bundle, r->bundle) || !ring_runs(rollout, old->release))
                        continue;
                e = against(repo, old, &next, out, err);
                n++;
        }
        newest = release_newest(&releases, r->bundle);
        if (e == 0 && n == 0 && newest)
                e = against(repo, newest, &next, out, err);
        if (e == 0 && !newest && buf_printf(out, "the first release of this bundle: see lsmbundle inspect\n") < 0)
                e = err_errno(err, -ENOMEM, "text");
        return e;
}

static int rollout_review(const struct repo *repo, const struct repo_file *file, struct buf *out, struct err *err) {
        const json_t *entry = repo_target_entry(&repo->docs[ROLE_ROLLOUTS], file->target);
        cleanup_json json_t *before = NULL, *after = NULL;
        cleanup_buf struct buf text = {};
        int e = entry ? repo_target_read(repo, file->target, entry, ROLLOUT_MAX, &text, err) : 0;

        if (e == 0 && entry)
                e = json_parse(text.data, text.len, &before, err);
        if (e == 0)
                e = json_parse(file->data.data, file->data.len, &after, err);
        if (e == 0 &&
            (buf_printf(out, "\n%s:\n", file->target) < 0 || value_diff(&(struct path){NULL, "rollout"}, before, after, out) < 0))
                e = err_errno(err, -ENOMEM, "text");
        return e;
}

static const struct release *release_of(const struct releases *releases, const char *target) {
        for (size_t i = 0; i < releases->n; i++)
                if (streq(releases->v[i].target, target))
                        return &releases->v[i];
        return NULL;
}

int repo_review(const struct repo *repo, const struct repo_change *c, struct buf *out, struct err *err) {
        cleanup_releases struct releases releases = {};
        int e = 0;

        for (enum repo_role role = 0; e == 0 && role < ROLE_COUNT; role++)
                if (c->docs[role].body)
                        e = value_diff(&(struct path){NULL, role_name(role)}, repo->docs[role].body, c->docs[role].body, out);
        if (e < 0)
                return err_errno(err, -ENOMEM, "text");
        e = releases_read(&c->docs[ROLE_BUNDLES], &releases, err);
        for (size_t i = 0; e == 0 && i < c->n_files; i++) {
                const struct release *r = release_of(&releases, c->files[i].target);

                e = r ? bundle_review(repo, r, &c->files[i], out, err) : rollout_review(repo, &c->files[i], out, err);
        }
        return e;
}

/* ---- rebuilding ----------------------------------------------------------------------------------------------------------- */

static int rebuild(const struct release *r, const struct sources *sources, char content_hex[static SHA256_HEX],
                   struct diags *diags, struct err *err) {
        struct build_options options = {.jobs = 2};
        cleanup_build struct build b = {.bundle = sources->bundle,
                                        .selftests = &sources->selftests,
                                        .rules = &sources->rules,
                                        .version = r->version,
                                        .release = r->release};
        cleanup_build_archive struct build_archive archive = {};
        uint8_t content[SHA256_SIZE];
        int e = build_policies(&b, &options, diags, err);

        if (e == 0)
                e = build_archive_make(&b, &archive, err);
        if (e == 0 && sha256(archive.env.bytes.data, archive.env.bytes.len, content) < 0)
                e = err_errno(err, -EIO, "digest");
        if (e == 0)
                hex_encode(content, sizeof(content), content_hex);
        return e;
}

int repo_rebuild(const struct repo *repo, const struct repo_change *c, const char *source, struct err *err) {
        cleanup_releases struct releases releases = {};
        cleanup_sources struct sources sources = {};
        cleanup_diags struct diags diags = {};
        const struct release *r = NULL;
        char content_hex[SHA256_HEX];
        int e = releases_read(&c->docs[ROLE_BUNDLES], &releases, err);

        for (size_t i = 0; e == 0 && !r && i < c->n_files; i++)
                r = release_of(&releases, c->files[i].target);
        if (e == 0 && !r)
                e = err_set(err, -EINVAL, REASON_USAGE, "there is no new bundle in it that could be built from '%s'", source);
        if (e == 0)
                e = sources_load(source, &diags, &sources, err);
        if (e == 0)
                e = rebuild(r, &sources, content_hex, &diags, err);
        if (e < 0) {
                diags_print(&diags, stderr);
                return err_wrap(err, e, "%s", source);
        }
        if (!streq(content_hex, r->content))
                return err_set(err, -EBADMSG, REASON_DIGEST_MISMATCH,
                               "what '%s' builds has the content id %s, and the pending release %s: another source, commit or "
                               "compiler",
                               source, content_hex, r->content);
        return 0;
}
