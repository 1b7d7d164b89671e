/* SPDX-License-Identifier: Apache-2.0 */
#include "tuf_client.h"

#include "tuf_path.h"

struct tuf_client {
        struct tuf_client_options o;
        struct tuf_trust *trust;
        json_t *fetched; /* delegated roles that were fetched in this update: they cannot be newer */
};

void tuf_client_free(struct tuf_client *c) {
        if (!c)
                return;
        tuf_trust_free(c->trust);
        json_decref(c->fetched);
        free(c);
}

const struct tuf_trust *tuf_client_trust(const struct tuf_client *c) {
        return c->trust;
}

static int announce(struct tuf_client *c, const char *role, const struct tuf_signed *s, struct err *err) {
        return c->o.trusted ? c->o.trusted(c->o.ctx, role, s, err) : 0;
}

/* A stored document, parsed. -ENOENT also for one that cannot be read as such: it is as good as not there. */
static int load(struct tuf_client *c, const char *role, uint64_t max, struct tuf_signed *ret, struct err *err) {
        cleanup_buf struct buf b = {};
        int r = tuf_store_load(&c->o.store, role, max, &b, NULL);

        if (r >= 0)
                r = tuf_signed_parse(b.data, b.len, ret, NULL);
        if (r == -ENOMEM)
                return err_errno(err, r, "%s", role);
        return r < 0 ? -ENOENT : 0;
}

/* Fetches a file and takes it apart. -ENOENT when the repository does not have it. */
static int fetch(struct tuf_client *c, const char *role, long long version, uint64_t max, struct buf *ret_file,
                 struct tuf_signed *ret, struct err *err) {
        cleanup_buf struct buf name = {};
        int r = tuf_metadata_name(role, version, &name, err);

        if (r < 0)
                return r;
        r = c->o.get(c->o.ctx, name.data, max, ret_file, err);
        if (r == -ENOENT)
                return r;
        if (r >= 0 && ret_file->len > max)
                r = err_set(err, -EFBIG, REASON_TOO_LARGE, "more than %llu bytes", (unsigned long long)max);
        if (r >= 0)
                r = tuf_signed_parse(ret_file->data, ret_file->len, ret, err);
        return r < 0 ? err_wrap(err, r, "%s", name.data) : 0;
}

/* The same for what must be there. */
static int fetch_needed(struct tuf_client *c, const char *role, long long version, uint64_t max, struct buf *ret_file,
                        struct tuf_signed *ret, struct err *err) {
        cleanup_buf struct buf name = {};
        int r = fetch(c, role, version, max, ret_file, ret, err);

        if (r != -ENOENT)
                return r;
        r = tuf_metadata_name(role, version, &name, err);
        return r < 0 ? r : err_set(err, -ENODATA, REASON_NONE, "the repository has no %s", name.data);
}

/* ---- root ------------------------------------------------------------------------------------------------------------ */

static int first_root(struct tuf_client *c, struct err *err) {
        struct tuf_trust_options options = {.now = c->o.now};
        cleanup_tuf_signed struct tuf_signed s = {};
        cleanup_buf struct buf b = {};
        int r;

        if (c->o.anchor)
                r = buf_append(&b, c->o.anchor, c->o.anchor_len) < 0 ? err_errno(err, -ENOMEM, "root") : 0;
        else
                r = tuf_store_load(&c->o.store, "root", TUF_ROOT_MAX, &b, err);
        if (r == -ENOENT)
                return err_set(err, r, REASON_NONE, "there is no root to begin with");
        if (r >= 0)
                r = tuf_signed_parse(b.data, b.len, &s, err);
        if (r >= 0)
                r = tuf_trust_new(&s, &options, &c->trust, err);
        return r < 0 ? err_wrap(err, r, "the root to begin with") : announce(c, "root", &s, err);
}

static long long root_version(const struct tuf_client *c) {
        struct tuf_document root;

        return tuf_trust_document(c->trust, TUF_ROOT, &root) < 0 ? 0 : root.common.version;
}

