/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a rule's keys. One value may stand for a list of one. */
#include "fields.h"
#include "rules_yaml.h"
#include "selftest.h"

#define COMM_MAX 15

struct rules_items rules_items_of(const struct yaml_node *const *value, const char *key, struct diags *diags) {
        if ((*value)->kind == YAML_MAP)
                diag_error(diags, (*value)->pos, "'%s' is a value or a list of them, not a mapping", key);
        else if ((*value)->kind == YAML_LIST && (*value)->n == 0)
                diag_error(diags, (*value)->pos, "'%s' is an empty list: leave it out", key);
        if ((*value)->kind == YAML_MAP)
                return (struct rules_items){};
        if ((*value)->kind == YAML_LIST)
                return (struct rules_items){(const struct yaml_node *const *)(*value)->items, (*value)->n};
        return (struct rules_items){value, 1};
}

static void no_memory(const struct yaml_node *node, struct diags *diags) {
        diag_error(diags, node->pos, "out of memory");
}

static void said_twice(const struct yaml_node *node, const char *key, struct diags *diags) {
        diag_error(diags, node->pos, "'%s': '%s' is there twice", key, node->text);
}

/* ---- numbers ------------------------------------------------------------------------------------------------------- */

static int number_cmp(const void *a, const void *b) {
        uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

        return (x > y) - (x < y);
}

bool rules_numbers_have(const struct rules_numbers *numbers, uint32_t number) {
        return bsearch(&number, numbers->v, numbers->n, sizeof(number), number_cmp) != NULL;
}

static void number_add(struct rules_numbers *numbers, uint32_t number, const struct yaml_node *node, const char *key,
                       struct diags *diags) {
        for (size_t i = 0; i < numbers->n; i++)
                if (numbers->v[i] == number) {
                        said_twice(node, key, diags);
                        return;
                }
        numbers->v[numbers->n++] = number;
}

static bool is_number(const struct yaml_node *node, uint32_t max, uint32_t *ret) {
        bool negative = false;
        uint64_t v = 0;

        if (yaml_int(node, &negative, &v) < 0 || negative || v > max)
                return false;
        *ret = (uint32_t)v;
        return true;
}

/* A word of `named`, or a number of at most max. */
static bool word_or_number(const struct yaml_node *node, const char *key, int (*named)(const char *), uint32_t max, uint32_t *ret,
                           struct diags *diags) {
        int number;

        if (node->kind == YAML_SCALAR && yaml_scalar_type(node) == YAML_INT) {
                if (is_number(node, max, ret))
                        return true;
                diag_error(diags, node->pos, "'%s': %s is not a whole number from 0 to %u", key, node->text, max);
                return false;
        }
        if (!field_text(node, key, diags))
                return false;
        number = named(node->text);
        if (number < 0)
                diag_error(diags, node->pos, "'%s': '%s' is not known here; its number can be written instead", key, node->text);
        else
                *ret = (uint32_t)number;
        return number >= 0;
}

bool rules_value_numbers(const struct yaml_node *value, const char *key, int (*named)(const char *), uint32_t max,
                         struct rules_numbers *ret, struct diags *diags) {
        struct rules_items items = rules_items_of(&value, key, diags);

        ret->v = new_array(items.n, sizeof(*ret->v));
        if (!ret->v) {
                no_memory(value, diags);
                return false;
        }
        for (size_t i = 0; i < items.n; i++) {
                uint32_t number;

                if (word_or_number(items.v[i], key, named, max, &number, diags))
                        number_add(ret, number, items.v[i], key, diags);
        }
        qsort(ret->v, ret->n, sizeof(*ret->v), number_cmp);
        return ret->n > 0;
}

/* Names are not looked up: they may be somebody else's on the node. */
static bool id_read(const struct yaml_node *node, const char *key, uint32_t *ret, struct diags *diags) {
        enum yaml_type type = node->kind == YAML_SCALAR ? yaml_scalar_type(node) : YAML_NULL;

        if (type == YAML_STRING) {
                diag_error(diags, node->pos,
                           "'%s': '%s' is a name, and names may stand for others on a node than here: write the number", key,
                           node->text);
                return false;
        }
        /* The highest number means nobody. */
        if (type == YAML_INT && is_number(node, UINT32_MAX - 1, ret))
                return true;
        diag_error(diags, node->pos, "'%s': a whole number from 0 to %u is expected, not %s", key, UINT32_MAX - 1,
                   type == YAML_INT ? node->text : yaml_describe(node));
        return false;
}

bool rules_value_ids(const struct yaml_node *value, const char *key, struct rules_numbers *ret, struct diags *diags) {
        struct rules_items items = rules_items_of(&value, key, diags);

        ret->v = new_array(items.n, sizeof(*ret->v));
        if (!ret->v) {
                no_memory(value, diags);
                return false;
        }
        for (size_t i = 0; i < items.n; i++) {
                uint32_t number;

                if (id_read(items.v[i], key, &number, diags))
                        number_add(ret, number, items.v[i], key, diags);
        }
        qsort(ret->v, ret->n, sizeof(*ret->v), number_cmp);
        return ret->n > 0;
}

const char *rules_path_text(const struct rules_path *path) {
        return path->written ?: path->pattern.text;
}

bool rules_path_same_value(const struct rules_path *a, const struct rules_path *b) {
        return a->pos.line == b->pos.line && a->pos.column == b->pos.column;
}

/* ---- texts --------------------------------------------------------------------------------------------------------- */

static int path_cmp(const void *a, const void *b) {
        const struct rules_path *x = *(const struct rules_path *const *)a, *y = *(const struct rules_path *const *)b;
        int r = strcmp(x->pattern.text, y->pattern.text);

        return r != 0 ? r : (x > y) - (x < y);
}

