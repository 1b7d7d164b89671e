/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_refresh.h"

#include "fileio.h"
#include "folder.h"
#include "rollout.h"
#include "tuf_client.h"

#define SEEN "seen"

struct update {
        const struct repo_refresh *what;
        struct papers *papers;
        struct transport_seen seen, stored; /* now, and on disk */
        struct tuf_store store;
};

/* ---- metadata -------------------------------------------------------------------------------------------------------- */

/* Only if there is a timestamp that "nothing new" can stand for. */
static void seen_load(struct update *u) {
        cleanup_buf struct buf timestamp = {}, seen = {};

        if (file_read(u->what->spool, SEEN, sizeof(u->stored), &seen, NULL) < 0 || seen.len != sizeof(u->stored))
                return;
        memcpy(&u->stored, seen.data, sizeof(u->stored));
        u->stored.etag[sizeof(u->stored.etag) - 1] = 0;
        u->stored.last_modified[sizeof(u->stored.last_modified) - 1] = 0;
        if (tuf_store_load(&u->store, "timestamp", TUF_TIMESTAMP_MAX, &timestamp, NULL) == 0)
                u->seen = u->stored;
}

static int timestamp_get(struct update *u, const char *path, uint64_t max, struct buf *out, struct err *err) {
        bool changed;
        int r;

        seen_load(u);
        r = transport_get_changed(u->what->transport, path, max, &u->seen, out, &changed, err);
        if (r < 0 || changed)
                return r;
        return tuf_store_load(&u->store, "timestamp", max, out, err);
}

static int metadata_get(void *ctx, const char *name, uint64_t max, struct buf *out, struct err *err) {
        struct update *u = ctx;
        cleanup_buf struct buf path = {};

        if (buf_printf(&path, "metadata/%s", name) < 0)
                return err_errno(err, -ENOMEM, "%s", name);
        if (streq(name, "timestamp.json"))
                return timestamp_get(u, path.data, max, out, err);
        return transport_get(u->what->transport, path.data, max, out, err);
}

static int metadata_trusted(void *ctx, const char *role, const struct tuf_signed *s, struct err *err) {
        struct update *u = ctx;

        /* A role that two others delegate to is trusted twice. */
        if (!streq(role, "root") && papers_find(u->papers, PAPER_METADATA, role))
                return 0;
        return papers_add_metadata(u->papers, role, s, err);
}

/* ---- rollouts -------------------------------------------------------------------------------------------------------- */

static bool is_listed(const struct buf *b, const struct tuf_target *target) {
        struct tuf_file file;

        return tuf_file_of(b->data, b->len, &file) == 0 && tuf_file_check(&file, target->entry, NULL) == 0;
}

static int rollout_fetch(struct update *u, struct tuf_client *c, const char *path, const struct tuf_target *target,
                         struct buf *out, struct err *err) {
        cleanup_buf struct buf name = {}, from = {};
        struct tuf_file file;
        int r;

        if (target->length < 0 || target->length > ROLLOUT_MAX)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "a rollout of %lld bytes", target->length);
        r = tuf_client_target_name(c, path, target, &name, err);
        if (r < 0)
                return r;
        if (buf_printf(&from, "targets/%s", name.data) < 0)
                return err_errno(err, -ENOMEM, "rollout");
        r = transport_get(u->what->transport, from.data, (uint64_t)target->length, out, err);
        if (r == -ENOENT)
                return err_set(err, -EIO, REASON_NONE, "the repository has no file '%s'", from.data);
        if (r < 0)
                return r;
        if (tuf_file_of(out->data, out->len, &file) < 0)
                return err_errno(err, -EIO, "SHA-256");
        return tuf_file_check(&file, target->entry, err);
}

/* Which roles vouch for what this ring may choose: found here, so that their metadata is among the papers. */
static int choices_find(struct update *u, struct tuf_client *c, const struct buf *doc, const char *bundle, struct err *err) {
        cleanup_rollout struct rollout *rollout = NULL;
        struct rollout_choice choices[2];
        size_t n;

        /* What is wrong with it, the supervisor will find as well, and say. */
        if (!u->what->ring || rollout_parse(doc->data, doc->len, bundle, &rollout, NULL) < 0)
                return 0;
        n = rollout_choices(rollout, u->what->ring, choices);
        for (size_t i = 0; i < n; i++) {
                struct tuf_target target;
                int r = tuf_client_find(c, choices[i].target, &target, err);

                if (r < 0 && r != -ENOENT)
                        return err_wrap(err, r, "'%s'", choices[i].target);
        }
        return 0;
}

static int rollout_get(struct update *u, struct tuf_client *c, int kept, const char *bundle, struct err *err) {
        cleanup_buf struct buf path = {}, file = {}, doc = {};
        struct tuf_target target;
        int r;

        if (buf_printf(&path, "rollouts/%s.json", bundle) < 0 || buf_printf(&file, "%s.json", bundle) < 0)
                return err_errno(err, -ENOMEM, "rollout");
        r = tuf_client_find(c, path.data, &target, err);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return err_wrap(err, r, "'%s'", path.data);
        if (file_read(kept, file.data, ROLLOUT_MAX, &doc, NULL) < 0 || !is_listed(&doc, &target)) {
                doc.len = 0;
                r = rollout_fetch(u, c, path.data, &target, &doc, err);
                if (r >= 0)
                        r = file_replace(kept, file.data, 0600, doc.data, doc.len, err);
                if (r < 0)
                        return err_wrap(err, r, "'%s'", path.data);
        }
        r = papers_add_file(u->papers, path.data, doc.data, doc.len, err);
        return r < 0 ? r : choices_find(u, c, &doc, bundle, err);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------- */

/* A fetcher that was killed could not. */
static int tidy(int spool, int metadata, int kept, struct err *err) {
        int r = folder_tidy(spool, err);

        if (r >= 0)
                r = folder_tidy(metadata, err);
        return r < 0 ? r : folder_tidy(kept, err);
}

int repo_refresh(const struct repo_refresh *what, const struct buf *anchor, struct papers *ret, struct err *err) {
        cleanup_fd int metadata = folder_open(what->spool, "metadata", true, err);
        cleanup_fd int kept = metadata < 0 ? -1 : folder_open(what->spool, "rollout", true, err);
        struct update u = {.what = what, .papers = ret, .store = {.dirfd = metadata, .history = true}};
        const struct tuf_client_options options = {.get = metadata_get,
                                                   .trusted = metadata_trusted,
                                                   .ctx = &u,
                                                   .store = u.store,
                                                   .anchor = anchor->data,
                                                   .anchor_len = anchor->len,
                                                   .now = what->now};
        cleanup_tuf_client struct tuf_client *c = NULL;
        int r = metadata < 0 ? metadata : kept < 0 ? kept : tidy(what->spool, metadata, kept, err);

        if (r >= 0)
                r = tuf_client_new(&options, &c, err);
        if (r >= 0)
                r = tuf_client_refresh(c, err);
        for (size_t i = 0; r >= 0 && i < what->n_bundles; i++)
                r = rollout_get(&u, c, kept, what->bundles[i], err);
        if (r < 0)
                return r;
        /* Last: "nothing new" is asked for only when everything that was new is here. */
        if (memcmp(&u.seen, &u.stored, sizeof(u.seen)) == 0)
                return 0;
        return file_replace(what->spool, SEEN, 0600, &u.seen, sizeof(u.seen), err);
}
