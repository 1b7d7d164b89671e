/* SPDX-License-Identifier: Apache-2.0 */
#include "lint.h"

#include "selftest_cover.h"

void sources_done(struct sources *s) {
        rules_set_done(&s->rules);
        selftest_set_done(&s->selftests);
        bundle_source_free(s->bundle);
        *s = (struct sources){};
}

/* A policy that denies is worth a test that it does, and one that it does not deny everything. */
static void warn_selftests(const struct sources *s, struct diags *diags) {
        struct pos pos = s->bundle->start;
        size_t n_enforcing = 0;

        for (size_t i = 0; i < s->bundle->n_policies; i++)
                n_enforcing += s->bundle->policies[i].mode == MODE_ENFORCE;
        if (n_enforcing == 0)
                return;
        if (s->selftests.n_denials == 0)
                diag_warning(diags, pos, "no self-test expects a denial: a node cannot tell whether the policies work");
        else if (s->selftests.n_denials < n_enforcing)
                diag_warning(diags, pos, "%zu policies enforce, but %zu self-test%s a denial: each should have one", n_enforcing,
                             s->selftests.n_denials, s->selftests.n_denials == 1 ? " expects" : "s expect");
        if (s->selftests.n_allowances == 0)
                diag_warning(diags, pos, "no self-test expects \"ok\": a node cannot tell whether the policies deny too much");
        else if (s->selftests.n_allowances < n_enforcing)
                diag_warning(diags, pos, "%zu policies enforce, but %zu self-test%s \"ok\": each should have one", n_enforcing,
                             s->selftests.n_allowances, s->selftests.n_allowances == 1 ? " expects" : "s expect");
}

/* Tests of a bundle's other policies say nothing of this one: some must try what its own rules deny. */
static void warn_untried(const struct sources *s, struct diags *diags) {
        for (size_t i = 0; i < s->rules.n; i++) {
                const struct rules_policy *policy = &s->rules.policies[i];
                uint64_t denied = rules_denied_ops(policy);
                char words[512];

                if (policy->source->mode != MODE_ENFORCE || denied == 0)
                        continue;
                rules_ops_show(denied, words, sizeof(words));
                if (s->selftests.n_denials > 0 && !(s->selftests.denials & denied))
                        diag_warning(diags, policy->source->pos, "no self-test expects a denial of what '%s' denies: %s",
                                     policy->source->name, words);
                if (s->selftests.n_allowances > 0 && !(s->selftests.allowances & denied))
                        diag_warning(diags, policy->source->pos, "no self-test expects \"ok\" of what '%s' denies to some: %s",
                                     policy->source->name, words);
        }
}

int sources_load(const char *dir, struct diags *diags, struct sources *ret, struct err *err) {
        cleanup_sources struct sources s = {};
        size_t before = diags->n_errors;
        int e = bundle_source_load(dir, diags, &s.bundle, err);

        if (e < 0 && e != -EBADMSG)
                return e;
        if (!s.bundle)
                return -EBADMSG;
        e = rules_set_load(s.bundle, diags, &s.rules, err);
        if (e < 0 && e != -EBADMSG)
                return e;
        e = selftest_set_load(s.bundle, &s.rules, diags, &s.selftests, err);
        if (e < 0 && e != -EBADMSG)
                return e;
        if (diags->n_errors > before)
                return -EBADMSG;
        warn_selftests(&s, diags);
        warn_untried(&s, diags);
        *ret = s;
        s = (struct sources){};
        return 0;
}
