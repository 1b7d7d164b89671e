/* SPDX-License-Identifier: Apache-2.0 */
/* Which role vouches for a target, and what it says of it. */
#include "tuf_path.h"
#include "tuf_set.h"

static const json_t *delegations(const json_t *targets) {
        return json_object_get(targets, "delegations");
}

struct search {
        const struct tuf_trust *t;
        const char *path;
        const char *visited[TUF_VISITS_MAX + 1];
        char *bins[TUF_VISITS_MAX + 1]; /* names that were made here */
        size_t n, n_bins;
        struct tuf_target *target;
        struct tuf_want *want;
};

enum { GO_ON = 0, FOUND = 1, STOP = 2 };

static bool is_delegated(const json_t *role, const char *path) {
        const json_t *paths = json_object_get(role, "paths"), *prefixes = json_object_get(role, "path_hash_prefixes"), *v;
        size_t i;

        json_array_foreach(paths, i, v) if (tuf_path_matches(json_string_value(v), path)) return true;
        json_array_foreach(prefixes, i, v) if (tuf_path_hash_matches(json_string_value(v), path)) return true;
        return false;
}

static void target_fill(const struct tuf_trust *t, size_t doc, const json_t *entry, struct tuf_target *ret) {
        const json_t *hashes = json_object_get(entry, "hashes");
        const char *sha256_hex = json_string_value(json_object_get(hashes, "sha256"));
        const char *sha512_hex = json_string_value(json_object_get(hashes, "sha512"));
        uint8_t sha256_raw[SHA256_SIZE], sha512_raw[SHA512_SIZE];
        bool has_sha256 = sha256_hex && tuf_hash_decode(sha256_hex, sha256_raw, sizeof(sha256_raw));
        bool has_sha512 = sha512_hex && tuf_hash_decode(sha512_hex, sha512_raw, sizeof(sha512_raw));

        *ret = (struct tuf_target){
                .role = t->docs[doc].role,
                .document = doc,
                .length = json_integer_value(json_object_get(entry, "length")),
                .has_sha256 = has_sha256,
                .hash = has_sha256   ? sha256_hex
                        : has_sha512 ? sha512_hex
                                     : NULL,
                .entry = entry,
                .custom = json_object_get(entry, "custom"),
        };
        if (has_sha256)
                memcpy(ret->sha256, sha256_raw, sizeof(ret->sha256));
}

static int visit(struct search *s, size_t doc, struct err *err);

static bool was_visited(const struct search *s, const char *role) {
        for (size_t i = 0; i < s->n; i++)
                if (streq(s->visited[i], role))
                        return true;
        return false;
}

static int visit_role(struct search *s, size_t parent, const char *role, struct err *err) {
        size_t doc;
        int r;

        if (was_visited(s, role))
                return GO_ON;
        if (s->n > TUF_VISITS_MAX - 1)
                return STOP;
        s->visited[s->n++] = role;
        doc = tuf_set_find(s->t, parent, role);
        if (doc)
                return visit(s, doc, err);
        r = tuf_set_want(s->t, parent, role, s->want, err);
        return r < 0 ? r : err_set(err, -EAGAIN, REASON_NONE, "a delegated role's metadata is needed");
}

/* Bins are terminating. */
static int visit_bin(struct search *s, size_t parent, const json_t *succinct, struct err *err) {
        const char *prefix = json_string_value(json_object_get(succinct, "name_prefix"));
        cleanup_buf struct buf name = {};
        int r;

        if (s->n_bins > TUF_VISITS_MAX)
                return STOP;
        r = tuf_path_bin(prefix, (int)json_integer_value(json_object_get(succinct, "bit_length")), s->path, &name);
        if (r < 0)
                return err_errno(err, r, "bin");
        s->bins[s->n_bins++] = name.data;
        r = visit_role(s, parent, steal_pointer(name.data), err);
        return r == GO_ON ? STOP : r;
}

static int visit(struct search *s, size_t doc, struct err *err) {
        const json_t *j = s->t->docs[doc].json, *entry = json_object_get(json_object_get(j, "targets"), s->path), *role;
        const json_t *succinct = json_object_get(delegations(j), "succinct_roles");
        size_t i;
        int r;

        if (entry) {
                target_fill(s->t, doc, entry, s->target);
                return FOUND;
        }
        if (succinct)
                return visit_bin(s, doc, succinct, err);
        json_array_foreach(json_object_get(delegations(j), "roles"), i, role) {
                if (!is_delegated(role, s->path))
                        continue;
                r = visit_role(s, doc, json_string_value(json_object_get(role, "name")), err);
                if (r != GO_ON)
                        return r;
                if (json_is_true(json_object_get(role, "terminating")))
                        return STOP;
        }
        return GO_ON;
}

int tuf_trust_find(const struct tuf_trust *t, const char *path, struct tuf_target *ret, struct tuf_want *ret_want,
                   struct err *err) {
        struct search s = {.t = t, .path = path, .target = ret, .want = ret_want};
        int r;

        if (!t->docs[TUF_TARGETS].json)
                return err_set(err, -EINVAL, REASON_NONE, "there is no targets metadata yet");
        r = visit(&s, TUF_TARGETS, err);
        for (size_t i = 0; i < s.n_bins; i++)
                free(s.bins[i]);
        if (r < 0)
                return r;
        return r == FOUND ? 0 : err_set(err, -ENOENT, REASON_UNKNOWN_TARGET, "the repository lists no such target");
}
