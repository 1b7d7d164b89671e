/* SPDX-License-Identifier: Apache-2.0 */
/* Policies that are lowered to audit on a node: those that are named, and no others; of what is written as rules, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <linux/types.h>

#include "fileio.h"
#include "lowered.h"
#include "lsm_abi.h"
#include "lsm_rules_abi.h"
#include "util.h"

static void names_of_a_bundle(void **state) {
        char names[][8] = {"web/a", "webs/b", "web/c-d", "we/b"}, *audit[] = {names[0], names[1], names[2], names[3], NULL};
        char lowered[LOWERED_MAX];

        lowered_of(audit, "web", lowered);
        assert_string_equal(lowered, "a c-d");
        lowered_of(audit, "w", lowered);
        assert_string_equal(lowered, "");
        lowered_of(NULL, "web", lowered);
        assert_string_equal(lowered, "");
        assert_true(lowered_has("a c-d", "a"));
        assert_true(lowered_has("a c-d", "c-d"));
        assert_false(lowered_has("a c-d", "c"));
        assert_false(lowered_has("a c-d", "a c-d"));
        assert_false(lowered_has("a c-d", ""));
        assert_false(lowered_has("", "a"));
}

/* As many as the configuration takes, of the greatest length. */
static void all_of_them_fit(void **state) {
        char names[64][200], *audit[65], lowered[LOWERED_MAX];

        for (int i = 0; i < 64; i++) {
                snprintf(names[i], sizeof(names[i]), "b/%063d", i);
                audit[i] = names[i];
        }
        audit[64] = NULL;
        lowered_of(audit, "b", lowered);
        for (int i = 0; i < 64; i++)
                assert_true(lowered_has(lowered, names[i] + 2));
}

static void modes_only_go_down(void **state) {
        struct manifest_policy policies[] = {
                {.name = (char *)"a", .mode = MODE_ENFORCE},
                {.name = (char *)"b", .mode = MODE_ENFORCE},
                {.name = (char *)"c", .mode = MODE_AUDIT},
                {.name = (char *)"d", .mode = MODE_ENFORCE, .plain = true},
        };
        struct manifest m = {.policies = policies, .n_policies = ARRAY_SIZE(policies)};

        lowered_apply("a c d x", &m);
        assert_int_equal(policies[0].mode, MODE_AUDIT);
        assert_int_equal(policies[1].mode, MODE_ENFORCE);
        assert_int_equal(policies[2].mode, MODE_AUDIT);
        assert_int_equal(policies[3].mode, MODE_ENFORCE); /* nothing can be done about it */
        lowered_apply("", &m);
        assert_int_equal(policies[0].mode, MODE_AUDIT);
}

/* ---- what is written as rules ------------------------------------------------------------------------------------------ */

struct set_record {
        uint32_t index;
        struct lsm_rules_set set;
} __attribute__((packed));
struct rule_record {
        uint32_t index;
        struct lsm_rules_rule rule;
} __attribute__((packed));

static struct set_record sets[] = {{1, {.mode = LSM_MODE_AUDIT}}}; /* zeros are left out */

static struct rule_record rules[] = {
        {0, {.ruleset = 2, .id = "paths/default"}},
        {1, {.ruleset = 0, .id = "keys/ssh"}},
        {2, {.ruleset = 1, .id = "raw/a"}},
        {3, {.ruleset = 0, .id = "keys/tls"}},
};

static struct manifest_map maps[] = {
        {.name = (char *)"lsm_rules_sets", .key_size = 4, .value_size = sizeof(struct lsm_rules_set), .seed = 0},
        {.name = (char *)"lsm_rules_rules", .key_size = 4, .value_size = sizeof(struct lsm_rules_rule), .seed = 1},
        {.name = (char *)"lsm_rules_roots", .seed = -1},
};
static struct manifest_policy engine = {.name = (char *)"rules", .maps = maps, .n_maps = ARRAY_SIZE(maps), .mode = MODE_ENFORCE};

static void members_make(size_t sets_size, size_t rules_size, int ret[static 2]) {
        ret[0] = memfd_sealed("sets", (const char *)sets, sets_size, NULL);
        ret[1] = memfd_sealed("rules", (const char *)rules, rules_size, NULL);
        assert_true(ret[0] >= 0 && ret[1] >= 0);
}

static int sets_read(size_t sets_size, size_t rules_size, struct rules_sets *ret, struct err *err) {
        int members[2], r;

        members_make(sets_size, rules_size, members);
        r = rules_sets_read(&engine, members, ret, err);
        close(members[0]);
        close(members[1]);
        return r;
}

