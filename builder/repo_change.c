/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_change.h"

void repo_change_done(struct repo_change *c) {
        for (enum repo_role role = 0; role < ROLE_COUNT; role++)
                repo_doc_done(&c->docs[role]);
        for (size_t i = 0; i < c->n_files; i++) {
                free(c->files[i].target);
                buf_done(&c->files[i].data);
        }
        free(c->files);
        free(c->name);
        *c = (struct repo_change){};
}

const struct repo_doc *repo_change_doc(const struct repo *repo, const struct repo_change *c, enum repo_role role) {
        return c->docs[role].body ? &c->docs[role] : &repo->docs[role];
}

/* ---- making one ------------------------------------------------------------------------------------------------------- */

int repo_change_edit(const struct repo *repo, struct repo_change *c, enum repo_role role, struct repo_doc **ret,
                     struct err *err) {
        struct repo_doc *doc = &c->docs[role];
        int e = 0;

        if (!doc->body && !repo->docs[role].body)
                return err_set(err, -ENOENT, REASON_NONE, "this repository has no role '%s'", role_name(role));
        if (!doc->body) {
                e = repo_doc_copy(&repo->docs[role], doc, err);
                c->base[role] = repo->docs[role].version;
        }
        if (e == 0)
                *ret = doc;
        return e;
}

static json_t *entry_new(const struct buf *data, json_t *custom) {
        uint8_t digest[SHA256_SIZE];
        char hex[SHA256_HEX];
        json_t *entry;

        if (sha256(data->data, data->len, digest) < 0) {
                json_decref(custom);
                return NULL;
        }
        hex_encode(digest, sizeof(digest), hex);
        entry = json_pack("{s:I, s:{s:s}}", "length", (json_int_t)data->len, "hashes", "sha256", hex);
        if (custom && json_object_set_new(entry, "custom", custom) < 0) {
                json_decref(entry);
                return NULL;
        }
        return entry;
}

int repo_change_target(struct repo_change *c, enum repo_role role, const char *target, struct buf *data, json_t *custom,
                       struct err *err) {
        struct repo_file *files = reallocarray(c->files, c->n_files + 1, sizeof(*files));
        json_t *targets = json_object_get(c->docs[role].body, "targets");

        if (!files) {
                json_decref(custom);
                return err_errno(err, -ENOMEM, "target");
        }
        c->files = files;
        if (json_object_set_new(targets, target, entry_new(data, custom)) < 0)
                return err_errno(err, -ENOMEM, "target");
        files[c->n_files] = (struct repo_file){strdup(target), *data};
        *data = (struct buf){};
        return files[c->n_files++].target ? 0 : err_errno(err, -ENOMEM, "target");
}

int repo_change_seal(const struct repo *repo, struct repo_change *c, struct err *err) {
        int e = 0;

        for (enum repo_role role = 0; e == 0 && role < ROLE_COUNT; role++)
                if (c->docs[role].body)
                        e = repo_doc_seal(&c->docs[role], c->base[role] + 1, repo->now + repo->period[role], err);
        return e;
}

/* ---- signatures --------------------------------------------------------------------------------------------------------- */

/* Whose keys count for a role: of the new state and, where nodes that know only the old root must follow, of the old one. */
static size_t delegators(const struct repo *repo, const struct repo_change *c, enum repo_role role, const json_t *ret[static 2]) {
        enum repo_role by = role_delegator(role);
        const json_t *new = repo_change_doc(repo, c, by)->body, *old = repo->docs[by].body;
        size_t n = 0;

        ret[n++] = new;
        if (old && old != new &&by == ROLE_ROOT)
                ret[n++] = old;
        return n;
}

int repo_change_sign(const struct repo *repo, struct repo_change *c, const struct signers *signers, size_t *ret_n,
                     struct err *err) {
        *ret_n = 0;
        for (enum repo_role role = 0; role < ROLE_COUNT; role++) {
                const json_t *by[2];
                size_t n = delegators(repo, c, role, by);

                for (size_t i = 0; c->docs[role].body && i < n; i++) {
                        int e = role_sign(by[i], role_name(role), signers, &c->docs[role].env, ret_n, err);

                        if (e < 0)
                                return err_wrap(err, e, "%s", role_name(role));
                }
        }
        return 0;
}

/* A document that is in force stays in force only if what is signed above it still says so. */
static int doc_complete(const struct repo *repo, const struct repo_change *c, enum repo_role role, struct err *err) {
        const struct repo_doc *root = repo_change_doc(repo, c, ROLE_ROOT), *targets = repo_change_doc(repo, c, ROLE_TARGETS);
        const struct repo_doc *doc = repo_change_doc(repo, c, role);
        int e;

        if (!doc->body)
                return 0;
        e = repo_doc_verify(root, targets, role, doc, err);
        if (e == 0 && role == ROLE_ROOT && c->docs[role].body && repo->docs[role].body)
                e = repo_doc_verify(&repo->docs[ROLE_ROOT], NULL, ROLE_ROOT, doc, err);
        return e;
}

int repo_change_complete(const struct repo *repo, const struct repo_change *c, struct err *err) {
        static const enum repo_role roles[] = {ROLE_ROOT, ROLE_TARGETS, ROLE_BUNDLES, ROLE_ROLLOUTS};
        int e = 0;

        for (size_t i = 0; e == 0 && i < ARRAY_SIZE(roles); i++)
                e = doc_complete(repo, c, roles[i], err);
        return e;
}

int repo_change_base(const struct repo *repo, const struct repo_change *c, struct err *err) {
        for (enum repo_role role = 0; role < ROLE_COUNT; role++) {
                const struct repo_doc *mine = &c->docs[role], *theirs = &repo->docs[role];

                if (!mine->body || repo_doc_equal(mine, theirs))
                        continue;
                if (mine->version != c->base[role] + 1 || theirs->version != c->base[role])
                        return err_set(err, -ESTALE, REASON_STALE_BASE,
                                       "it is based on version %ju of '%s', and version %ju is in force: prepare it again",
                                       (uintmax_t)c->base[role], role_name(role), (uintmax_t)theirs->version);
        }
        return 0;
}
