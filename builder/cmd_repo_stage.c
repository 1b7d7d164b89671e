/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>

#include "bundle_file.h"
#include "cmd_repo.h"
#include "fileio.h"
#include "repo_release.h"

static const struct option_spec options[] = {
        OPTION_REPO,
        {"floor", 0, "N", "the oldest release of this bundle that may still run (default: as before)"},
        {"output", 'o', "DIR", "the folder to write (default: pending/NAME-RELEASE in the repository)"},
};

/* Releases whose files were pruned are no longer offered. */
static void pruned_drop(const struct repo *repo, json_t *targets) {
        const char *target;
        json_t *entry;
        void *next;

        json_object_foreach_safe(targets, next, target, entry) {
                if (!repo_target_there(repo, target, entry)) {
                        printf("no longer listed, for its file was pruned: %s\n", target);
                        json_object_del(targets, target);
                }
        }
}

/* One floor for all releases of a bundle: whichever entry a node looks at, it says the same. */
static void floor_write(json_t *targets, const char *bundle, uint64_t floor) {
        const char *target, *name;
        json_t *entry;

        json_object_foreach(targets, target, entry) {
                json_t *custom = json_object_get(entry, "custom");

                name = json_string_value(json_object_get(custom, "bundle"));
                if (name && streq(name, bundle))
                        json_object_set_new(custom, "floor", json_integer((json_int_t)floor));
        }
}

static int bundle_add(struct repo_change *c, const char *path, const struct manifest *m, struct err *err) {
        cleanup_buf struct buf data = {};
        char target[512];
        int e = file_read(AT_FDCWD, path, REPO_BUNDLE_MAX, &data, err);

        if (e < 0)
                return e;
        snprintf(target, sizeof(target), "bundles/%s-%s.tar.zst", m->name, m->version);
        return repo_change_target(c, ROLE_BUNDLES, target, &data,
                                  json_pack("{s:s, s:s, s:I, s:i, s:s}", "bundle", m->name, "version", m->version, "release",
                                            (json_int_t)m->release, "floor", 0, "content", m->content_hex),
                                  err);
}

/* 0: *c is the change; 1: there is nothing to change. */
static int change_make(const struct repo *repo, const char *path, const struct manifest *m, const uint64_t *want_floor,
                       struct repo_change *c, struct err *err) {
        cleanup_releases struct releases releases = {};
        const struct release *there;
        struct repo_doc *doc;
        uint64_t floor;
        int e = repo_change_edit(repo, c, ROLE_BUNDLES, &doc, err);

        if (e == 0)
                e = releases_read(&repo->docs[ROLE_BUNDLES], &releases, err);
        if (e < 0)
                return e;
        floor = release_floor(&releases, m->name);
        there = release_find(&releases, m->name, m->release);
        if (there && !streq(there->content, m->content_hex))
                return err_set(err, -EEXIST, REASON_RELEASE_REUSED,
                               "release %ju of '%s' is published already, with another content", (uintmax_t)m->release, m->name);
        if (there && (!want_floor || *want_floor == floor))
                return 1;
        pruned_drop(repo, json_object_get(doc->body, "targets"));
        /* A published release stays the file that it is, whoever has signed this copy of it since. */
        if (!there)
                e = bundle_add(c, path, m, err);
        if (e == 0)
                floor_write(json_object_get(doc->body, "targets"), m->name, want_floor ? *want_floor : floor);
        if (e == 0)
                e = repo_change_seal(repo, c, err);
        return e < 0 ? e : repo_change_check(repo, c, err);
}

static int stage(const struct args *args, const uint64_t *floor, struct err *err) {
        cleanup_bundle_file struct bundle_file file = BUNDLE_FILE_INIT;
        cleanup_repo struct repo repo = REPO_INIT;
        cleanup_repo_change struct repo_change c = {};
        cleanup_free char *dir = args_has(args, "output") ? path_trimmed(args_get(args, "output")) : NULL;
        const char *path = args->operands[0];
        const struct manifest *m;
        char name[128];
        int e;

        file.check_only = true;
        e = bundle_file_load(path, NULL, 0, &file, err);
        if (e < 0)
                return err_wrap(err, e, "%s", path);
        m = file.manifest;
        e = repo_open_args(args, &repo, err);
        if (e == 0)
                e = change_make(&repo, path, m, floor, &c, err);
        if (e < 0)
                return e;
        if (e > 0) {
                printf("%s %s, release %ju: published already, nothing to do\n", m->name, m->version, (uintmax_t)m->release);
                return 0;
        }
        snprintf(name, sizeof(name), "%s-%ju", m->name, (uintmax_t)m->release);
        if (!dir)
                dir = repo_pending_path(&repo, name);
        e = dir ? repo_pending_save(&repo, &c, dir, err) : err_errno(err, -ENOMEM, "pending");
        if (e < 0)
                return e;
        printf("%s: %s %s, release %ju, content id %s\n", dir, m->name, m->version, (uintmax_t)m->release, m->content_hex);
        change_print(&repo, &c);
        printf("next: lsmbundle sign %s --key KEY\n", dir);
        return 0;
}

static int run(const struct args *args) {
        uint64_t floor = 0;
        struct err err = {};
        int e;

        if (args_number(args, "floor", 0, JSON_INT_MAX, &floor) < 0)
                return reason_exit_code(REASON_USAGE);
        e = stage(args, args_has(args, "floor") ? &floor : NULL, &err);
        return e < 0 ? report_error(NULL, &err, e) : output_end(0);
}

const struct command cmd_repo_stage = {
        .name = "repo stage",
        .operands = "BUNDLE",
        .min_operands = 1,
        .max_operands = 1,
        .summary = "prepare a pending release, for the approvers to sign",
        .details = "Nothing that is served is touched. A pending release that nobody has signed, or that is\n"
                   "stale, is replaced. To raise the floor alone, stage a published bundle again with --floor.\n",
        .options = options,
        .n_options = ARRAY_SIZE(options),
        .run = run,
};
