/* SPDX-License-Identifier: Apache-2.0 */
#include "tuf_metadata.h"

#include "tuf_path.h"
#include "tuf_time.h"

const char *tuf_type_name(enum tuf_type type) {
        static const char *const names[] = {"root", "timestamp", "snapshot", "targets"};

        return names[type];
}

static int malformed(struct err *err, const char *what) {
        return err_set(err, -EBADMSG, REASON_MALFORMED, "%s", what);
}

static bool is_unsigned(const char *s) {
        return *s && strspn(s, "0123456789") == strlen(s);
}

/* "1.0.34", "1.0": digits and dots. */
static int spec_version_check(const char *version, struct err *err) {
        char copy[32], *rest = copy, *part;
        size_t n = 0;

        if (strlen(version) >= sizeof(copy))
                return malformed(err, "'spec_version' is not a version");
        strcpy(copy, version);
        while ((part = strsep(&rest, ".")) != NULL) {
                if (!is_unsigned(part))
                        return malformed(err, "'spec_version' is not a version");
                if (n++ == 0 && !streq(part, TUF_SPEC_MAJOR))
                        return err_set(err, -EBADMSG, REASON_UNSUPPORTED_FORMAT,
                                       "it is of version %s of the TUF specification, and this program knows %s.x", part,
                                       TUF_SPEC_MAJOR);
        }
        return n == 2 || n == 3 ? 0 : malformed(err, "'spec_version' is not a version");
}

static int common_check(const json_t *j, enum tuf_type type, struct tuf_common *ret, struct err *err) {
        const char *text;
        int r;

        r = json_get_string(j, "_type", &text, err);
        if (r < 0)
                return r;
        if (!streq(text, tuf_type_name(type)))
                return err_set(err, -EBADMSG, REASON_WRONG_TYPE, "this is not of type '%s'", tuf_type_name(type));
        r = json_get_string(j, "spec_version", &text, err);
        if (r < 0)
                return r;
        r = spec_version_check(text, err);
        if (r < 0)
                return r;
        r = json_get_int(j, "version", 1, JSON_INT_MAX, &ret->version, err);
        if (r < 0)
                return r;
        r = json_get_string(j, "expires", &text, err);
        if (r < 0)
                return r;
        if (tuf_time_parse(text, &ret->expires) < 0)
                return malformed(err, "'expires' is not a time like 2030-01-31T23:59:59Z");
        text = json_string_value(json_object_get(j, "issued"));
        if (!text || type != TUF_TIMESTAMP || tuf_time_parse(text, &ret->issued) < 0)
                ret->issued = 0; /* others may use that name for something else */
        return 0;
}

static int strings_check(const json_t *a, const char *what, struct err *err) {
        const json_t *v;
        size_t i;

        json_array_foreach(a, i, v) if (!json_is_string(v)) return err_set(err, -EBADMSG, REASON_MALFORMED,
                                                                           "'%s' holds something else than strings", what);
        return 0;
}

/* {"keyids", "threshold"}; a key id twice is refused. */
static int role_check(const json_t *role, struct err *err) {
        cleanup_json json_t *seen = json_object();
        json_t *keyids = NULL, *v;
        long long threshold;
        size_t i;
        int r;

        if (!seen)
                return err_errno(err, -ENOMEM, "role");
        if (!json_is_object(role))
                return malformed(err, "a role is not an object");
        r = json_get_int(role, "threshold", 1, JSON_INT_MAX, &threshold, err);
        if (r < 0)
                return r;
        r = json_get_array(role, "keyids", &keyids, err);
        if (r < 0)
                return r;
        r = strings_check(keyids, "keyids", err);
        if (r < 0)
                return r;
        json_array_foreach(keyids, i, v) {
                if (json_object_get(seen, json_string_value(v)))
                        return malformed(err, "a role has one key id twice");
                if (json_object_set_new(seen, json_string_value(v), json_true()) < 0)
                        return err_errno(err, -ENOMEM, "role");
        }
        return 0;
}

