/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings with known keys: a table says which, who reads each, and which must be there. */
#pragma once

#include "yaml.h"

struct field {
        const char *key;
        bool required;
        /* Reports what is wrong with the value. */
        void (*read)(void *into, const struct yaml_node *value, struct diags *diags);
};

/* what: "a policy", for messages. */
void fields_read(const struct yaml_node *map, const struct field *fields, size_t n, const char *what, void *into,
                 struct diags *diags);
/* The text of a scalar that is not empty; NULL: reported. */
const char *field_text(const struct yaml_node *value, const char *key, struct diags *diags);
