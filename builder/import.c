/* SPDX-License-Identifier: Apache-2.0 */
#include "import.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>

#include "fileio.h"
#include "rules_yaml.h"

/* Together with '/' and ids they stay within LSM_RULE_ID_LEN. */
#define NAME_MAX_LEN 40
#define ID_MAX_LEN 22

/* ---- what is made -------------------------------------------------------------------------------------------------------- */

static void keys_done(struct import_keys *keys) {
        for (size_t i = 0; i < keys->n; i++)
                strv_done(&keys->v[i].values);
        free(keys->v);
}

static void rule_free(struct import_rule *rule) {
        free(rule->id);
        strv_done(&rule->comments);
        keys_done(&rule->keys);
        keys_done(&rule->unless);
        free(rule);
}

static void policy_free(struct import_policy *policy) {
        for (size_t i = 0; i < policy->n; i++)
                rule_free(policy->rules[i]);
        free(policy->rules);
        free(policy->name);
        strv_done(&policy->comments);
        keys_done(&policy->denied);
        free(policy);
}

void import_done(struct import *im) {
        for (size_t i = 0; i < im->n_policies; i++)
                policy_free(im->policies[i]);
        for (size_t i = 0; i < im->n_files; i++) {
                yaml_free(im->files[i].doc);
                free(im->files[i].path);
        }
        free(im->policies);
        free(im->files);
        diags_done(&im->diags);
        *im = (struct import){};
}