/* From an anchor to where we have been. What is damaged is fetched again. */
static int stored_roots(struct tuf_client *c, struct err *err) {
        for (;;) {
                cleanup_tuf_signed struct tuf_signed s = {};
                cleanup_buf struct buf b = {};
                int r = tuf_store_load_root(&c->o.store, root_version(c) + 1, TUF_ROOT_MAX, &b, NULL);

                if (r >= 0)
                        r = tuf_signed_parse(b.data, b.len, &s, NULL);
                if (r >= 0)
                        r = tuf_trust_root(c->trust, &s, NULL);
                if (r == -ENOMEM)
                        return err_errno(err, r, "root");
                if (r < 0)
                        return 0;
                r = announce(c, "root", &s, err);
                if (r < 0)
                        return r;
        }
}

int tuf_client_new(const struct tuf_client_options *options, struct tuf_client **ret, struct err *err) {
        cleanup_tuf_client struct tuf_client *c = calloc(1, sizeof(*c));
        int r;

        if (!c)
                return err_errno(err, -ENOMEM, "TUF client");
        c->o = *options;
        c->o.store.history |= options->anchor != NULL;
        c->fetched = json_object();
        if (!c->fetched)
                return err_errno(err, -ENOMEM, "TUF client");
        r = first_root(c, err);
        if (r >= 0)
                r = stored_roots(c, err);
        if (r < 0)
                return r;
        tuf_trust_roots_known(c->trust);
        *ret = steal_pointer(c);
        return 0;
}

/* What must be forgotten is forgotten before the root is stored that says so: were it the other way round, a machine that goes
 * down in between would never find out. */
static int root_keep(struct tuf_client *c, const struct buf *file, struct err *err) {
        int r = 0;

        if (tuf_trust_rotated(c->trust)) {
                r = tuf_store_remove(&c->o.store, "timestamp", err);
                if (r >= 0)
                        r = tuf_store_remove(&c->o.store, "snapshot", err);
        }
        if (r >= 0)
                r = tuf_store_save_root(&c->o.store, root_version(c), file->data, file->len, err);
        return r < 0 ? r : tuf_store_save(&c->o.store, "root", file->data, file->len, err);
}

