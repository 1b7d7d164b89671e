/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_keys.h"

#include <stdio.h>

void role_keys_done(struct role_keys *keys) {
        keyring_done(&keys->ring);
}

/* Root has its roles as an object, targets its delegations as a list. */
static json_t *role_object(const json_t *delegator, const char *role) {
        const json_t *list = json_object_get(json_object_get(delegator, "delegations"), "roles");
        json_t *entry;
        size_t i;

        json_array_foreach(list, i, entry) {
                const char *name = json_string_value(json_object_get(entry, "name"));

                if (name && streq(name, role))
                        return entry;
        }
        return json_object_get(json_object_get(delegator, "roles"), role);
}

static json_t *keys_object(const json_t *delegator) {
        json_t *delegations = json_object_get(delegator, "delegations");

        return json_object_get(delegations ?: delegator, "keys");
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static bool material_known(const struct keyring *ring, const struct pubkey *key) {
        for (size_t i = 0; i < ring->n; i++)
                if (memcmp(ring->keys[i].material, key->material, sizeof(key->material)) == 0)
                        return true;
        return false;
}

/* Takes over key, when 0 is returned. */
static int ring_add(struct keyring *ring, const struct pubkey *key, struct err *err) {
        struct pubkey *keys = ring->n < KEYRING_MAX ? reallocarray(ring->keys, ring->n + 1, sizeof(*keys)) : NULL;

        if (!keys)
                return err_set(err, -E2BIG, REASON_TOO_LARGE, "more than %d keys", KEYRING_MAX);
        ring->keys = keys;
        ring->keys[ring->n++] = *key;
        return 0;
}

static int key_read(const json_t *keys, const char *id, struct role_keys *ret, struct err *err) {
        const json_t *object = json_object_get(keys, id);
        struct pubkey key = {};
        struct err why = {};
        int e;

        if (!object)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "key '%.80s' is named, but not described", id);
        ret->n_listed++;
        e = pubkey_from_tuf(object, &key, &why);
        if (e < 0 && why.reason == REASON_UNSUPPORTED_FORMAT)
                return 0; /* it may sign for others */
        if (e < 0)
                return err_set(err, e, why.reason, "key '%.80s': %s", id, why.msg);
        /* By whatever id the metadata calls it: signatures name that one. */
        if (hex_decode(id, key.id, sizeof(key.id)) < 0)
                e = err_set(err, -EBADMSG, REASON_MALFORMED, "'%.80s' is not a key id", id);
        hex_encode(key.id, sizeof(key.id), key.id_hex);
        /* The same key under a second id counts once. */
        if (e < 0 || material_known(&ret->ring, &key)) {
                pubkey_done(&key);
                return e;
        }
        e = ring_add(&ret->ring, &key, err);
        if (e < 0)
                pubkey_done(&key);
        return e;
}

int role_keys_read(const json_t *delegator, const char *role, struct role_keys *ret, struct err *err) {
        cleanup_role_keys struct role_keys keys = {};
        const json_t *object = role_object(delegator, role), *id;
        json_t *ids;
        long long threshold;
        size_t i;
        int e;

        if (!object)
                return err_set(err, -ENOENT, REASON_MALFORMED, "there is no role '%s'", role);
        e = json_get_array(object, "keyids", &ids, err);
        if (e == 0)
                e = json_get_int(object, "threshold", 1, SIGNATURES_MAX, &threshold, err);
        if (e < 0)
                return err_wrap(err, e, "role '%s'", role);
        json_array_foreach(ids, i, id) {
                e = json_is_string(id) ? key_read(keys_object(delegator), json_string_value(id), &keys, err)
                                       : err_set(err, -EBADMSG, REASON_MALFORMED, "a key id is not a string");
                if (e < 0)
                        return err_wrap(err, e, "role '%s'", role);
        }
        keys.threshold = (size_t)threshold;
        *ret = keys;
        keys = (struct role_keys){};
        return 0;
}

int role_verify(const json_t *delegator, const char *role, const struct envelope *env, struct sig_report *ret_report,
                struct err *err) {
        cleanup_role_keys struct role_keys keys = {};
        int e = role_keys_read(delegator, role, &keys, err);

        if (e == 0)
                e = signatures_verify(env->bytes.data, env->bytes.len, env->sigs, env->n_sigs, &keys.ring, keys.threshold,
                                      ret_report, err);
        return e < 0 ? err_wrap(err, e, "%s", role) : 0;
}

