/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of the four kinds of metadata (TUF 1.0.34, section 4), after their signatures have been checked: what tuf_trust
 * relies on is there and of the right type. Unknown members are left alone.
 */
#pragma once

#include "json.h"

#define TUF_SPEC_MAJOR "1"

enum tuf_type {
        TUF_ROOT,
        TUF_TIMESTAMP,
        TUF_SNAPSHOT,
        TUF_TARGETS,
};
const char *tuf_type_name(enum tuf_type type);

/* What all have in common. */
struct tuf_common {
        long long version; /* 1 to 2^53 - 1 */
        int64_t expires;
        int64_t issued; /* our own member of a timestamp: when it was signed; 0: not said */
};

/* wrong-type, unsupported-format (another major version of the specification), malformed. */
int tuf_metadata_check(const json_t *j, enum tuf_type type, struct tuf_common *ret, struct err *err);
