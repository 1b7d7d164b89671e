/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a trusted set: shared by the checks (tuf_trust.c), the search (tuf_find.c) and what tells of it (tuf_set.c), and by
 * nobody else. */
#pragma once

#include "tuf_trust.h"

struct tuf_doc {
        char *role;
        json_t *json; /* NULL: there is none */
        struct tuf_common common;
        struct tuf_signers signers;
        struct tuf_file file;
        size_t parent; /* place of the document that delegates to it */
};

/* Places of the top-level roles are the numbers of their types. */
#define TUF_TOP (TUF_TARGETS + 1)

struct tuf_trust {
        struct tuf_trust_options options;
        struct tuf_doc docs[TUF_TOP + TUF_DELEGATED_MAX];
        size_t n_delegated;
        bool timestamp_final, snapshot_final; /* else only the measure for what comes */
        bool rotated;
        bool any_expired;
};

/* The keys and the role object by which the parent vouches for `role`; false when it does not. */
bool tuf_set_delegation(const struct tuf_trust *t, size_t parent, const char *role, const json_t **ret_keys,
                        const json_t **ret_role);
/* What the current snapshot says of a role: version, bytes. */
int tuf_set_want(const struct tuf_trust *t, size_t parent, const char *role, struct tuf_want *ret, struct err *err);
/* Whoever asks whether something has expired, asks here. */
bool tuf_set_expired(const struct tuf_trust *t, const struct tuf_common *common);
/* The document of `role` as this parent vouches for it, or 0. */
size_t tuf_set_find(const struct tuf_trust *t, size_t parent, const char *role);
