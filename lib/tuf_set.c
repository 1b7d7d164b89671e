/* SPDX-License-Identifier: Apache-2.0 */
/* What a trusted set holds: who vouches for whom, and what is known of each document. */
#include "tuf_set.h"

/* Is this one of the names that the succinct delegation makes: PREFIX-HEX, of the right length and range? */
static bool bin_exists(const json_t *succinct, const char *role) {
        const char *prefix = json_string_value(json_object_get(succinct, "name_prefix"));
        int bits = (int)json_integer_value(json_object_get(succinct, "bit_length"));
        size_t n = strlen(prefix), digits = (size_t)(bits + 3) / 4;

        if (strncmp(role, prefix, n) != 0 || role[n] != '-')
                return false;
        role += n + 1;
        return strlen(role) == digits && strspn(role, "0123456789abcdef") == digits && strtoull(role, NULL, 16) < 1ULL << bits;
}

bool tuf_set_delegation(const struct tuf_trust *t, size_t parent, const char *role, const json_t **ret_keys,
                        const json_t **ret_role) {
        const json_t *d, *j = t->docs[parent].json, *v, *succinct;
        size_t i;

        if (parent == TUF_ROOT) {
                *ret_keys = json_object_get(j, "keys");
                *ret_role = json_object_get(json_object_get(j, "roles"), role);
                return *ret_role != NULL;
        }
        d = json_object_get(j, "delegations");
        *ret_keys = json_object_get(d, "keys");
        succinct = json_object_get(d, "succinct_roles");
        if (succinct && bin_exists(succinct, role)) {
                *ret_role = succinct;
                return true;
        }
        json_array_foreach(json_object_get(d, "roles"), i, v) if (streq(json_string_value(json_object_get(v, "name")), role)) {
                *ret_role = v;
                return true;
        }
        return false;
}

size_t tuf_set_find(const struct tuf_trust *t, size_t parent, const char *role) {
        for (size_t i = TUF_TOP; i < TUF_TOP + t->n_delegated; i++)
                if (t->docs[i].parent == parent && streq(t->docs[i].role, role))
                        return i;
        return 0;
}

bool tuf_trust_consistent(const struct tuf_trust *t) {
        return json_is_true(json_object_get(t->docs[TUF_ROOT].json, "consistent_snapshot"));
}

size_t tuf_trust_documents(const struct tuf_trust *t) {
        return TUF_TOP + t->n_delegated;
}

int tuf_trust_document(const struct tuf_trust *t, size_t i, struct tuf_document *ret) {
        const json_t *keys, *role = NULL;
        const struct tuf_doc *d;

        if (i >= tuf_trust_documents(t) || !t->docs[i].json)
                return -ENOENT;
        d = &t->docs[i];
        (void)tuf_set_delegation(t, d->parent, d->role, &keys, &role);
        *ret = (struct tuf_document){
                .role = d->role,
                .type = i < TUF_TOP ? (enum tuf_type)i : TUF_TARGETS,
                .common = d->common,
                .expired = tuf_set_expired(t, &d->common),
                .signers = &d->signers,
                .threshold = json_integer_value(json_object_get(role, "threshold")),
                .parent = d->parent,
                .signed_part = d->json,
        };
        return 0;
}

int tuf_trust_role(const struct tuf_trust *t, const char *role, struct tuf_document *ret) {
        for (size_t i = 0; i < tuf_trust_documents(t); i++)
                if (t->docs[i].json && streq(t->docs[i].role, role))
                        return tuf_trust_document(t, i, ret);
        return -ENOENT;
}

bool tuf_trust_any_expired(const struct tuf_trust *t) {
        return t->any_expired;
}

bool tuf_trust_key_authorised(const struct tuf_trust *t, size_t document, const uint8_t material[static SHA256_SIZE]) {
        const json_t *keys, *role;

        if (document >= tuf_trust_documents(t) || !t->docs[document].json ||
            !tuf_set_delegation(t, t->docs[document].parent, t->docs[document].role, &keys, &role))
                return false;
        return tuf_role_has_key(keys, role, material);
}