/* There may be thousands. */
void rules_paths_check_twice(const struct rules_paths *paths, const char *key, const struct yaml_node *value,
                             struct diags *diags) {
        const struct rules_path *reported = NULL;
        cleanup_free const struct rules_path **sorted = new_array(paths->n, sizeof(*sorted));

        if (!sorted) {
                no_memory(value, diags);
                return;
        }
        for (size_t i = 0; i < paths->n; i++)
                sorted[i] = &paths->v[i];
        qsort(sorted, paths->n, sizeof(*sorted), path_cmp);
        for (size_t i = 1; i < paths->n; i++) {
                if (!streq(sorted[i - 1]->pattern.text, sorted[i]->pattern.text))
                        continue;
                if (!reported || !rules_path_same_value(reported, sorted[i]))
                        diag_error(diags, sorted[i]->pos, "'%s': '%s' is there twice", key, rules_path_text(sorted[i]));
                reported = sorted[i];
        }
}

bool rules_value_paths(const struct yaml_node *value, const char *key, struct rules_paths *ret, struct diags *diags) {
        struct rules_items items = rules_items_of(&value, key, diags);

        ret->v = new_array(items.n, sizeof(*ret->v));
        if (!ret->v) {
                no_memory(value, diags);
                return false;
        }
        for (size_t i = 0; i < items.n; i++) {
                const char *text = field_text(items.v[i], key, diags);
                struct rules_path *path = &ret->v[ret->n];
                struct pos pos = items.v[i]->pos;
                struct err err = {};
                size_t column;

                if (!text)
                        continue;
                path->pos = pos;
                if (path_pattern_parse_at(text, items.v[i]->len, &path->pattern, &column, &err) == 0) {
                        ret->n++;
                        continue;
                }
                if (!items.v[i]->quoted)
                        pos.column += column - 1;
                diag_error(diags, pos, "'%s': %s", key, err.msg);
        }
        rules_paths_check_twice(ret, key, value, diags);
        return ret->n > 0;
}

bool rules_value_comms(const struct yaml_node *value, const char *key, struct strv *ret, struct diags *diags) {
        struct rules_items items = rules_items_of(&value, key, diags);

        for (size_t i = 0; i < items.n; i++) {
                const char *text = field_text(items.v[i], key, diags);

                if (!text)
                        continue;
                if (strlen(text) > COMM_MAX)
                        diag_error(diags, items.v[i]->pos, "'%s': '%s' is longer than a task's name can be: %d bytes", key, text,
                                   COMM_MAX);
                else if (strv_has(ret, text))
                        said_twice(items.v[i], key, diags);
                else if (strv_add_set(ret, text) < 0)
                        no_memory(value, diags);
        }
        return ret->n > 0;
}

/* NULL, or what is wrong with it. */
static const char *fs_wrong(const char *text) {
        static const char *const words[] = {"auto", "none", "bind"};

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (streq(text, words[i]))
                        return "a word of mount(8), and no type of file system";
        if (strchr(text, '.'))
                return "what stands behind the dot is a name that the program chooses which mounts it; the kernel knows what is in "
                       "front";
        if (text[0] == '\0' || text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] != '\0')
                return "it is a type as the kernel calls it (/proc/filesystems): ext4, tmpfs, overlay, fuse";
        return strlen(text) > LSM_FS_NAME_MAX ? "no kernel has one whose name is longer than 14 bytes" : NULL;
}

bool rules_value_fs(const struct yaml_node *value, struct strv *ret, struct diags *diags) {
        struct rules_items items = rules_items_of(&value, "fs", diags);

        for (size_t i = 0; i < items.n; i++) {
                const char *text = field_text(items.v[i], "fs", diags), *wrong = text ? fs_wrong(text) : NULL;

                if (!text)
                        continue;
                if (wrong)
                        diag_error(diags, items.v[i]->pos, "'fs': '%s': %s", text, wrong);
                else if (strv_has(ret, text))
                        said_twice(items.v[i], "fs", diags);
                else if (strv_add_set(ret, text) < 0)
                        no_memory(value, diags);
        }
        return ret->n > 0;
}

bool rules_value_answer(const struct yaml_node *value, const char *key, enum rules_answer *ret, struct diags *diags) {
        if (value->kind != YAML_SCALAR || yaml_scalar_type(value) != YAML_BOOL) {
                diag_error(diags, value->pos, "'%s' is true or false, not %s", key, yaml_describe(value));
                return false;
        }
        *ret = yaml_is_true(value) ? ANSWER_YES : ANSWER_NO;
        return true;
}

bool rules_value_ops(const struct yaml_node *value, const char *key, uint64_t *ret, struct diags *diags) {
        struct rules_items items = rules_items_of(&value, key, diags);

        for (size_t i = 0; i < items.n; i++) {
                const char *text = field_text(items.v[i], key, diags);
                uint64_t ops = text ? rules_ops_named(text) : 0;

                if (!text)
                        continue;
                if (ops == 0)
                        diag_error(diags, items.v[i]->pos, "'%s': there is no operation '%s'", key, text);
                else if (!rules_ops_supported(ops))
                        diag_error(diags, items.v[i]->pos, "'%s': '%s' is not supported yet by this version", key, text);
                else if (*ret & ops)
                        said_twice(items.v[i], key, diags);
                *ret |= ops;
        }
        return *ret != 0;
}

bool rules_value_errno(const struct yaml_node *value, const char *key, int *ret, struct diags *diags) {
        uint32_t number = 0;

        if (!word_or_number(value, key, errno_from_name, 4095, &number, diags))
                return false;
        if (number == 0)
                diag_error(diags, value->pos, "'%s': 0 is not an error; to let something through, write action: allow", key);
        *ret = (int)number;
        return number > 0;
}