bool role_keys_has(const struct role_keys *keys, const struct pubkey *key) {
        return material_known(&keys->ring, key);
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

static json_t *key_object(const struct pubkey *key) {
        char hex[2 * 32 + 1];
        uint8_t raw[32];

        if (pubkey_raw(key, raw) < 0)
                return NULL;
        hex_encode(raw, sizeof(raw), hex);
        return json_pack("{s:s, s:s, s:{s:s}}", "keytype", "ed25519", "scheme", "ed25519", "keyval", "public", hex);
}

static bool id_used(json_t *role, const char *id) {
        json_t *one;
        size_t i;

        json_array_foreach(json_object_get(role, "keyids"), i, one) {
                if (streq(json_string_value(one) ?: "", id))
                        return true;
        }
        return false;
}

/* Of root's or of a delegation's roles, whichever it is. */
static bool id_needed(json_t *roles, const char *id) {
        const char *name;
        json_t *role;
        size_t i;

        json_array_foreach(roles, i, role) {
                if (id_used(role, id))
                        return true;
        }
        json_object_foreach(roles, name, role) {
                if (id_used(role, id))
                        return true;
        }
        return false;
}

static void keys_prune(json_t *delegator) {
        json_t *holder = json_object_get(delegator, "delegations") ?: delegator, *keys = keys_object(delegator), *key;
        const char *id;
        void *next;

        json_object_foreach_safe(keys, next, id, key) {
                if (!id_needed(json_object_get(holder, "roles"), id))
                        json_object_del(keys, id);
        }
}

int role_keys_write(json_t *delegator, const char *role, const struct keyring *ring, size_t threshold, struct err *err) {
        json_t *object = role_object(delegator, role), *keys = keys_object(delegator), *ids = json_array();

        if (!object || !keys || !ids || json_object_set_new(object, "keyids", ids) < 0)
                return err_errno(err, -ENOMEM, "role '%s'", role);
        if (threshold < 1 || threshold > ring->n)
                return err_set(err, -EINVAL, REASON_USAGE, "%zu signatures cannot be had from the %zu key%s of '%s'", threshold,
                               ring->n, ring->n == 1 ? "" : "s", role);
        for (size_t i = 0; i < ring->n; i++) {
                const struct pubkey *key = &ring->keys[i];

                if (json_array_append_new(ids, json_string(key->id_hex)) < 0)
                        return err_errno(err, -ENOMEM, "role '%s'", role);
                /* A key that is described already stays as it is: its id is the digest of that. */
                if (!json_object_get(keys, key->id_hex) && json_object_set_new(keys, key->id_hex, key_object(key)) < 0)
                        return err_errno(err, -ENOMEM, "role '%s'", role);
        }
        if (json_object_set_new(object, "threshold", json_integer((json_int_t)threshold)) < 0)
                return err_errno(err, -ENOMEM, "role '%s'", role);
        keys_prune(delegator);
        return 0;
}

int role_delegate(json_t *targets, const char *role, struct err *err) {
        json_t *delegations = json_object_get(targets, "delegations");
        char pattern[64];

        snprintf(pattern, sizeof(pattern), "%s/*", role);
        if (!delegations) {
                delegations = json_pack("{s:{}, s:[]}", "keys", "roles");
                if (!delegations || json_object_set_new(targets, "delegations", delegations) < 0)
                        return err_errno(err, -ENOMEM, "delegation");
        }
        if (json_array_append_new(json_object_get(delegations, "roles"),
                                  json_pack("{s:s, s:[], s:i, s:b, s:[s]}", "name", role, "keyids", "threshold", 1, "terminating",
                                            1, "paths", pattern)) < 0)
                return err_errno(err, -ENOMEM, "delegation");
        return 0;
}

int role_sign(const json_t *delegator, const char *role, const struct signers *signers, struct envelope *env, size_t *n_signed,
              struct err *err) {
        cleanup_role_keys struct role_keys keys = {};
        int e = delegator ? role_keys_read(delegator, role, &keys, err) : 0;

        for (size_t i = 0; e == 0 && i < signers->n; i++) {
                if (!role_keys_has(&keys, privkey_public(signers->keys[i])))
                        continue;
                e = envelope_sign(env, signers->keys[i], err);
                (*n_signed)++;
        }
        return e;
}
