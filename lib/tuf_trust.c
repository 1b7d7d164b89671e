/* SPDX-License-Identifier: Apache-2.0 */
#include "tuf_trust.h"

#include "tuf_set.h"
#include "tuf_time.h"

static void doc_done(struct tuf_doc *d) {
        free(d->role);
        json_decref(d->json);
        tuf_signers_done(&d->signers);
        *d = (struct tuf_doc){};
}
#define cleanup_doc cleanup(doc_done)

static void doc_replace(struct tuf_doc *to, struct tuf_doc *from) {
        doc_done(to);
        *to = *from;
        *from = (struct tuf_doc){};
}

void tuf_trust_free(struct tuf_trust *t) {
        if (!t)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(t->docs); i++)
                doc_done(&t->docs[i]);
        free(t);
}

/* ---- the checks that stand in one place ----------------------------------------------------------------------------- */

/* Does a version go back? Whoever asks, asks here. */
static bool goes_back(long long version, long long trusted) {
#ifdef LSM_BAD_ROLLBACK
        return false;
#endif
        return version < trusted;
}

/* Whoever asks whether something has expired, asks here. */
bool tuf_set_expired(const struct tuf_trust *t, const struct tuf_common *common) {
#ifdef LSM_BAD_EXPIRY
        return false;
#endif
        return common->expires <= t->options.now;
}

static int expiry_check(struct tuf_trust *t, const char *what, const struct tuf_common *common, struct err *err) {
        char expires[TUF_TIME_SIZE], now[TUF_TIME_SIZE];

        if (!tuf_set_expired(t, common))
                return 0;
        if (t->options.ignore_expiry) {
                t->any_expired = true;
                return 0;
        }
        tuf_time_format(common->expires, expires);
        tuf_time_format(t->options.now, now);
        return err_set(err, -EKEYEXPIRED, REASON_EXPIRED, "%s %lld expired at %s, and it is %s", what, common->version, expires,
                       now);
}

/* Signatures over the exact bytes first; then the bytes are parsed. */
static int doc_open(const json_t *keys, const json_t *role, enum tuf_type type, const struct tuf_signed *s, struct tuf_doc *ret,
                    struct err *err) {
        cleanup_doc struct tuf_doc d = {.file = s->file};
        int r;

        r = tuf_verify(keys, role, s, &d.signers, err);
        if (r < 0)
                return r;
        r = json_parse_canonical(s->bytes.data, s->bytes.len, &d.json, err);
        if (r < 0)
                return r;
        r = tuf_metadata_check(d.json, type, &d.common, err);
        if (r < 0)
                return r;
        doc_replace(ret, &d);
        return 0;
}

static const json_t *root_role(const json_t *root, enum tuf_type type) {
        return json_object_get(json_object_get(root, "roles"), tuf_type_name(type));
}

static int top_open(const struct tuf_trust *t, enum tuf_type type, const struct tuf_signed *s, struct tuf_doc *ret,
                    struct err *err) {
        const json_t *root = t->docs[TUF_ROOT].json;
        int r = doc_open(json_object_get(root, "keys"), root_role(root, type), type, s, ret, err);

        if (r < 0)
                return err_wrap(err, r, "%s", tuf_type_name(type));
        ret->role = strdup(tuf_type_name(type));
        if (!ret->role)
                return err_errno(err, -ENOMEM, "metadata");
        return 0;
}

static int out_of_order(struct err *err, const char *what) {
        return err_set(err, -EINVAL, REASON_NONE, "%s does not come now", what);
}

/* ---- root ------------------------------------------------------------------------------------------------------------ */

/* A root names the keys that must have signed it: it is parsed before it is known whether they have. That is so for the root
 * one begins with, which comes from a safe place, and for the next root, whose bytes the current one's keys have signed. */
