/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has a role signed this? A role is {"keyids", "threshold"} with the keys of the one who delegates to it. Counted by key
 * material, by the same code as for bundles (signatures_verify): neither a key under two ids nor one in two encodings stands
 * for two people. A key of a kind that is not known, or damaged, cannot sign, and does not harm the others.
 */
#pragma once

#include "tuf_signed.h"

#define TUF_ROLE_KEYS_MAX KEYRING_MAX /* of one role that have signed one document */

struct tuf_signer {
        char keyid[TUF_KEYID_MAX + 1];
        uint8_t material[SHA256_SIZE];
};
struct tuf_signers {
        struct tuf_signer *a; /* whose signatures are right, in the order of the document */
        size_t n;
};
void tuf_signers_done(struct tuf_signers *s);

/* bad-signature, unknown-key, threshold-not-met. ret_signers is filled on success alone. */
int tuf_verify(const json_t *keys, const json_t *role, const struct tuf_signed *s, struct tuf_signers *ret_signers,
               struct err *err);
/* Is a key with this material one of the role's? */
bool tuf_role_has_key(const json_t *keys, const json_t *role, const uint8_t material[static SHA256_SIZE]);
/* Is every key of `before` still one of `after`? Keys that were only added leave this true. */
bool tuf_role_keeps_keys(const json_t *keys_before, const json_t *before, const json_t *keys_after, const json_t *after);
