/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle's sources, checked as far as that goes without compiling. */
#pragma once

#include "rules_yaml.h"
#include "selftest_yaml.h"

struct sources {
        struct bundle_source *bundle;
        struct selftest_set selftests;
        struct rules_set rules;
};
void sources_done(struct sources *s);
#define cleanup_sources cleanup(sources_done)

/* Reads bundle.yaml, the rules and the self-tests, and reports everything that is wrong (-EBADMSG) or missing (warnings). */
int sources_load(const char *dir, struct diags *diags, struct sources *ret, struct err *err);