static int self_signed(const struct tuf_signed *s, struct tuf_doc *ret, struct err *err) {
        cleanup_json json_t *j = NULL;
        struct tuf_common common;
        int r;

        r = json_parse_canonical(s->bytes.data, s->bytes.len, &j, err);
        if (r >= 0)
                r = tuf_metadata_check(j, TUF_ROOT, &common, err);
        if (r >= 0)
                r = doc_open(json_object_get(j, "keys"), root_role(j, TUF_ROOT), TUF_ROOT, s, ret, err);
        if (r < 0)
                return err_wrap(err, r, "root");
        ret->role = strdup("root");
        return ret->role ? 0 : err_errno(err, -ENOMEM, "root");
}

int tuf_trust_new(const struct tuf_signed *root, const struct tuf_trust_options *options, struct tuf_trust **ret,
                  struct err *err) {
        cleanup_tuf_trust struct tuf_trust *t = calloc(1, sizeof(*t));
        int r;

        if (!t)
                return err_errno(err, -ENOMEM, "root");
        t->options = *options;
        r = self_signed(root, &t->docs[TUF_ROOT], err);
        if (r < 0)
                return r;
        *ret = steal_pointer(t);
        return 0;
}

static bool keys_taken_away(const json_t *before, const json_t *after, enum tuf_type type) {
        return !tuf_role_keeps_keys(json_object_get(before, "keys"), root_role(before, type), json_object_get(after, "keys"),
                                    root_role(after, type));
}

int tuf_trust_root(struct tuf_trust *t, const struct tuf_signed *root, struct err *err) {
        struct tuf_doc *current = &t->docs[TUF_ROOT];
        cleanup_doc struct tuf_doc by_old = {}, by_new = {};
        int r;

        if (t->docs[TUF_TIMESTAMP].json || t->docs[TUF_SNAPSHOT].json)
                return out_of_order(err, "a root");
        r = top_open(t, TUF_ROOT, root, &by_old, err);
        if (r < 0)
                return err_wrap(err, r, "by the keys of version %lld", current->common.version);
        if (by_old.common.version != current->common.version + 1)
                return err_set(err, -EBADMSG, REASON_ROLLED_BACK_METADATA, "root: version %lld follows %lld",
                               by_old.common.version, current->common.version);
        r = self_signed(root, &by_new, err);
        if (r < 0)
                return err_wrap(err, r, "by its own keys");
        t->rotated |= keys_taken_away(current->json, by_new.json, TUF_TIMESTAMP) ||
                      keys_taken_away(current->json, by_new.json, TUF_SNAPSHOT);
        doc_replace(current, &by_new);
        return 0;
}

void tuf_trust_roots_known(struct tuf_trust *t) {
        t->rotated = false;
}

bool tuf_trust_rotated(const struct tuf_trust *t) {
        return t->rotated;
}

/* ---- timestamp and snapshot -------------------------------------------------------------------------------------------- */

static const json_t *snapshot_entry(const json_t *timestamp) {
        return json_object_get(json_object_get(timestamp, "meta"), "snapshot.json");
}

static long long entry_version(const json_t *entry) {
        return json_integer_value(json_object_get(entry, "version"));
}

int tuf_trust_previous(struct tuf_trust *t, enum tuf_type type, const struct tuf_signed *s, struct err *err) {
        cleanup_doc struct tuf_doc d = {};
        int r;

        if ((type != TUF_TIMESTAMP && type != TUF_SNAPSHOT) || t->snapshot_final || (type == TUF_TIMESTAMP && t->timestamp_final))
                return out_of_order(err, "what was trusted before");
        if (t->rotated)
                return err_set(err, -ESTALE, REASON_NONE, "%s: keys were taken away since", tuf_type_name(type));
        r = top_open(t, type, s, &d, err);
        if (r < 0)
                return r;
        doc_replace(&t->docs[type], &d);
        return 0;
}

