/* SPDX-License-Identifier: Apache-2.0 */
/* A file of somebody else's policies: either it is said what is wrong and where, or what is made of it are policies that lint
 * takes. Included once by each target. */
#pragma once

#include "../../builder/import.h"
#include "../../builder/rules_yaml.h"
#include "fuzz.h"

/* libfyaml 0.7 keeps what it had read of some broken documents; a process that reads them ends at once. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
        return "leak:libfyaml\n";
}

static void policy_check(const struct import_policy *policy) {
        cleanup_buf struct buf text = {};
        cleanup_diags struct diags diags = {};
        struct rules_policy parsed = {};

        must(policy->n > 0 || policy->denied.n > 0);
        must(name_valid(policy->name));
        must(import_policy_text(policy, &text, NULL) == 0);
        must(rules_policy_parse("p", text.data, text.len, &diags, &parsed) == 0);
        must(parsed.n == policy->n);
        for (size_t i = 0; i < parsed.n; i++) {
                must(streq(parsed.rules[i].id, policy->rules[i]->id));
                must(strlen(policy->name) + 1 + strlen(parsed.rules[i].id) < LSM_RULE_ID_LEN);
        }
        rules_policy_done(&parsed);
}

static void import_check(const struct import_format *format, const uint8_t *data, size_t size) {
        cleanup_import struct import im = {.format = format, .whole_node = true};
        struct err err = {};
        int r;

        must(import_parse(&im, "f", (const char *)data, size, &err) == 0);
        r = import_run(&im, &err);
        must(r == 0 || r == -EBADMSG);
        must((r < 0) == (im.diags.n_errors > 0));
        for (size_t i = 0; i < im.diags.n; i++)
                must(im.diags.items[i].line > 0 || size == 0);
        for (size_t i = 0; r == 0 && i < im.n_policies; i++)
                policy_check(im.policies[i]);
}
