/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_cover.h"

static int rank(const struct rules_rule *rule) {
        static const int ranks[] = {[LSM_RULE_DENY] = 0, [LSM_RULE_KILL] = 0, [LSM_RULE_AUDIT] = 1, [LSM_RULE_ALLOW] = 2};

        return ranks[rule->action];
}

int rules_asked_cmp(const struct rules_rule *a, const struct rules_rule *b) {
        int r = rank(a) - rank(b);

        return r != 0 ? r : (a > b) - (a < b);
}

/* Of lists that are alternatives; an empty one asks for nothing. */
static bool numbers_cover(const struct rules_numbers *a, const struct rules_numbers *b) {
        if (a->n == 0)
                return true;
        for (size_t i = 0; i < b->n; i++)
                if (!rules_numbers_have(a, b->v[i]))
                        return false;
        return b->n > 0;
}

static bool words_cover(const struct strv *a, const struct strv *b) {
        if (a->n == 0)
                return true;
        for (size_t i = 0; i < b->n; i++)
                if (!strv_has(a, b->v[i]))
                        return false;
        return b->n > 0;
}

static bool path_covered(const struct rules_paths *a, const struct path_pattern *b) {
        for (size_t i = 0; i < a->n; i++)
                if (path_pattern_covers(&a->v[i].pattern, b))
                        return true;
        return false;
}

static bool paths_cover(const struct rules_paths *a, const struct rules_paths *b) {
        if (a->n == 0)
                return true;
        for (size_t i = 0; i < b->n; i++)
                if (!path_covered(a, &b->v[i].pattern))
                        return false;
        return b->n > 0;
}

static bool answer_covers(enum rules_answer a, enum rules_answer b) {
        return a == ANSWER_ANY || a == b;
}

bool rules_subject_covers(const struct rules_subject *a, const struct rules_subject *b) {
        return answer_covers(a->host, b->host) && answer_covers(a->owner, b->owner) && numbers_cover(&a->uid, &b->uid) &&
               numbers_cover(&a->gid, &b->gid) && words_cover(&a->comm, &b->comm) && paths_cover(&a->exe, &b->exe) &&
               paths_cover(&a->parent, &b->parent);
}

static bool devices_cover(const struct rules_devices *a, const struct rules_devices *b) {
        return a->n == 0 || (b->n > 0 && rules_devices_cover(a, b));
}

bool rules_cover_tasks(const struct rules_rule *a, const struct rules_rule *b) {
        if (!numbers_cover(&a->caps, &b->caps) || !numbers_cover(&a->families, &b->families) ||
            !numbers_cover(&a->types, &b->types) || !numbers_cover(&a->protocols, &b->protocols) ||
            !numbers_cover(&a->signals, &b->signals) || !numbers_cover(&a->commands, &b->commands) ||
            !numbers_cover(&a->targets, &b->targets) || !devices_cover(&a->devices, &b->devices) || !words_cover(&a->fs, &b->fs))
                return false;
        /* Whom a lets off, b must let off, too. */
        if (a->has_unless && !(b->has_unless && rules_subject_covers(&b->unless, &a->unless)))
                return false;
        return rules_subject_covers(&a->subject, &b->subject);
}
