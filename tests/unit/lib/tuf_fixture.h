/* SPDX-License-Identifier: Apache-2.0 */
/* A small TUF repository in memory: documents as JSON that a test can change, signed with keys made here. */
#pragma once

#include "tuf_trust.h"
#include "unit.h"

#define NOW 1800000000 /* 2027-01-15T08:00:00Z */
#define FUTURE "2030-01-01T00:00:00Z"
#define PAST "2020-01-01T00:00:00Z"
#define REPO_KEYS 8 /* root, timestamp, snapshot, targets, bundles, and spare ones */

struct repo {
        struct privkey *keys[REPO_KEYS];
        json_t *root, *timestamp, *snapshot, *targets, *bundles;
};

static inline json_t *key_object(const struct privkey *key) {
        uint8_t raw[32];
        char hex[65];

        assert_int_equal(pubkey_raw(privkey_public(key), raw), 0);
        hex_encode(raw, sizeof(raw), hex);
        return json_pack("{s:s, s:s, s:{s:s}}", "keytype", "ed25519", "scheme", "ed25519", "keyval", "public", hex);
}

static inline const char *keyid(const struct privkey *key) {
        return privkey_public(key)->id_hex;
}

static inline json_t *role_of(const struct privkey *key) {
        return json_pack("{s:[s], s:i}", "keyids", keyid(key), "threshold", 1);
}

static inline json_t *document(const char *type) {
        return json_pack("{s:s, s:s, s:i, s:s}", "_type", type, "spec_version", "1.0.34", "version", 1, "expires", FUTURE);
}

static inline void set_version(json_t *doc, int version) {
        json_object_set_new(doc, "version", json_integer(version));
}
static inline void set_expires(json_t *doc, const char *expires) {
        json_object_set_new(doc, "expires", json_string(expires));
}
/* What snapshot and timestamp say of another document. */
static inline void list(json_t *by, const char *name, const json_t *doc) {
        json_t *meta = json_object_get(by, "meta");

        json_object_set_new(meta, name, json_pack("{s:O}", "version", json_object_get(doc, "version")));
}
static inline void list_all(struct repo *f) {
        list(f->snapshot, "targets.json", f->targets);
        list(f->snapshot, "bundles.json", f->bundles);
        list(f->timestamp, "snapshot.json", f->snapshot);
}

static inline void set_key(struct repo *f, const char *role, const struct privkey *key) {
        json_object_set_new(json_object_get(f->root, "keys"), keyid(key), key_object(key));
        json_object_set_new(json_object_get(f->root, "roles"), role, role_of(key));
}

static inline struct repo *repo_new(void) {
        struct repo *f = calloc(1, sizeof(*f));
        static const char *const roles[] = {"root", "timestamp", "snapshot", "targets"};
        json_t *delegation;

        for (int i = 0; i < REPO_KEYS; i++)
                assert_int_equal(privkey_generate(&f->keys[i], NULL), 0);
        f->root = document("root");
        json_object_set_new(f->root, "consistent_snapshot", json_true());
        json_object_set_new(f->root, "keys", json_object());
        json_object_set_new(f->root, "roles", json_object());
        for (int i = 0; i < 4; i++)
                set_key(f, roles[i], f->keys[i]);
        f->timestamp = document("timestamp");
        json_object_set_new(f->timestamp, "meta", json_object());
        json_object_set_new(f->timestamp, "issued", json_string("2027-01-01T00:00:00Z"));
        f->snapshot = document("snapshot");
        json_object_set_new(f->snapshot, "meta", json_object());
        f->targets = document("targets");
        json_object_set_new(f->targets, "targets", json_object());
        delegation = role_of(f->keys[4]);
        json_object_set_new(delegation, "name", json_string("bundles"));
        json_object_set_new(delegation, "terminating", json_true());
        json_object_set_new(delegation, "paths", json_pack("[s]", "bundles/*"));
        json_object_set_new(
                f->targets, "delegations",
                json_pack("{s:{s:o}, s:[o]}", "keys", keyid(f->keys[4]), key_object(f->keys[4]), "roles", delegation));
        f->bundles = document("targets");
        json_object_set_new(f->bundles, "targets",
                            json_pack("{s:{s:i, s:{s:s}, s:{s:i}}}", "bundles/a", "length", 3, "hashes", "sha256",
                                      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "custom", "release",
                                      7));
        list_all(f);
        return f;
}

static inline void repo_free(struct repo *f) {
        for (int i = 0; i < REPO_KEYS; i++)
                privkey_free(f->keys[i]);
        json_decref(f->root);
        json_decref(f->timestamp);
        json_decref(f->snapshot);
        json_decref(f->targets);
        json_decref(f->bundles);
        free(f);
}

/* Adds a signature by this key. */
static inline void sign_more(struct tuf_signed *s, const struct privkey *key) {
        struct tuf_signature *sig;

        s->sigs = realloc(s->sigs, (s->n_sigs + 1) * sizeof(*s->sigs));
        sig = &s->sigs[s->n_sigs++];
        memset(sig, 0, sizeof(*sig));
        strcpy(sig->keyid, keyid(key));
        assert_int_equal(privkey_sign(key, s->bytes.data, s->bytes.len, sig->sig, &sig->len, NULL), 0);
}

static inline struct tuf_signed sign_by(const json_t *doc, const struct privkey *key) {
        struct tuf_signed s = {};

        assert_int_equal(json_canonical(doc, &s.bytes, NULL), 0);
        if (key)
                sign_more(&s, key);
        return s;
}

/* The file as a repository has it. */
static inline void file_of(const json_t *doc, const struct privkey *key, struct buf *out) {
        cleanup_tuf_signed struct tuf_signed s = sign_by(doc, key);
        char hex[2 * SIG_MAX + 1];

        hex_encode(s.sigs[0].sig, s.sigs[0].len, hex);
        assert_int_equal(buf_printf(out, "{\"signatures\":[{\"keyid\":\"%s\",\"sig\":\"%s\"}],\n\"signed\":%s}\n",
                                    s.sigs[0].keyid, hex, s.bytes.data),
                         0);
}