static int newer_roots(struct tuf_client *c, struct err *err) {
        for (int i = 0; i < TUF_ROOTS_MAX; i++) {
                cleanup_tuf_signed struct tuf_signed s = {};
                cleanup_buf struct buf file = {};
                int r = fetch(c, "root", root_version(c) + 1, TUF_ROOT_MAX, &file, &s, err);

                if (r == -ENOENT || r == -EPERM)
                        return 0;
                if (r >= 0)
                        r = tuf_trust_root(c->trust, &s, err);
                if (r >= 0)
                        r = root_keep(c, &file, err);
                if (r >= 0)
                        r = announce(c, "root", &s, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- timestamp, snapshot, targets -------------------------------------------------------------------------------------- */

/* What was trusted before is the measure, if today's keys have signed it. */
static int previous(struct tuf_client *c, enum tuf_type type, uint64_t max, struct tuf_signed *ret, struct err *err) {
        int r = load(c, tuf_type_name(type), max, ret, err);

        if (r >= 0)
                r = tuf_trust_previous(c->trust, type, ret, NULL);
        return r == -ENOMEM ? err_errno(err, r, "%s", tuf_type_name(type)) : 0;
}

static int timestamp(struct tuf_client *c, struct err *err) {
        cleanup_tuf_signed struct tuf_signed old = {}, new = {};
        cleanup_buf struct buf file = {};
        int r;

        r = previous(c, TUF_TIMESTAMP, TUF_TIMESTAMP_MAX, &old, err);
        if (r < 0)
                return r;
        r = fetch_needed(c, "timestamp", 0, TUF_TIMESTAMP_MAX, &file, &new, err);
        if (r < 0)
                return r;
        r = tuf_trust_timestamp(c->trust, &new, err);
        if (r < 0)
                return r;
        if (r > 0)
                return announce(c, "timestamp", &old, err);
        r = tuf_store_save(&c->o.store, "timestamp", file.data, file.len, err);
        return r < 0 ? r : announce(c, "timestamp", &new, err);
}

static long long file_version(const struct tuf_client *c, const struct tuf_want *want) {
        return tuf_trust_consistent(c->trust) ? want->version : 0;
}

static int snapshot(struct tuf_client *c, struct err *err) {
        cleanup_tuf_signed struct tuf_signed old = {}, new = {};
        cleanup_buf struct buf file = {};
        struct tuf_want want;
        int r;

        r = previous(c, TUF_SNAPSHOT, TUF_SNAPSHOT_MAX, &old, err);
        if (r < 0)
                return r;
        if (tuf_trust_keep_snapshot(c->trust))
                return announce(c, "snapshot", &old, err);
        r = tuf_trust_want(c->trust, TUF_SNAPSHOT, &want, err);
        if (r >= 0)
                r = fetch_needed(c, want.role, file_version(c, &want), want.max, &file, &new, err);
        if (r >= 0)
                r = tuf_trust_snapshot(c->trust, &new, err);
        if (r >= 0)
                r = tuf_store_save(&c->o.store, "snapshot", file.data, file.len, err);
        return r < 0 ? r : announce(c, "snapshot", &new, err);
}

static int targets_accept(struct tuf_client *c, const struct tuf_want *want, const struct tuf_signed *s, struct err *err) {
        return want->parent == TUF_ROOT ? tuf_trust_targets(c->trust, s, err) : tuf_trust_delegated(c->trust, want, s, err);
}

/* A targets role: the stored one if it is the one that is listed and the role's keys of today have signed it, else the
 * repository's. */
static int targets(struct tuf_client *c, const struct tuf_want *want, struct err *err) {
        bool again = json_object_get(c->fetched, want->role);
        cleanup_tuf_signed struct tuf_signed old = {}, new = {};
        cleanup_buf struct buf file = {};
        int r;

        r = load(c, want->role, TUF_TARGETS_MAX, &old, err);
        if (r >= 0)
                r = targets_accept(c, want, &old, again ? err : NULL);
        if (r >= 0)
                return announce(c, want->role, &old, err);
        if (r == -ENOMEM)
                return err_errno(err, r, "metadata");
        if (again && r != -ENOENT)
                return r;
        r = fetch_needed(c, want->role, file_version(c, want), want->max, &file, &new, err);
        if (r >= 0)
                r = targets_accept(c, want, &new, err);
        if (r >= 0)
                r = tuf_store_save(&c->o.store, want->role, file.data, file.len, err);
        if (r >= 0 && json_object_set_new(c->fetched, want->role, json_true()) < 0)
                r = err_errno(err, -ENOMEM, "metadata");
        return r < 0 ? r : announce(c, want->role, &new, err);
}

int tuf_client_refresh(struct tuf_client *c, struct err *err) {
        struct tuf_want want;
        int r = newer_roots(c, err);

        if (r >= 0)
                r = timestamp(c, err);
        if (r >= 0)
                r = snapshot(c, err);
        if (r >= 0)
                r = tuf_trust_want(c->trust, TUF_TARGETS, &want, err);
        return r < 0 ? r : targets(c, &want, err);
}

/* ---- targets' files --------------------------------------------------------------------------------------------------- */

int tuf_client_find(struct tuf_client *c, const char *path, struct tuf_target *ret, struct err *err) {
        struct tuf_want want;
        int r;

        /* Each search begins with what is stored: a role is checked for each role that delegates to it, and memory is bounded. */
        tuf_trust_forget(c->trust);
        for (;;) {
                r = tuf_trust_find(c->trust, path, ret, &want, err);
                if (r != -EAGAIN)
                        return r;
                r = targets(c, &want, err);
                if (r < 0)
                        return r == -ENOENT ? -ENODATA : r;
        }
}

int tuf_client_target_name(const struct tuf_client *c, const char *path, const struct tuf_target *target, struct buf *out,
                           struct err *err) {
        if (!target->hash)
                return err_set(err, -EBADMSG, REASON_DIGEST_MISMATCH, "a target with no hash that this program knows");
        return tuf_target_name(path, tuf_trust_consistent(c->trust) ? target->hash : NULL, out, err);
}
