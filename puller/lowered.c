/* SPDX-License-Identifier: Apache-2.0 */
#include "lowered.h"

#include <linux/types.h>
#include <stdio.h>

#include "fileio.h"
#include "lsm_abi.h"
#include "lsm_rules_abi.h"
#include "plan.h"
#include "rules_counts.h"

#define SEED_MAX (64u << 20)

void lowered_of(char *const *audit, const char *bundle, char ret[static LOWERED_MAX]) {
        size_t n = strlen(bundle), len = 0;

        ret[0] = '\0';
        for (char *const *a = audit; a && *a; a++) {
                int r;

                if (strncmp(*a, bundle, n) != 0 || (*a)[n] != '/')
                        continue;
                r = snprintf(ret + len, LOWERED_MAX - len, "%s%s", len ? " " : "", *a + n + 1);
                if (len + (size_t)r >= LOWERED_MAX) {
                        ret[len] = '\0';
                        return;
                }
                len += (size_t)r;
        }
}

bool lowered_has(const char *lowered, const char *policy) {
        size_t n = strlen(policy);

        for (const char *p = lowered; n > 0 && *p;) {
                size_t k = strcspn(p, " ");

                if (k == n && memcmp(p, policy, n) == 0)
                        return true;
                p += k + strspn(p + k, " ");
        }
        return false;
}

void lowered_apply(const char *lowered, struct manifest *m) {
        for (size_t i = 0; i < m->n_policies; i++)
                if (!m->policies[i].plain && lowered_has(lowered, m->policies[i].name))
                        m->policies[i].mode = MODE_AUDIT;
}

/* ---- what is written as rules ------------------------------------------------------------------------------------------ */

/* Records of a seed: the key, an index, and the value. */
struct set_record {
        uint32_t index;
        struct lsm_rules_set set;
} __attribute__((packed));
struct rule_record {
        uint32_t index;
        struct lsm_rules_rule_head rule;
} __attribute__((packed));

/* `record` bytes of each record: what the bundle's version has behind those is left out. */
static int records_cut(struct buf *records, size_t from, size_t to) {
        size_t n = records->len / from;

        if (records->len % from != 0)
                return -EBADMSG;
        for (size_t i = 0; i < n; i++)
                memmove(records->data + i * to, records->data + i * from, to);
        records->len = n * to;
        return 0;
}

static int seed_read(const struct manifest_policy *engine, const int *members, const char *map, size_t record, struct buf *ret,
                     struct err *err) {
        for (size_t i = 0; i < engine->n_maps; i++) {
                const struct manifest_map *m = &engine->maps[i];
                int r;

                if (!streq(m->name, map))
                        continue;
                if (m->seed < 0 && streq(map, "lsm_rules_sets")) /* all of them enforce: a seed leaves zeros out */
                        return 0;
                if (m->seed < 0)
                        break;
                r = memfd_read(members[m->seed], SEED_MAX, ret, err);
                if (r >= 0 && (m->key_size != sizeof(uint32_t) || sizeof(uint32_t) + m->value_size < record ||
                               records_cut(ret, sizeof(uint32_t) + m->value_size, record) < 0))
                        r = err_set(err, -EBADMSG, REASON_MALFORMED, "the rules' map '%s' is not one of this agent's", map);
                return r;
        }
        return err_set(err, -EBADMSG, REASON_MALFORMED, "the rules have no map '%s'", map);
}

int rules_sets_read(const struct manifest_policy *engine, const int *members, struct rules_sets *ret, struct err *err) {
        cleanup_buf struct buf sets = {}, rules = {};
        char rule_name[LSM_RULE_ID_LEN];
        int r;

        *ret = (struct rules_sets){};
        r = seed_read(engine, members, "lsm_rules_sets", sizeof(struct set_record), &sets, err);
        if (r >= 0)
                r = seed_read(engine, members, "lsm_rules_rules", sizeof(struct rule_record), &rules, err);
        if (r < 0)
                return r;
        /* What a seed leaves out is zeros: a set to be enforced. */
        for (size_t i = 0; i < RULES_SETS_MAX; i++)
                ret->list[i].enforce = true;
        for (size_t i = 0; i < sets.len / sizeof(struct set_record); i++) {
                const struct set_record *s = (const struct set_record *)sets.data + i;

                if (s->index >= RULES_SETS_MAX)
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "more sets of rules than there may be");
                ret->list[s->index].enforce = s->set.mode == LSM_MODE_ENFORCE;
        }
        for (size_t i = 0; i < rules.len / sizeof(struct rule_record); i++) {
                const struct rule_record *rule = (const struct rule_record *)rules.data + i;

                if (rule->rule.ruleset >= RULES_SETS_MAX ||
                    !rule_name_split(rule->rule.id, sizeof(rule->rule.id), ret->list[rule->rule.ruleset].policy, rule_name))
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "rule %zu of the rules' table is none", i);
                if (rule->rule.ruleset >= ret->n)
                        ret->n = rule->rule.ruleset + 1;
        }
        return 0;
}

static bool policy_known(const char *name, const struct manifest *m, const int *members) {
        for (size_t i = 0; i < m->n_policies; i++) {
                const struct manifest_policy *p = &m->policies[i];
                struct rules_sets sets;

                if (streq(p->name, name))
                        return true;
                if (!policy_is_engine(p) || rules_sets_read(p, members, &sets, NULL) < 0)
                        continue;
                for (size_t k = 0; k < sets.n; k++)
                        if (streq(sets.list[k].policy, name))
                                return true;
        }
        return false;
}

bool policies_audit(const struct manifest *m, const int *members) {
        for (size_t i = 0; i < m->n_policies; i++) {
                struct rules_sets sets;

                if (m->policies[i].mode == MODE_AUDIT)
                        return true;
                if (!policy_is_engine(&m->policies[i]) || rules_sets_read(&m->policies[i], members, &sets, NULL) < 0)
                        continue;
                for (size_t k = 0; k < sets.n; k++)
                        if (!sets.list[k].enforce)
                                return true;
        }
        return false;
}

bool lowered_unknown(const char *lowered, const struct manifest *m, const int *members, char ret[static 64]) {
        for (const char *p = lowered; *p;) {
                size_t k = strcspn(p, " ");

                snprintf(ret, 64, "%.*s", (int)k, p);
                if (!policy_known(ret, m, members))
                        return true;
                p += k + strspn(p + k, " ");
        }
        return false;
}
