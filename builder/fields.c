/* SPDX-License-Identifier: Apache-2.0 */
#include "fields.h"

#include <stdio.h>

static const struct field *field_find(const struct field *fields, size_t n, const struct yaml_node *key) {
        for (size_t i = 0; key->kind == YAML_SCALAR && i < n; i++)
                if (streq(fields[i].key, key->text))
                        return &fields[i];
        return NULL;
}

static void report_unknown(const struct yaml_node *key, const struct field *fields, size_t n, const char *what,
                           struct diags *diags) {
        char known[512] = "";
        size_t len = 0;

        for (size_t i = 0; i < n; i++) {
                int r = snprintf(known + len, sizeof(known) - len, "%s%s", i > 0 ? ", " : "", fields[i].key);

                if (r < 0 || (size_t)r >= sizeof(known) - len)
                        break;
                len += (size_t)r;
        }
        diag_error(diags, key->pos, "%s has no key '%s'; it has: %s", what, key->kind == YAML_SCALAR ? key->text : "?", known);
}

void fields_read(const struct yaml_node *map, const struct field *fields, size_t n, const char *what, void *into,
                 struct diags *diags) {
        if (map->kind != YAML_MAP) {
                diag_error(diags, map->pos, "%s is a mapping, not %s", what, yaml_describe(map));
                return;
        }
        for (size_t i = 0; i < map->n; i++) {
                const struct field *field = field_find(fields, n, map->keys[i]);

                if (field)
                        field->read(into, map->items[i], diags);
                else
                        report_unknown(map->keys[i], fields, n, what, diags);
        }
        for (size_t i = 0; i < n; i++) {
                bool found = false;

                for (size_t k = 0; k < map->n; k++)
                        found = found || (map->keys[k]->kind == YAML_SCALAR && streq(map->keys[k]->text, fields[i].key));
                if (fields[i].required && !found)
                        diag_error(diags, map->pos, "%s has no '%s'", what, fields[i].key);
        }
}

const char *field_text(const struct yaml_node *value, const char *key, struct diags *diags) {
        if (value->kind != YAML_SCALAR || value->len == 0 || strlen(value->text) != value->len) {
                diag_error(diags, value->pos, "'%s' is a text, not %s", key, yaml_describe(value));
                return NULL;
        }
        return value->text;
}
