/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which keys may sign for a role: `keys` and `roles` of root (TUF 1.0.34, section 4.3), `delegations` of targets (4.5).
 * A delegator is the `signed` part of either. Keys are Ed25519 where this writes them; what others wrote is kept as it is.
 */
#pragma once

#include "repo_doc.h"

struct role_keys {
        struct keyring ring;
        size_t threshold;
        size_t n_listed; /* key ids, also those of kinds that are not known here */
};
void role_keys_done(struct role_keys *keys);
#define cleanup_role_keys cleanup(role_keys_done)

/* -ENOENT: the delegator has no such role (or is NULL). */
int role_keys_read(const json_t *delegator, const char *role, struct role_keys *ret, struct err *err);
/* Refuses unless the role's threshold of keys has signed these bytes; ret_report may be NULL. */
int role_verify(const json_t *delegator, const char *role, const struct envelope *env, struct sig_report *ret_report,
                struct err *err);
/* By material. */
bool role_keys_has(const struct role_keys *keys, const struct pubkey *key);

/* Gives the role to these keys, at this threshold (too few keys: usage). What no role uses any more is dropped from `keys`. */
int role_keys_write(json_t *delegator, const char *role, const struct keyring *ring, size_t threshold, struct err *err);
/* Adds the role `bundles` or `rollouts` to targets, without keys yet. */
int role_delegate(json_t *targets, const char *role, struct err *err);

/* Signs with each of the signers whose key the role has; counts them. delegator may be NULL: none is. */
int role_sign(const json_t *delegator, const char *role, const struct signers *signers, struct envelope *env, size_t *n_signed,
              struct err *err);
