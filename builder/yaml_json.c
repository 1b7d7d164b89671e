/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml_json.h"

#include "json.h"

static bool has_control(const struct yaml_node *node) {
        for (size_t i = 0; i < node->len; i++)
                if ((unsigned char)node->text[i] < 0x20 || node->text[i] == 0x7f)
                        return true;
        return false;
}

static json_t *convert_int(const struct yaml_node *node, struct diags *diags) {
        bool negative;
        uint64_t v;

        if (yaml_int(node, &negative, &v) < 0 || v > JSON_INT_MAX) {
                diag_error(diags, node->pos, "'%s' is beyond 2^53 - 1", node->text);
                return NULL;
        }
        return json_integer(negative ? -(json_int_t)v : (json_int_t)v);
}

static json_t *convert_scalar(const struct yaml_node *node, struct diags *diags) {
        switch (yaml_scalar_type(node)) {
        case YAML_NULL:
                return json_null();
        case YAML_BOOL:
                return json_boolean(yaml_is_true(node));
        case YAML_INT:
                return convert_int(node, diags);
        case YAML_FLOAT:
                diag_error(diags, node->pos, "'%s': fractions are not supported; put it in quotes if it is text", node->text);
                return NULL;
        case YAML_AMBIGUOUS:
                diag_error(diags, node->pos, "'%s' is ambiguous: write 0o... for octal, leave out the zeros, or put it in quotes",
                           node->text);
                return NULL;
        case YAML_STRING:
                break;
        }
        if (has_control(node)) {
                diag_error(diags, node->pos, "the text contains a control character or a line break");
                return NULL;
        }
        json_t *text = json_stringn(node->text, node->len);

        if (!text)
                diag_error(diags, node->pos, "the text is not UTF-8");
        return text;
}

static json_t *convert(const struct yaml_node *node, struct diags *diags);

static json_t *convert_map(const struct yaml_node *node, struct diags *diags) {
        cleanup_json json_t *object = json_object();
        bool ok = object != NULL;

        for (size_t i = 0; i < node->n; i++) {
                const struct yaml_node *key = node->keys[i];
                json_t *value;

                if (key->kind != YAML_SCALAR || has_control(key)) {
                        diag_error(diags, key->pos, "a key must be plain text");
                        ok = false;
                        continue;
                }
                value = convert(node->items[i], diags);
                ok = value && json_object_setn_new(object, key->text, key->len, value) == 0 && ok;
        }
        return ok ? steal_pointer(object) : NULL;
}

static json_t *convert_list(const struct yaml_node *node, struct diags *diags) {
        cleanup_json json_t *array = json_array();
        bool ok = array != NULL;

        for (size_t i = 0; i < node->n; i++) {
                json_t *value = convert(node->items[i], diags);

                ok = value && json_array_append_new(array, value) == 0 && ok;
        }
        return ok ? steal_pointer(array) : NULL;
}

/* Recursion is bounded by YAML_DEPTH_MAX. NULL: reported, or no memory. */
static json_t *convert(const struct yaml_node *node, struct diags *diags) {
        switch (node->kind) {
        case YAML_SCALAR:
                return convert_scalar(node, diags);
        case YAML_LIST:
                return convert_list(node, diags);
        case YAML_MAP:
                return convert_map(node, diags);
        }
        return NULL;
}

int yaml_to_json(const struct yaml_node *node, struct diags *diags, json_t **ret) {
        size_t before = diags->n_errors;
        json_t *json = convert(node, diags);

        if (!json)
                return diags->n_errors > before ? -EBADMSG : -ENOMEM;
        *ret = json;
        return 0;
}