/* Another of the list's things, at its end. */
static int append(void *list, size_t *n, void *item) {
        void ***v = list, **grown = reallocarray(*v, *n + 1, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        *v = grown;
        grown[(*n)++] = item;
        return 0;
}

/* A name's letters, with '-' for what is none, at most max of them; with "-NUMBER" behind when number > 1. */
static char *name_made(const char *text, size_t max, unsigned number) {
        char suffix[16] = "", *name;
        size_t n = 0;

        if (number > 1)
                snprintf(suffix, sizeof(suffix), "-%u", number);
        max -= strlen(suffix);
        name = new_array(max + strlen(suffix) + 1, 1);
        if (!name)
                return NULL;
        for (; *text && n < max; text++) {
                char c = isascii(*text) && isalnum(*text) ? (char)tolower(*text) : '-';

                if (c != '-' || (n > 0 && name[n - 1] != '-'))
                        name[n++] = c;
        }
        while (n > 0 && name[n - 1] == '-')
                n--;
        if (n == 0)
                name[n++] = 'p';
        strcpy(name + n, suffix);
        return name;
}

static bool policy_name_taken(const struct import *im, const char *name) {
        for (size_t i = 0; i < im->n_policies; i++)
                if (streq(im->policies[i]->name, name))
                        return true;
        return false;
}

struct import_policy *import_policy_new(struct import *im, struct pos pos, const char *name) {
        struct import_policy *policy = new_array(1, sizeof(*policy));

        if (!policy)
                return NULL;
        policy->pos = pos;
        for (unsigned i = 1; !policy->name || policy_name_taken(im, policy->name); i++) {
                free(policy->name);
                policy->name = name_made(name, NAME_MAX_LEN, i);
                if (!policy->name)
                        break;
        }
        if (!policy->name || append(&im->policies, &im->n_policies, policy) < 0) {
                policy_free(policy);
                return NULL;
        }
        return policy;
}

static bool id_taken(const struct import_policy *policy, const char *id) {
        if (streq(id, "default"))
                return true;
        for (size_t i = 0; i < policy->n; i++)
                if (streq(policy->rules[i]->id, id))
                        return true;
        return false;
}

struct import_rule *import_rule_new(struct import_policy *policy, struct pos pos, const char *base) {
        struct import_rule *rule = new_array(1, sizeof(*rule));

        if (!rule)
                return NULL;
        rule->pos = pos;
        for (unsigned i = 1; !rule->id || id_taken(policy, rule->id); i++) {
                free(rule->id);
                rule->id = name_made(base, ID_MAX_LEN, i);
                if (!rule->id)
                        break;
        }
        if (!rule->id || append(&policy->rules, &policy->n, rule) < 0) {
                rule_free(rule);
                return NULL;
        }
        return rule;
}

void import_rule_drop(struct import_policy *policy, struct import_rule *rule) {
        for (size_t i = 0; i < policy->n; i++) {
                if (policy->rules[i] != rule)
                        continue;
                memmove(policy->rules + i, policy->rules + i + 1, (policy->n - i - 1) * sizeof(*policy->rules));
                policy->n--;
                rule_free(rule);
                return;
        }
}

static struct import_key *key_named(struct import_keys *keys, const char *key) {
        struct import_key *v;

        for (size_t i = 0; i < keys->n; i++)
                if (streq(keys->v[i].key, key))
                        return &keys->v[i];
        v = reallocarray(keys->v, keys->n + 1, sizeof(*v));
        if (!v)
                return NULL;
        keys->v = v;
        v[keys->n] = (struct import_key){.key = key};
        return &v[keys->n++];
}

static int value_add(struct import_keys *keys, const char *key, const char *value) {
        struct import_key *k = key_named(keys, key);

        if (!k)
                return -ENOMEM;
        return strv_has(&k->values, value) ? 0 : strv_add(&k->values, value);
}

int import_rule_add(struct import_rule *rule, const char *key, const char *value) {
        return value_add(&rule->keys, key, value);
}

int import_rule_unless(struct import_rule *rule, const char *key, const char *value) {
        return value_add(&rule->unless, key, value);
}

int import_policy_deny(struct import_policy *policy, const char *op) {
        return key_named(&policy->denied, op) ? 0 : -ENOMEM;
}

int import_comment(struct strv *comments, const char *fmt, ...) {
        cleanup_free char *text = NULL;
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vasprintf(&text, fmt, ap);
        va_end(ap);
        if (n < 0) {
                text = NULL;
                return -ENOMEM;
        }
        for (char *c = text; *c; c++)
                if ((unsigned char)*c < 0x20 || *c == 0x7f)
                        *c = ' ';
        return strv_add(comments, text);
}

/* ---- paths --------------------------------------------------------------------------------------------------------------- */

char *import_path_literal(const char *text) {
        char *path = new_array(2 * strlen(text) + 1, 1), *to = path;

        for (; path && *text; text++) {
                if (strchr("*?[]{}\\", *text))
                        *to++ = '\\';
                *to++ = *text;
        }
        return path;
}

bool import_path_check(struct import *im, const struct yaml_node *node, const char *path, const char *what) {
        cleanup_path_pattern struct path_pattern pattern = {};
        struct err err = {};

        if (path_pattern_parse_at(path, strlen(path), &pattern, NULL, &err) == 0)
                return true;
        import_error(im, node->pos, "%s '%s': %s", what, node->text, err.msg);
        return false;
}

/* ---- files --------------------------------------------------------------------------------------------------------------- */

int import_parse(struct import *im, const char *path, const void *p, size_t n, struct err *err) {
        struct import_file *files = reallocarray(im->files, im->n_files + 1, sizeof(*files)), *file;
        int e;

        if (!files)
                return err_errno(err, -ENOMEM, "%s", path);
        im->files = files;
        file = &files[im->n_files];
        *file = (struct import_file){.path = strdup(path)};
        if (!file->path)
                return err_errno(err, -ENOMEM, "%s", path);
        im->n_files++;
        e = yaml_parse_all(file->path, p, n, &im->diags, &file->doc);
        return e < 0 && e != -EBADMSG ? err_errno(err, e, "%s", path) : 0;
}

int import_read(struct import *im, const char *path, struct err *err) {
        cleanup_buf struct buf text = {};
        int e = file_read(AT_FDCWD, path, YAML_FILE_MAX, &text, err);

        return e < 0 ? err_wrap(err, e, "%s", path) : import_parse(im, path, text.data, text.len, err);
}

/* ---- what came out ------------------------------------------------------------------------------------------------------- */

static const char *rule_action(const struct import_rule *rule) {
        for (size_t i = 0; i < rule->keys.n; i++)
                if (streq(rule->keys.v[i].key, "action"))
                        return rule->keys.v[i].values.v[0];
        return "";
}

static struct import_rule *rule_at(const struct import_policy *policy, const unsigned *lines, unsigned line) {
        for (size_t i = 0; i < policy->n; i++)
                if (lines[i] == line)
                        return policy->rules[i];
        return NULL;
}

/* A rule that never decides. When the one that is asked first (`by`) has the same answer, nothing is lost. */
static void dead_report(struct import *im, const struct import_rule *dead, const struct import_rule *by) {
        if (by && streq(rule_action(dead), rule_action(by)))
                import_note(im, dead->pos, "not needed: line %u says so already", by->pos.line);
        else
                import_left_out(im, dead->pos,
                                "%s, where %s in line %u is asked first: rules know no order but deny, audit, allow",
                                rule_action(dead), by ? rule_action(by) : "another", by ? by->pos.line : 0);
}

/* Findings about rules that never decide: one of those is taken away, 1. The rest is ours to answer for. */
static int findings_take(struct import *im, struct import_policy *policy, const unsigned *lines, const struct diags *found) {
        for (size_t i = 0; i < found->n; i++) {
                const struct diag *d = &found->items[i];
                struct import_rule *dead = d->severity == SEVERITY_ERROR ? rule_at(policy, lines, d->line) : NULL;
                const char *by = strstr(d->text, " in line ");

                if (dead && strstr(d->text, "never decides")) {
                        dead_report(im, dead, by ? rule_at(policy, lines, (unsigned)atoi(by + strlen(" in line "))) : NULL);
                        import_rule_drop(policy, dead);
                        return 1;
                }
        }
        for (size_t i = 0; i < found->n; i++)
                if (found->items[i].severity == SEVERITY_ERROR)
                        import_error(im, policy->pos, "what was made of it is no good: %s", found->items[i].text);
        return 0;
}

/* 1: once more; a rule was taken away. */
static int policy_check_once(struct import *im, struct import_policy *policy, struct err *err) {
        cleanup_buf struct buf text = {};
        cleanup_diags struct diags found = {};
        cleanup_free unsigned *lines = new_array(policy->n, sizeof(*lines));
        struct rules_policy parsed = {};
        int e = lines ? import_policy_text(policy, &text, lines) : -ENOMEM;

        if (e < 0)
                return err_errno(err, e, "%s", policy->name);
        e = rules_policy_parse(policy->name, text.data, text.len, &found, &parsed);
        rules_policy_done(&parsed);
        if (e < 0 && e != -EBADMSG)
                return err_errno(err, e, "%s", policy->name);
        return e == 0 ? 0 : findings_take(im, policy, lines, &found);
}

static int policies_check(struct import *im, struct err *err) {
        size_t n = 0;

        for (size_t i = 0; i < im->n_policies; i++) {
                struct import_policy *policy = im->policies[i];
                int e = policy->n > 0 || policy->denied.n > 0 ? 1 : 0;

                while (e > 0)
                        e = policy_check_once(im, policy, err);
                if (e < 0)
                        return e;
        }
        for (size_t i = 0; i < im->n_policies; i++) {
                struct import_policy *policy = im->policies[i];

                if (policy->n > 0 || policy->denied.n > 0)
                        im->policies[n++] = policy;
                else
                        policy_free(policy);
        }
        im->n_policies = n;
        return 0;
}

static size_t file_index(const struct import *im, const struct diag *d) {
        size_t i = 0;

        while (i < im->n_files && !streq(im->files[i].path, d->file))
                i++;
        return i;
}

static int diag_cmp(const void *a, const void *b, void *ctx) {
        const struct diag *x = a, *y = b;
        size_t i = file_index(ctx, x), k = file_index(ctx, y);

        if (i != k)
                return i < k ? -1 : 1;
        if (x->line != y->line)
                return x->line < y->line ? -1 : 1;
        return (x->column > y->column) - (x->column < y->column);
}

int import_run(struct import *im, struct err *err) {
        for (size_t i = 0; i < im->n_files; i++)
                for (size_t k = 0; im->files[i].doc && k < yaml_count(im->files[i].doc); k++) {
                        const struct yaml_node *root = yaml_nth(im->files[i].doc, k);
                        int e;

                        if (root->kind == YAML_SCALAR && yaml_scalar_type(root) == YAML_NULL)
                                continue;
                        e = im->format->read(im, root);
                        if (e < 0)
                                return err_errno(err, e, "%s", im->files[i].path);
                }
        if (im->diags.n_errors == 0) {
                int e = policies_check(im, err);

                if (e < 0)
                        return e;
        }
        if (im->diags.n_errors == 0 && im->n_policies > RULES_POLICIES_MAX)
                import_error(im, im->policies[RULES_POLICIES_MAX]->pos,
                             "more than %d policies: a bundle has no room for more; import them into several",
                             RULES_POLICIES_MAX);
        if (im->diags.n > 0)
                qsort_r(im->diags.items, im->diags.n, sizeof(*im->diags.items), diag_cmp, im);
        return im->diags.n_errors > 0 ? -EBADMSG : 0;
}
