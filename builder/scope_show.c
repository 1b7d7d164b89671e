/* SPDX-License-Identifier: Apache-2.0 */
#include "scope_show.h"

#include "show.h"

const json_t *scope_shown(const struct bundle_file *f, size_t policy) {
        return json_object_get(json_array_get(json_object_get(f->manifest->doc, "policies"), policy), "scope");
}

/* What its author most likely wrote: no list of one. New reference. */
static json_t *as_written(const json_t *values) {
        const char *only = json_array_size(values) == 1 ? json_string_value(json_array_get(values, 0)) : NULL;

        if (!only)
                return json_incref((json_t *)values);
        if (streq(only, "true") || streq(only, "false"))
                return json_boolean(streq(only, "true"));
        return json_incref(json_array_get(values, 0));
}

int scope_show(struct buf *out, const json_t *scope) {
        cleanup_json json_t *shown = json_object();
        const char *key;
        json_t *values;
        int e;

        if (json_object_size(scope) == 0)
                return buf_printf(out, "everywhere");
        json_object_foreach((json_t *)scope, key,
                            values) if (json_object_set_new(shown, key, as_written(values)) < 0) return -ENOMEM;
        e = buf_printf(out, "in ");
        return e < 0 ? e : show_flow(out, shown);
}

bool scope_shown_same(const json_t *a, const json_t *b) {
        size_t n = json_object_size(a);

        return n == json_object_size(b) && (n == 0 || json_equal((json_t *)a, (json_t *)b));
}

bool scope_shown_table(const struct manifest_map *map) {
        return streq(map->name, "lsm_scope_cells") || streq(map->name, "lsm_scope_masks");
}