static void policies_of_rules(void **state) {
        struct rules_sets got;
        struct err err = {};

        if (sets_read(sizeof(sets), sizeof(rules), &got, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(got.n, 3);
        assert_string_equal(got.list[0].policy, "keys");
        assert_string_equal(got.list[1].policy, "raw");
        assert_string_equal(got.list[2].policy, "paths");
        assert_true(got.list[0].enforce && !got.list[1].enforce && got.list[2].enforce);
}

/* What another version has behind that is not looked at. */
static void rules_of_another_version(void **state) {
        struct {
                uint32_t index;
                struct lsm_rules_rule_head head;
                char more[7];
        } __attribute__((packed)) longer[] = {{0, {.ruleset = 1, .id = "b/one"}, "more"}, {1, {.id = "a/two"}, "behind"}};
        uint32_t kept = maps[1].value_size;
        int members[] = {memfd_sealed("sets", (const char *)sets, sizeof(sets), NULL),
                         memfd_sealed("rules", (const char *)longer, sizeof(longer), NULL)};
        struct rules_sets got;
        struct err err = {};

        maps[1].value_size = sizeof(longer[0]) - sizeof(uint32_t);
        assert_int_equal(rules_sets_read(&engine, members, &got, &err), 0);
        assert_int_equal(got.n, 2);
        assert_string_equal(got.list[0].policy, "a");
        assert_string_equal(got.list[1].policy, "b");
        maps[1].value_size = sizeof(struct lsm_rules_rule_head) - 1; /* there is less than that */
        assert_int_equal(rules_sets_read(&engine, members, &got, &err), -EBADMSG);
        maps[1].value_size = kept;
        close(members[0]);
        close(members[1]);
}

static void some_policy_audits(void **state) {
        struct manifest_policy policies[] = {{.name = (char *)"c", .mode = MODE_ENFORCE}, engine};
        struct manifest in_c = {.policies = policies, .n_policies = 1}, both = {.policies = policies, .n_policies = 2};
        int members[2];

        members_make(sizeof(sets), sizeof(rules), members);
        assert_false(policies_audit(&in_c, members));
        assert_true(policies_audit(&both, members)); /* one of those that are written as rules */
        close(members[0]);
        close(members[1]);
        members_make(0, sizeof(rules), members); /* all of them are enforced */
        assert_false(policies_audit(&both, members));
        policies[0].mode = MODE_AUDIT;
        assert_true(policies_audit(&in_c, members));
        close(members[0]);
        close(members[1]);
}

static void tables_that_are_none(void **state) {
        struct rule_record *rule = &rules[1];
        const struct rule_record kept = *rule;
        struct rules_sets got;
        struct err err = {};

        assert_int_equal(sets_read(sizeof(sets) - 1, sizeof(rules), &got, &err), -EBADMSG);
        assert_int_equal(sets_read(sizeof(sets), sizeof(rules) - 4, &got, &err), -EBADMSG);
        rule->rule.ruleset = RULES_SETS_MAX;
        assert_int_equal(sets_read(sizeof(sets), sizeof(rules), &got, &err), -EBADMSG);
        *rule = kept;
        memset(rule->rule.id, 'a', sizeof(rule->rule.id));
        assert_int_equal(sets_read(sizeof(sets), sizeof(rules), &got, &err), -EBADMSG);
        *rule = kept;
        sets[0].index = RULES_SETS_MAX;
        assert_int_equal(sets_read(sizeof(sets), sizeof(rules), &got, &err), -EBADMSG);
        sets[0].index = 1;
        maps[0].value_size++;
        assert_int_equal(sets_read(sizeof(sets), sizeof(rules), &got, &err), -EBADMSG);
        maps[0].value_size--;
        maps[0].seed = -1; /* sets that all enforce: there is nothing to be read */
        assert_int_equal(sets_read(sizeof(sets), sizeof(rules), &got, &err), 0);
        assert_true(got.n == 3 && got.list[0].enforce && got.list[1].enforce && got.list[2].enforce);
        maps[0].seed = 0;
        maps[1].seed = -1;
        assert_int_equal(sets_read(sizeof(sets), sizeof(rules), &got, &err), -EBADMSG);
        maps[1].seed = 1;
        assert_int_equal(sets_read(sizeof(sets), sizeof(rules), &got, &err), 0);
}

static void names_that_the_release_has_not(void **state) {
        struct manifest_policy policies[] = {{.name = (char *)"a", .mode = MODE_ENFORCE}, engine};
        struct manifest m = {.policies = policies, .n_policies = ARRAY_SIZE(policies)};
        char unknown[64];
        int members[2];

        members_make(sizeof(sets), sizeof(rules), members);
        assert_false(lowered_unknown("", &m, members, unknown));
        assert_false(lowered_unknown("a rules paths", &m, members, unknown));
        assert_true(lowered_unknown("a pahts keys", &m, members, unknown));
        assert_string_equal(unknown, "pahts");
        close(members[0]);
        close(members[1]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_of_a_bundle),        cmocka_unit_test(all_of_them_fit),
                cmocka_unit_test(modes_only_go_down),       cmocka_unit_test(policies_of_rules),
                cmocka_unit_test(rules_of_another_version), cmocka_unit_test(some_policy_audits),
                cmocka_unit_test(tables_that_are_none),     cmocka_unit_test(names_that_the_release_has_not),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