static int keys_check(const json_t *keys, struct err *err) {
        const char *id, *text;
        json_t *key, *keyval;
        int r;

        json_object_foreach((json_t *)keys, id, key) {
                if (!json_is_object(key))
                        return malformed(err, "a key is not an object");
                r = json_get_string(key, "keytype", &text, err);
                if (r >= 0)
                        r = json_get_string(key, "scheme", &text, err);
                if (r >= 0)
                        r = json_get_object(key, "keyval", &keyval, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int root_check(const json_t *j, struct err *err) {
        const json_t *consistent = json_object_get(j, "consistent_snapshot");
        json_t *keys = NULL, *roles = NULL, *role = NULL;
        int r;

        if (consistent && !json_is_boolean(consistent) && !json_is_null(consistent))
                return malformed(err, "'consistent_snapshot' is not a boolean");
        r = json_get_object(j, "keys", &keys, err);
        if (r < 0)
                return r;
        r = keys_check(keys, err);
        if (r < 0)
                return r;
        r = json_get_object(j, "roles", &roles, err);
        if (r < 0)
                return r;
        for (enum tuf_type type = TUF_ROOT; type <= TUF_TARGETS; type++) {
                r = json_get_object(roles, tuf_type_name(type), &role, err);
                if (r >= 0)
                        r = role_check(role, err);
                if (r < 0)
                        return err_wrap(err, r, "role '%s'", tuf_type_name(type));
        }
        return 0;
}

static int hashes_check(const json_t *hashes, struct err *err) {
        const char *name;
        json_t *v;

        if (!json_is_object(hashes) || json_object_size(hashes) == 0)
                return malformed(err, "'hashes' is not an object with members");
        json_object_foreach((json_t *)hashes, name, v) if (!json_is_string(v)) return malformed(err, "a hash is not a string");
        return 0;
}

/* METAFILES: length and hashes may be absent. */
static int metafile_check(const json_t *file, struct err *err) {
        const json_t *hashes = json_object_get(file, "hashes");
        long long n;
        int r;

        if (!json_is_object(file))
                return malformed(err, "'meta' holds something else than objects");
        r = json_get_int(file, "version", 1, JSON_INT_MAX, &n, err);
        if (r >= 0 && json_object_get(file, "length"))
                r = json_get_int(file, "length", 1, JSON_INT_MAX, &n, err);
        if (r >= 0 && hashes)
                r = hashes_check(hashes, err);
        return r;
}

static int meta_check(const json_t *j, const char *needed, struct err *err) {
        json_t *meta = NULL, *file;
        const char *name;
        int r = json_get_object(j, "meta", &meta, err);

        if (r < 0)
                return r;
        json_object_foreach(meta, name, file) {
                r = metafile_check(file, err);
                if (r < 0)
                        return r;
        }
        if (needed && !json_object_get(meta, needed))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "'meta' does not list %s", needed);
        return 0;
}

static int target_files_check(const json_t *targets, struct err *err) {
        const char *path;
        json_t *entry, *v;
        long long n;
        int r;

        json_object_foreach((json_t *)targets, path, entry) {
                if (!json_is_object(entry))
                        return malformed(err, "a target is not an object");
                r = json_get_int(entry, "length", 0, JSON_INT_MAX, &n, err);
                if (r >= 0)
                        r = hashes_check(json_object_get(entry, "hashes"), err);
                if (r >= 0 && json_object_get(entry, "custom"))
                        r = json_get_object(entry, "custom", &v, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A role's name becomes a file's: it must not be another's. */
static int delegated_name_check(const char *name, struct err *err) {
        cleanup_buf struct buf b = {};
        int r;

        if (!*name || tuf_role_is_top(name))
                return malformed(err, "a delegated role has no name, or that of a top-level role");
        r = tuf_role_encode(name, &b);
        if (r == -ENAMETOOLONG)
                return malformed(err, "a delegated role's name is too long");
        return r < 0 ? err_errno(err, r, "role") : 0;
}

static int delegated_check(const json_t *role, json_t *seen, struct err *err) {
        const json_t *paths = json_object_get(role, "paths"), *prefixes = json_object_get(role, "path_hash_prefixes");
        const char *name;
        int r = role_check(role, err);

        if (r < 0)
                return r;
        r = json_get_string(role, "name", &name, err);
        if (r < 0)
                return r;
        r = delegated_name_check(name, err);
        if (r < 0)
                return r;
        if (json_object_get(seen, name))
                return malformed(err, "one role is delegated to twice");
        if (json_object_set_new(seen, name, json_true()) < 0)
                return err_errno(err, -ENOMEM, "role");
        if (!json_is_boolean(json_object_get(role, "terminating")))
                return malformed(err, "'terminating' is not a boolean");
        if (!paths == !prefixes || !json_is_array(paths ? paths : prefixes))
                return malformed(err, "a delegation has not one of 'paths' and 'path_hash_prefixes'");
        return strings_check(paths ? paths : prefixes, paths ? "paths" : "path_hash_prefixes", err);
}

/* TAP 15. */
static int succinct_check(const json_t *roles, struct err *err) {
        const char *prefix;
        long long bits;
        int r = role_check(roles, err);

        if (r < 0)
                return r;
        r = json_get_int(roles, "bit_length", 1, 32, &bits, err);
        if (r < 0)
                return r;
        r = json_get_string(roles, "name_prefix", &prefix, err);
        return r < 0 ? r : delegated_name_check(prefix, err);
}

static int delegations_check(const json_t *d, struct err *err) {
        const json_t *roles = json_object_get(d, "roles"), *succinct = json_object_get(d, "succinct_roles"), *role;
        cleanup_json json_t *seen = json_object();
        json_t *keys = NULL;
        size_t i;
        int r;

        if (!seen)
                return err_errno(err, -ENOMEM, "delegations");
        if (!json_is_object(d))
                return malformed(err, "'delegations' is not an object");
        r = json_get_object(d, "keys", &keys, err);
        if (r < 0)
                return r;
        r = keys_check(keys, err);
        if (r < 0)
                return r;
        if (!roles == !succinct || (roles && !json_is_array(roles)))
                return malformed(err, "'delegations' has not one of 'roles' and 'succinct_roles'");
        if (succinct)
                return succinct_check(succinct, err);
        json_array_foreach(roles, i, role) {
                r = delegated_check(role, seen, err);
                if (r < 0)
                        return err_wrap(err, r, "delegation %zu", i + 1);
        }
        return 0;
}

static int targets_check(const json_t *j, struct err *err) {
        const json_t *delegations = json_object_get(j, "delegations");
        json_t *targets = NULL;
        int r = json_get_object(j, "targets", &targets, err);

        if (r < 0)
                return r;
        r = target_files_check(targets, err);
        if (r < 0)
                return r;
        return delegations && !json_is_null(delegations) ? delegations_check(delegations, err) : 0;
}

int tuf_metadata_check(const json_t *j, enum tuf_type type, struct tuf_common *ret, struct err *err) {
        struct tuf_common common = {};
        int r;

        if (!json_is_object(j))
                return malformed(err, "metadata is not an object");
        r = common_check(j, type, &common, err);
        if (r < 0)
                return r;
        switch (type) {
        case TUF_ROOT:
                r = root_check(j, err);
                break;
        case TUF_TIMESTAMP:
                r = meta_check(j, "snapshot.json", err);
                break;
        case TUF_SNAPSHOT:
                r = meta_check(j, NULL, err);
                break;
        case TUF_TARGETS:
                r = targets_check(j, err);
                break;
        }
        if (r < 0)
                return r;
        *ret = common;
        return 0;
}
