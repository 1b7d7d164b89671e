/* SPDX-License-Identifier: Apache-2.0 */
/* The self-tests of a bundle: YAML lists to the one signed JSON document. What a test may say is known to lib/selftest.h. */
#pragma once

#include "rules_yaml.h"

struct selftest_set {
        struct buf json; /* the member selftests.json */
        size_t n, n_denials, n_allowances;
        uint64_t denials, allowances; /* operations of rules that tests of each kind try, as bits */
};
void selftest_set_done(struct selftest_set *s);
#define cleanup_selftest_set cleanup(selftest_set_done)

/* Every test that is wrong is reported at its place: -EBADMSG. rules: of the same bundle, which say what scopes there are. */
int selftest_set_load(const struct bundle_source *bundle, const struct rules_set *rules, struct diags *diags,
                      struct selftest_set *ret, struct err *err);
