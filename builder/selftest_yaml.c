/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest_yaml.h"

#include <fcntl.h>

#include "fileio.h"
#include "selftest.h"
#include "selftest_cover.h"
#include "yaml_json.h"

void selftest_set_done(struct selftest_set *s) {
        buf_done(&s->json);
        *s = (struct selftest_set){};
}

static const struct yaml_node *value_of(const struct yaml_node *map, const char *key) {
        for (size_t i = 0; map && map->kind == YAML_MAP && i < map->n; i++)
                if (streq(map->keys[i]->text, key))
                        return map->items[i];
        return NULL;
}

struct sources_of_scopes {
        const struct bundle_source *bundle;
        const struct rules_set *rules;
};

/* NULL: rules that cannot be read, of which enough was said. */
static const struct scope *scope_of(const struct policy_source *policy, const struct rules_set *rules) {
        if (!policy->rules)
                return &policy->scope;
        for (size_t i = 0; i < rules->n; i++)
                if (rules->policies[i].source == policy)
                        return rules_policy_scope(&rules->policies[i]);
        return NULL;
}

/* `as: {scope: POLICY}`: in a scope that there is. */
static void scope_check(const struct selftest *test, const struct yaml_node *node, const struct sources_of_scopes *s,
                        struct diags *diags) {
        const struct yaml_node *place = value_of(value_of(node, "as"), "scope");

        if (!*test->as.scope)
                return;
        for (size_t i = 0; i < s->bundle->n_policies; i++) {
                const struct policy_source *policy = &s->bundle->policies[i];
                const struct scope *scope;

                if (!policy->name || !streq(policy->name, test->as.scope))
                        continue;
                scope = scope_of(policy, s->rules);
                if (scope && !scope->key)
                        diag_error(diags, place->pos, "'%s': the policy '%s' has no scope: it is in force everywhere", test->name,
                                   test->as.scope);
                return;
        }
        diag_error(diags, place->pos, "'%s': the bundle has no policy '%s', in whose scope the test could be", test->name,
                   test->as.scope);
}

/* Appends one test to the array when it is right. */
static int test_add(const struct yaml_node *node, const struct sources_of_scopes *scopes, json_t *tests, struct selftest_set *set,
                    struct diags *diags) {
        cleanup_selftest struct selftest test = {};
        cleanup_buf struct buf text = {};
        cleanup_json json_t *json = NULL;
        struct err err = {};
        int e = yaml_to_json(node, diags, &json);

        if (e == 0)
                e = json_canonical(json, &text, NULL);
        if (e < 0)
                return e == -EBADMSG ? 0 : e;
        e = selftest_parse(text.data, text.len, &test, &err);
        if (e == -ENOMEM)
                return e;
        if (e < 0) {
                diag_error(diags, node->pos, "%s", err.msg);
                return 0;
        }
        scope_check(&test, node, scopes, diags);
        set->n++;
        *(test.expect != 0 ? &set->denials : &set->allowances) |= selftest_rule_ops(&test);
        set->n_denials += test.expect != 0;
        set->n_allowances += test.expect == 0;
        return json_array_append(tests, json) < 0 ? -ENOMEM : 0;
}

static int file_add(const char *path, const char *shown, const struct sources_of_scopes *scopes, json_t *tests,
                    struct selftest_set *set, struct diags *diags, struct err *err) {
        cleanup_yaml struct yaml_doc *doc = NULL;
        cleanup_buf struct buf text = {};
        const struct yaml_node *root;
        int e = file_read(AT_FDCWD, path, YAML_FILE_MAX, &text, err);

        if (e < 0)
                return e;
        e = yaml_parse(shown, text.data, text.len, diags, &doc);
        if (e < 0)
                return e == -EBADMSG ? 0 : err_errno(err, e, "'%s'", shown);
        root = yaml_root(doc);
        if (root->kind != YAML_LIST) {
                diag_error(diags, root->pos, "a file of self-tests is a list of tests, not %s", yaml_describe(root));
                return 0;
        }
        for (size_t i = 0; i < root->n; i++) {
                e = test_add(root->items[i], scopes, tests, set, diags);
                if (e < 0)
                        return err_errno(err, e, "'%s'", shown);
        }
        return 0;
}

/* What no test shows alone: their number, names that repeat. */
static int whole_check(const struct buf *json, const struct bundle_source *bundle, struct diags *diags) {
        cleanup_selftests struct selftests tests = {};
        struct err err = {};
        int e = selftests_parse(json->data, json->len, &tests, &err);

        if (e == -ENOMEM)
                return e;
        if (e < 0)
                diag_error(diags, (struct pos){bundle->selftests_shown.n > 0 ? bundle->selftests_shown.v[0] : bundle->start.file},
                           "%s", err.msg);
        return 0;
}

int selftest_set_load(const struct bundle_source *bundle, const struct rules_set *rules, struct diags *diags,
                      struct selftest_set *ret, struct err *err) {
        cleanup_selftest_set struct selftest_set set = {};
        cleanup_json json_t *doc = NULL;
        const struct sources_of_scopes scopes = {bundle, rules};
        size_t before = diags->n_errors;
        json_t *tests = json_array();
        int e = 0;

        doc = json_pack("{s:s, s:i, s:o}", "_type", SELFTESTS_TYPE, "format", 1, "tests", tests);
        if (!doc)
                return err_errno(err, -ENOMEM, "self-tests");
        for (size_t i = 0; i < bundle->selftests.n; i++) {
                e = file_add(bundle->selftests.v[i], bundle->selftests_shown.v[i], &scopes, tests, &set, diags, err);
                if (e < 0)
                        return e;
        }
        if (diags->n_errors > before)
                return -EBADMSG;
        e = json_canonical(doc, &set.json, err);
        if (e == 0)
                e = whole_check(&set.json, bundle, diags);
        if (e < 0)
                return err_errno(err, e, "self-tests");
        if (diags->n_errors > before)
                return -EBADMSG;
        *ret = set;
        set = (struct selftest_set){};
        return 0;
}
