/* SPDX-License-Identifier: Apache-2.0 */
#include "bundle_yaml.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "fields.h"
#include "fileio.h"
#include "json.h"
#include "path.h"

/* A policy while it is read. */
struct policy_reader {
        struct bundle_source *bundle;
        struct policy_source *policy;
        bool has_source;
};

static void policy_done(struct policy_source *p) {
        scope_done(&p->scope);
        free(p->name);
        free(p->path);
        free(p->shown);
}

void bundle_source_free(struct bundle_source *b) {
        if (!b)
                return;
        for (size_t i = 0; i < b->n_policies; i++)
                policy_done(&b->policies[i]);
        free(b->policies);
        free(b->dir);
        free(b->file);
        free(b->name);
        free(b->version);
        strv_done(&b->selftests);
        strv_done(&b->selftests_shown);
        yaml_free(b->doc);
        free(b);
}

static void no_memory(struct pos pos, struct diags *diags) {
        diag_error(diags, pos, "out of memory");
}

static void text_copy(char **to, const char *text, struct pos pos, struct diags *diags) {
        *to = strdup(text);
        if (!*to)
                no_memory(pos, diags);
}

/* The absolute path of a file that bundle.yaml names, and the same for messages. */
static bool file_named(const struct bundle_source *b, const struct yaml_node *value, const char *key, char **ret_path,
                       char **ret_shown, struct diags *diags) {
        const char *text = field_text(value, key, diags);
        cleanup_free char *joined = text ? path_join(b->dir, text) : NULL, *path = joined ? path_normal(joined) : NULL;
        cleanup_free char *shown = path ? path_shown(path) : NULL;
        struct stat st;

        if (!text)
                return false;
        if (!shown) {
                no_memory(value->pos, diags);
                return false;
        }
        if (stat(path, &st) < 0) {
                diag_error(diags, value->pos, "'%s': %s", text, strerror(errno));
                return false;
        }
        if (!S_ISREG(st.st_mode)) {
                diag_error(diags, value->pos, "'%s' is not a regular file", text);
                return false;
        }
        *ret_path = steal_pointer(path);
        *ret_shown = steal_pointer(shown);
        return true;
}

/* ---- a policy ------------------------------------------------------------------------------------------------------ */

static void read_policy_name(void *into, const struct yaml_node *value, struct diags *diags) {
        struct policy_reader *r = into;
        const char *text = field_text(value, "name", diags);

        if (!text)
                return;
        if (!name_valid(text))
                diag_error(diags, value->pos, "'%s' is not a name: [a-z0-9][a-z0-9-]{0,62}", text);
        for (size_t i = 0; i < r->bundle->n_policies; i++)
                if (r->bundle->policies[i].name && streq(r->bundle->policies[i].name, text))
                        diag_error(diags, value->pos, "there are two policies '%s'", text);
        text_copy(&r->policy->name, text, value->pos, diags);
}

static void read_source(void *into, const struct yaml_node *value, struct diags *diags) {
        struct policy_reader *r = into;

        r->has_source = true;
        if (!r->policy->rules)
                file_named(r->bundle, value, "source", &r->policy->path, &r->policy->shown, diags);
}

static void read_mode(void *into, const struct yaml_node *value, struct diags *diags) {
        struct policy_reader *r = into;
        const char *text = field_text(value, "mode", diags);

        if (!text)
                return;
        if (!streq(text, "enforce") && !streq(text, "audit"))
                diag_error(diags, value->pos, "mode '%s': it is enforce or audit", text);
        r->policy->mode = streq(text, "audit") ? MODE_AUDIT : MODE_ENFORCE;
}

static void read_plain(void *into, const struct yaml_node *value, struct diags *diags) {
        struct policy_reader *r = into;

        if (value->kind != YAML_SCALAR || yaml_scalar_type(value) != YAML_BOOL)
                diag_error(diags, value->pos, "'plain' is true or false, not %s", yaml_describe(value));
        else
                r->policy->plain = yaml_is_true(value);
}

static void read_seeds(void *into, const struct yaml_node *value, struct diags *diags) {
        struct policy_reader *r = into;

        if (value->kind != YAML_MAP)
                diag_error(diags, value->pos, "'seeds' is a mapping from the names of maps, not %s", yaml_describe(value));
        else
                r->policy->seeds = value;
}

static void read_rules(void *into, const struct yaml_node *value, struct diags *diags) {
        struct policy_reader *r = into;

        r->policy->rules = true;
        if (!r->has_source)
                file_named(r->bundle, value, "rules", &r->policy->path, &r->policy->shown, diags);
}

static void read_scope(void *into, const struct yaml_node *value, struct diags *diags) {
        struct policy_reader *r = into;

        scope_read(value, &r->policy->scope, diags);
}

static void read_policy(struct bundle_source *b, const struct yaml_node *node, struct diags *diags) {
        static const struct field fields[] = {
                {"name", true, read_policy_name}, {"source", false, read_source}, {"rules", false, read_rules},
                {"mode", false, read_mode},       {"plain", false, read_plain},   {"scope", false, read_scope},
                {"seeds", false, read_seeds},
        };
        struct policy_source *policy = &b->policies[b->n_policies];
        struct policy_reader r = {b, policy};
        size_t before = diags->n_errors;

        policy->pos = node->pos;
        fields_read(node, fields, ARRAY_SIZE(fields), "a policy", &r, diags);
        b->n_policies++;
        if (policy->plain && policy->scope.key)
                diag_error(diags, policy->scope.pos, "a plain policy cannot have a scope: it does not ask where it is in force");
        if (policy->plain && policy->mode != MODE_ENFORCE)
                diag_error(diags, node->pos, "a plain policy can only enforce: it does not know of audit mode");
        if (r.has_source && policy->rules)
                diag_error(diags, node->pos, "a policy has 'source' or 'rules', not both");
        if (policy->rules && (policy->plain || policy->seeds))
                diag_error(diags, node->pos, "'%s' is for policies in C: this one has rules", policy->plain ? "plain" : "seeds");
        if (!policy->path && diags->n_errors == before)
                diag_error(diags, node->pos, "a policy has no 'source', and no 'rules'");
}