int tuf_trust_timestamp(struct tuf_trust *t, const struct tuf_signed *s, struct err *err) {
        struct tuf_doc *previous = &t->docs[TUF_TIMESTAMP];
        cleanup_doc struct tuf_doc d = {};
        long long listed, before;
        int r;

        if (t->timestamp_final)
                return out_of_order(err, "a timestamp");
        r = expiry_check(t, "root", &t->docs[TUF_ROOT].common, err);
        if (r < 0)
                return r;
        r = top_open(t, TUF_TIMESTAMP, s, &d, err);
        if (r < 0)
                return r;
        if (previous->json) {
                if (goes_back(d.common.version, previous->common.version))
                        return err_set(err, -EBADMSG, REASON_ROLLED_BACK_METADATA,
                                       "timestamp: version %lld, and %lld was there before", d.common.version,
                                       previous->common.version);
                if (d.common.version == previous->common.version) {
                        r = expiry_check(t, "timestamp", &previous->common, err);
                        if (r < 0)
                                return r;
                        t->timestamp_final = true;
                        return 1;
                }
                listed = entry_version(snapshot_entry(d.json));
                before = entry_version(snapshot_entry(previous->json));
                if (goes_back(listed, before))
                        return err_set(err, -EBADMSG, REASON_ROLLED_BACK_METADATA,
                                       "timestamp: lists snapshot %lld, and %lld was listed before", listed, before);
        }
        r = expiry_check(t, "timestamp", &d.common, err);
        if (r < 0)
                return r;
        doc_replace(previous, &d);
        t->timestamp_final = true;
        return 0;
}

static int version_check(const char *what, long long version, const json_t *entry, struct err *err) {
        if (version == entry_version(entry))
                return 0;
        return err_set(err, -EBADMSG, REASON_MIXED_METADATA, "%s: version %lld, and %lld is listed", what, version,
                       entry_version(entry));
}

bool tuf_trust_keep_snapshot(struct tuf_trust *t) {
        struct tuf_doc *d = &t->docs[TUF_SNAPSHOT];
        const json_t *entry = snapshot_entry(t->docs[TUF_TIMESTAMP].json);

        if (!t->timestamp_final || !d->json)
                return false;
        if (version_check("snapshot", d->common.version, entry, NULL) < 0 || tuf_file_check(&d->file, entry, NULL) < 0 ||
            expiry_check(t, "snapshot", &d->common, NULL) < 0)
                return false;
        t->snapshot_final = true;
        return true;
}

/* No role's version goes back, and none is dropped. */
static int roles_check(const json_t *previous, const json_t *next, struct err *err) {
        const json_t *meta = json_object_get(next, "meta"), *entry;
        const char *name;
        json_t *before;

        json_object_foreach(json_object_get(previous, "meta"), name, before) {
                entry = json_object_get(meta, name);
                if (goes_back(entry ? entry_version(entry) : 0, entry_version(before)))
                        return err_set(err, -EBADMSG, REASON_ROLLED_BACK_METADATA,
                                       "snapshot: a role of version %lld before is %s", entry_version(before),
                                       entry ? "older" : "not listed");
        }
        return 0;
}

int tuf_trust_snapshot(struct tuf_trust *t, const struct tuf_signed *s, struct err *err) {
        const json_t *entry = snapshot_entry(t->docs[TUF_TIMESTAMP].json);
        struct tuf_doc *previous = &t->docs[TUF_SNAPSHOT];
        cleanup_doc struct tuf_doc d = {};
        int r;

        if (!t->timestamp_final || t->snapshot_final)
                return out_of_order(err, "a snapshot");
        r = tuf_file_check(&s->file, entry, err);
        if (r < 0)
                return err_wrap(err, r, "snapshot");
        r = top_open(t, TUF_SNAPSHOT, s, &d, err);
        if (r < 0)
                return r;
        r = version_check("snapshot", d.common.version, entry, err);
        if (r < 0)
                return r;
        r = previous->json ? roles_check(previous->json, d.json, err) : 0;
        if (r < 0)
                return r;
        r = expiry_check(t, "snapshot", &d.common, err);
        if (r < 0)
                return r;
        doc_replace(previous, &d);
        t->snapshot_final = true;
        return 0;
}

/* ---- targets --------------------------------------------------------------------------------------------------------- */

static const json_t *snapshot_lists(const struct tuf_trust *t, const char *role) {
        cleanup_free char *name = NULL;

        if (asprintf(&name, "%s.json", role) < 0) {
                name = NULL;
                return NULL;
        }
        return json_object_get(json_object_get(t->docs[TUF_SNAPSHOT].json, "meta"), name);
}

