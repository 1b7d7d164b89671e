/* SPDX-License-Identifier: Apache-2.0 */
#include "tuf_verify.h"

#include "envelope.h"

_Static_assert(TUF_SIGNATURES_MAX <= SIGNATURES_MAX, "a report has a place for every signature's key");

void tuf_signers_done(struct tuf_signers *s) {
        free(s->a);
        *s = (struct tuf_signers){};
}

/* Key ids are opaque strings in TUF and 32 bytes in an envelope: the digest of the string stands for it. */
static int keyid_digest(const char *keyid, uint8_t ret[static SHA256_SIZE], struct err *err) {
        int r = sha256(keyid, strlen(keyid), ret);

        return r < 0 ? err_errno(err, r, "key id") : 0;
}

static bool role_lists(const json_t *role, const char *keyid) {
        const json_t *v;
        size_t i;

        json_array_foreach(json_object_get(role, "keyids"), i, v) if (streq(json_string_value(v), keyid)) return true;
        return false;
}

/* The keys of the role that the signatures name; from[] says which signature named it. */
static int ring_fill(const json_t *keys, const json_t *role, const struct tuf_signed *s, struct keyring *ring,
                     size_t from[static TUF_SIGNATURES_MAX], struct err *err) {
        ring->keys = new_array(s->n_sigs, sizeof(*ring->keys));
        if (!ring->keys)
                return err_errno(err, -ENOMEM, "keys");
        for (size_t i = 0; i < s->n_sigs; i++) {
                struct pubkey *key = &ring->keys[ring->n];
                const char *keyid = s->sigs[i].keyid;
                const json_t *object = json_object_get(keys, keyid);
                int r;

                if (!object || !role_lists(role, keyid))
                        continue;
                r = pubkey_from_tuf(object, key, NULL);
                if (r == -ENOMEM)
                        return err_errno(err, r, "key");
                if (r < 0)
                        continue; /* it cannot have signed */
                from[ring->n++] = i;
                r = keyid_digest(keyid, key->id, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int signatures_convert(const struct tuf_signed *s, struct signature *sigs, struct err *err) {
        for (size_t i = 0; i < s->n_sigs; i++) {
                int r = keyid_digest(s->sigs[i].keyid, sigs[i].keyid, err);

                if (r < 0)
                        return r;
                sigs[i].len = s->sigs[i].len;
                memcpy(sigs[i].sig, s->sigs[i].sig, s->sigs[i].len);
        }
        return 0;
}

static int signers_fill(const struct tuf_signed *s, const struct keyring *ring, const size_t *from,
                        const struct sig_report *report, struct tuf_signers *ret, struct err *err) {
        ret->a = new_array(ring->n, sizeof(*ret->a));
        if (!ret->a)
                return err_errno(err, -ENOMEM, "signers");
        for (size_t i = 0; i < ring->n; i++) {
                if (!report->valid[i])
                        continue;
                strcpy(ret->a[ret->n].keyid, s->sigs[from[i]].keyid);
                memcpy(ret->a[ret->n].material, ring->keys[i].material, SHA256_SIZE);
                ret->n++;
        }
        return 0;
}

int tuf_verify(const json_t *keys, const json_t *role, const struct tuf_signed *s, struct tuf_signers *ret_signers,
               struct err *err) {
        json_int_t threshold = json_integer_value(json_object_get(role, "threshold"));
        cleanup_free struct signature *sigs = NULL;
        cleanup_keyring struct keyring ring = {};
        size_t from[TUF_SIGNATURES_MAX];
        struct sig_report report;
        int r;

        if (threshold < 1 || s->n_sigs > TUF_SIGNATURES_MAX)
                return err_set(err, -EINVAL, REASON_THRESHOLD_NOT_MET, "a threshold of %lld: nothing can meet that",
                               (long long)threshold);
        sigs = new_array(s->n_sigs, sizeof(*sigs));
        if (!sigs)
                return err_errno(err, -ENOMEM, "signatures");
        r = ring_fill(keys, role, s, &ring, from, err);
        if (r < 0)
                return r;
        r = signatures_convert(s, sigs, err);
        if (r < 0)
                return r;
        r = signatures_verify(s->bytes.data, s->bytes.len, sigs, s->n_sigs, &ring, (size_t)threshold, &report, err);
        if (r < 0)
                return r;
        return signers_fill(s, &ring, from, &report, ret_signers, err);
}

bool tuf_role_has_key(const json_t *keys, const json_t *role, const uint8_t material[static SHA256_SIZE]) {
        const json_t *v;
        size_t i;

        json_array_foreach(json_object_get(role, "keyids"), i, v) {
                const json_t *object = json_object_get(keys, json_string_value(v));
                struct pubkey key = {};
                bool same;

                if (!object || pubkey_from_tuf(object, &key, NULL) < 0)
                        continue;
                same = memcmp(key.material, material, SHA256_SIZE) == 0;
                pubkey_done(&key);
                if (same)
                        return true;
        }
        return false;
}

bool tuf_role_keeps_keys(const json_t *keys_before, const json_t *before, const json_t *keys_after, const json_t *after) {
        const json_t *v;
        size_t i;

        json_array_foreach(json_object_get(before, "keyids"), i, v) {
                const json_t *object = json_object_get(keys_before, json_string_value(v));
                struct pubkey key = {};
                bool kept;

                /* The same id for the same object: the usual case, and cheap. */
                if (object && role_lists(after, json_string_value(v)) &&
                    json_equal(object, json_object_get(keys_after, json_string_value(v))))
                        continue;
                if (!object || pubkey_from_tuf(object, &key, NULL) < 0)
                        continue; /* it could not sign before, either */
                kept = tuf_role_has_key(keys_after, after, key.material);
                pubkey_done(&key);
                if (!kept)
                        return false;
        }
        return true;
}