/* All rules together become one more policy. */
static void check_rules_policy(const struct bundle_source *b, struct diags *diags) {
        const struct policy_source *taken = NULL;
        bool rules = false;

        for (size_t i = 0; i < b->n_policies; i++) {
                const struct policy_source *p = &b->policies[i];

                rules = rules || p->rules;
                if (!p->rules && p->name && streq(p->name, RULES_POLICY))
                        taken = p;
        }
        if (rules && taken)
                diag_error(diags, taken->pos, "the name '" RULES_POLICY "' is taken: it is what the rules of a bundle become");
}

/* ---- the bundle ---------------------------------------------------------------------------------------------------- */

static void read_api_version(void *into, const struct yaml_node *value, struct diags *diags) {
        const char *text = field_text(value, "apiVersion", diags);

        if (text && !streq(text, "lsmbundle/v1"))
                diag_error(diags, value->pos, "apiVersion '%s': this version knows lsmbundle/v1", text);
}

static void read_name(void *into, const struct yaml_node *value, struct diags *diags) {
        struct bundle_source *b = into;
        const char *text = field_text(value, "name", diags);

        if (text && !name_valid(text))
                diag_error(diags, value->pos, "'%s' is not a name: [a-z0-9][a-z0-9-]{0,62}", text);
        if (text)
                text_copy(&b->name, text, value->pos, diags);
}

static void read_version(void *into, const struct yaml_node *value, struct diags *diags) {
        struct bundle_source *b = into;
        const char *text = field_text(value, "version", diags);

        if (text && !version_valid(text))
                diag_error(diags, value->pos, "'%s' is not a semantic version: MAJOR.MINOR.PATCH", text);
        if (text)
                text_copy(&b->version, text, value->pos, diags);
}

static void read_release(void *into, const struct yaml_node *value, struct diags *diags) {
        struct bundle_source *b = into;
        bool negative = false;
        uint64_t v = 0;

        if (value->kind != YAML_SCALAR || yaml_scalar_type(value) != YAML_INT || yaml_int(value, &negative, &v) < 0 || negative ||
            v == 0 || v > JSON_INT_MAX)
                diag_error(diags, value->pos,
                           "'release' is a whole number from 1 to 2^53 - 1 that grows with every published release");
        else
                b->release = v;
}

static void read_policies(void *into, const struct yaml_node *value, struct diags *diags) {
        struct bundle_source *b = into;

        if (value->kind != YAML_LIST || value->n == 0) {
                diag_error(diags, value->pos, "'policies' is a list of at least one policy");
                return;
        }
        b->policies = new_array(value->n, sizeof(*b->policies));
        if (!b->policies) {
                no_memory(value->pos, diags);
                return;
        }
        for (size_t i = 0; i < value->n; i++)
                read_policy(b, value->items[i], diags);
        check_rules_policy(b, diags);
}

static void read_selftests(void *into, const struct yaml_node *value, struct diags *diags) {
        struct bundle_source *b = into;

        if (value->kind != YAML_LIST) {
                diag_error(diags, value->pos, "'selftests' is a list of files, not %s", yaml_describe(value));
                return;
        }
        for (size_t i = 0; i < value->n; i++) {
                cleanup_free char *path = NULL, *shown = NULL;

                if (!file_named(b, value->items[i], "selftests", &path, &shown, diags))
                        continue;
                if (strv_has(&b->selftests, path))
                        diag_error(diags, value->items[i]->pos, "'%s' is there twice", value->items[i]->text);
                else if (strv_add(&b->selftests, path) < 0 || strv_add(&b->selftests_shown, shown) < 0)
                        no_memory(value->pos, diags);
        }
}

static void bundle_read(struct bundle_source *b, struct diags *diags) {
        static const struct field fields[] = {
                {"apiVersion", true, read_api_version}, {"name", true, read_name},         {"version", true, read_version},
                {"release", false, read_release},       {"policies", true, read_policies}, {"selftests", false, read_selftests},
        };
        const struct yaml_node *root = yaml_root(b->doc);

        b->start = root->pos;
        fields_read(root, fields, ARRAY_SIZE(fields), "a bundle", b, diags);
}

int bundle_source_load(const char *dir, struct diags *diags, struct bundle_source **ret, struct err *err) {
        cleanup_bundle_source struct bundle_source *b = new_array(1, sizeof(*b));
        cleanup_free char *file = path_join(dir, BUNDLE_YAML);
        cleanup_buf struct buf text = {};
        size_t before = diags->n_errors;
        int e;

        if (!b || !file)
                return err_errno(err, -ENOMEM, BUNDLE_YAML);
        b->dir = realpath(dir, NULL);
        if (!b->dir)
                return err_errno(err, -errno, "cannot find the bundle's directory '%s'", dir);
        b->file = path_join(b->dir, BUNDLE_YAML);
        if (!b->file)
                return err_errno(err, -ENOMEM, BUNDLE_YAML);
        e = file_read(AT_FDCWD, b->file, YAML_FILE_MAX, &text, err);
        if (e < 0)
                return e;
        e = yaml_parse(file, text.data, text.len, diags, &b->doc);
        if (e < 0)
                return e == -EBADMSG ? e : err_errno(err, e, "'%s'", file);
        bundle_read(b, diags);
        *ret = steal_pointer(b);
        return diags->n_errors > before ? -EBADMSG : 0;
}