static void want_fill(const json_t *entry, uint64_t max, const char *role, size_t parent, struct tuf_want *ret) {
        const json_t *length = json_object_get(entry, "length");

        *ret = (struct tuf_want){.version = entry_version(entry), .max = max, .parent = parent};
        strncpy(ret->role, role, sizeof(ret->role) - 1);
        if (length && (uint64_t)json_integer_value(length) < max)
                ret->max = (uint64_t)json_integer_value(length);
}

int tuf_set_want(const struct tuf_trust *t, size_t parent, const char *role, struct tuf_want *ret, struct err *err) {
        const json_t *entry = snapshot_lists(t, role);

        if (!entry)
                return err_set(err, -EBADMSG, REASON_MIXED_METADATA, "a role that is delegated to is not in the snapshot");
        want_fill(entry, TUF_TARGETS_MAX, role, parent, ret);
        return 0;
}

int tuf_trust_want(const struct tuf_trust *t, enum tuf_type type, struct tuf_want *ret, struct err *err) {
        if (type == TUF_SNAPSHOT && t->timestamp_final) {
                want_fill(snapshot_entry(t->docs[TUF_TIMESTAMP].json), TUF_SNAPSHOT_MAX, "snapshot", TUF_ROOT, ret);
                return 0;
        }
        if (type == TUF_TARGETS && t->snapshot_final)
                return tuf_set_want(t, TUF_ROOT, "targets", ret, err);
        return out_of_order(err, tuf_type_name(type));
}

static int targets_open(struct tuf_trust *t, size_t parent, const char *role, const struct tuf_signed *s, struct tuf_doc *ret,
                        struct err *err) {
        const json_t *entry = snapshot_lists(t, role), *keys, *delegation;
        cleanup_doc struct tuf_doc d = {};
        int r;

        if (!entry)
                return err_set(err, -EBADMSG, REASON_MIXED_METADATA, "it is not in the snapshot");
        if (!tuf_set_delegation(t, parent, role, &keys, &delegation))
                return out_of_order(err, "it");
        r = tuf_file_check(&s->file, entry, err);
        if (r < 0)
                return r;
        r = doc_open(keys, delegation, TUF_TARGETS, s, &d, err);
        if (r < 0)
                return r;
        r = version_check("this", d.common.version, entry, err);
        if (r < 0)
                return r;
        r = expiry_check(t, "this", &d.common, err);
        if (r < 0)
                return r;
        d.parent = parent;
        d.role = strdup(role);
        if (!d.role)
                return err_errno(err, -ENOMEM, "metadata");
        doc_replace(ret, &d);
        return 0;
}

int tuf_trust_targets(struct tuf_trust *t, const struct tuf_signed *s, struct err *err) {
        int r;

        if (!t->snapshot_final || t->docs[TUF_TARGETS].json)
                return out_of_order(err, "targets");
        r = targets_open(t, TUF_ROOT, "targets", s, &t->docs[TUF_TARGETS], err);
        return r < 0 ? err_wrap(err, r, "targets") : 0;
}

int tuf_trust_delegated(struct tuf_trust *t, const struct tuf_want *want, const struct tuf_signed *s, struct err *err) {
        int r;

        if (!t->docs[TUF_TARGETS].json || want->parent < TUF_TARGETS || want->parent >= TUF_TOP + t->n_delegated ||
            !memchr(want->role, 0, sizeof(want->role)) || tuf_set_find(t, want->parent, want->role))
                return out_of_order(err, "a delegated role");
        if (t->n_delegated >= TUF_DELEGATED_MAX)
                return err_set(err, -E2BIG, REASON_TOO_LARGE, "more than %d delegated roles", TUF_DELEGATED_MAX);
        r = targets_open(t, want->parent, want->role, s, &t->docs[TUF_TOP + t->n_delegated], err);
        if (r < 0)
                return err_wrap(err, r, "delegated role");
        t->n_delegated++;
        return 0;
}

void tuf_trust_forget(struct tuf_trust *t) {
        for (size_t i = 0; i < t->n_delegated; i++)
                doc_done(&t->docs[TUF_TOP + i]);
        t->n_delegated = 0;
}
