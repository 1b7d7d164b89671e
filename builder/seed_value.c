/* SPDX-License-Identifier: Apache-2.0 */
/* One YAML value as the bytes of a C type, by BTF. Objects are compiled for this machine's byte order; nodes are
 * little-endian, and so are the machines that lsmbundle builds on. */
#include "seeds.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "seeds are little-endian");

#define TYPE_DEPTH_MAX 16

struct target {
        const struct btf *btf;
        struct diags *diags;
};

static bool value_put(const struct target *t, uint32_t id, const struct yaml_node *node, uint8_t *out, size_t size,
                      unsigned depth);

/* Through typedef, const and the like. NULL: none there. */
static const struct btf_type *type_resolve(const struct btf *btf, uint32_t id) {
        const struct btf_type *type = btf__type_by_id(btf, id);

        while (type && (btf_is_mod(type) || btf_is_typedef(type)))
                type = btf__type_by_id(btf, type->type);
        return type;
}

static const char *type_name(const struct btf *btf, const struct btf_type *type) {
        return btf__name_by_offset(btf, type->name_off) ?: "";
}

static bool is_char(const struct btf *btf, const struct btf_type *type) {
        return btf_is_int(type) && type->size == 1 && streq(type_name(btf, type), "char");
}

static void number_put(uint64_t v, uint8_t *out, size_t size) {
        for (size_t i = 0; i < size; i++)
                out[i] = i < sizeof(v) ? (uint8_t)(v >> 8 * i) : 0;
}

static bool number_fits(bool negative, uint64_t magnitude, size_t size, bool is_signed) {
        unsigned bits = 8 * (unsigned)size;
        uint64_t top = is_signed ? 1ULL << (bits - 1) : 0;

        if (!is_signed)
                return !negative && (bits == 64 || magnitude >> bits == 0);
        return negative ? magnitude <= top : magnitude < top;
}

static bool int_put(const struct target *t, const struct yaml_node *node, uint8_t *out, size_t size, bool is_signed) {
        enum yaml_type kind = node->kind == YAML_SCALAR ? yaml_scalar_type(node) : YAML_STRING;
        bool negative;
        uint64_t v;

        if (kind == YAML_AMBIGUOUS) {
                diag_error(t->diags, node->pos, "'%s' is ambiguous: write 0o... for octal, or leave out the zeros", node->text);
                return false;
        }
        if (kind != YAML_INT) {
                diag_error(t->diags, node->pos, "a whole number is expected here, not %s", yaml_describe(node));
                return false;
        }
        if (yaml_int(node, &negative, &v) < 0 || !number_fits(negative, v, size, is_signed)) {
                diag_error(t->diags, node->pos, "%s does not fit into %s whole number of %zu bits", node->text,
                           is_signed ? "a signed" : "an unsigned", size * 8);
                return false;
        }
        number_put(negative ? -v : v, out, size);
        return true;
}

static bool bool_put(const struct target *t, const struct yaml_node *node, uint8_t *out, size_t size) {
        if (node->kind != YAML_SCALAR || yaml_scalar_type(node) != YAML_BOOL) {
                diag_error(t->diags, node->pos, "true or false is expected here, not %s", yaml_describe(node));
                return false;
        }
        number_put(yaml_is_true(node), out, size);
        return true;
}

static bool enum_put(const struct target *t, const struct btf_type *type, const struct yaml_node *node, uint8_t *out,
                     size_t size) {
        if (node->kind == YAML_SCALAR && yaml_scalar_type(node) == YAML_STRING) {
                for (unsigned i = 0; i < btf_vlen(type); i++) {
                        uint32_t name = btf_is_enum(type) ? btf_enum(type)[i].name_off : btf_enum64(type)[i].name_off;

                        if (!streq(btf__name_by_offset(t->btf, name) ?: "", node->text))
                                continue;
                        number_put(btf_is_enum(type) ? (uint64_t)(int64_t)btf_enum(type)[i].val
                                                     : btf_enum64_value(&btf_enum64(type)[i]),
                                   out, size);
                        return true;
                }
                diag_error(t->diags, node->pos, "'%s' is not a value of enum %s", node->text, type_name(t->btf, type));
                return false;
        }
        return int_put(t, node, out, size, btf_kflag(type));
}

/* The last byte stays zero: what a program compares it with ends there, too. */
static bool string_put(const struct target *t, const struct yaml_node *node, uint8_t *out, size_t size) {
        if (node->kind != YAML_SCALAR || yaml_scalar_type(node) == YAML_NULL) {
                diag_error(t->diags, node->pos, "a string is expected here, not %s", yaml_describe(node));
                return false;
        }
        if (memchr(node->text, 0, node->len)) {
                diag_error(t->diags, node->pos, "the string contains a zero byte");
                return false;
        }
        if (node->len >= size) {
                diag_error(t->diags, node->pos, "'%s' has %zu bytes; the map's type has room for %zu", node->text, node->len,
                           size > 0 ? size - 1 : 0);
                return false;
        }
        memcpy(out, node->text, node->len);
        return true;
}

static bool array_put(const struct target *t, const struct btf_array *array, const struct yaml_node *node, uint8_t *out,
                      size_t size, unsigned depth) {
        int64_t each = btf__resolve_size(t->btf, array->type);
        bool ok = true;

        if (node->kind != YAML_LIST) {
                diag_error(t->diags, node->pos, "a list of %u values is expected here, not %s", array->nelems,
                           yaml_describe(node));
                return false;
        }
        if (each < 0 || node->n != array->nelems || (size_t)each * array->nelems > size) {
                diag_error(t->diags, node->pos, "a list of %u values is expected here, not of %zu", array->nelems, node->n);
                return false;
        }
        for (size_t i = 0; i < node->n; i++)
                ok = value_put(t, array->type, node->items[i], out + i * (size_t)each, (size_t)each, depth + 1) && ok;
        return ok;
}

static const struct btf_member *member_find(const struct target *t, const struct btf_type *type, const char *name,
                                            unsigned *ret_index) {
        for (unsigned i = 0; i < btf_vlen(type); i++)
                if (streq(btf__name_by_offset(t->btf, btf_members(type)[i].name_off) ?: "", name)) {
                        *ret_index = i;
                        return &btf_members(type)[i];
                }
        return NULL;
}

static bool struct_put(const struct target *t, const struct btf_type *type, const struct yaml_node *node, uint8_t *out,
                       size_t size, unsigned depth) {
        const char *name = type_name(t->btf, type);
        bool ok = true;

        if (node->kind != YAML_MAP) {
                diag_error(t->diags, node->pos, "struct %s is expected here: a mapping of its fields, not %s", name,
                           yaml_describe(node));
                return false;
        }
        for (size_t i = 0; i < node->n; i++) {
                const struct yaml_node *key = node->keys[i];
                const struct btf_member *member;
                unsigned index = 0;
                int64_t member_size;
                size_t offset;

                member = key->kind == YAML_SCALAR && key->len > 0 ? member_find(t, type, key->text, &index) : NULL;
                if (!member) {
                        diag_error(t->diags, key->pos, "struct %s has no field '%s'", name,
                                   key->kind == YAML_SCALAR ? key->text : "?");
                        ok = false;
                        continue;
                }
                offset = btf_member_bit_offset(type, index) / 8;
                member_size = btf__resolve_size(t->btf, member->type);
                if (btf_member_bitfield_size(type, index) > 0 || member_size < 0 || offset + (size_t)member_size > size) {
                        diag_error(t->diags, key->pos, "field '%s' is of a kind that cannot be seeded", key->text);
                        ok = false;
                        continue;
                }
                ok = value_put(t, member->type, node->items[i], out + offset, (size_t)member_size, depth + 1) && ok;
        }
        return ok;
}

static bool value_put(const struct target *t, uint32_t id, const struct yaml_node *node, uint8_t *out, size_t size,
                      unsigned depth) {
        const struct btf_type *type = type_resolve(t->btf, id), *element;

        if (type && depth <= TYPE_DEPTH_MAX) {
                if (btf_is_array(type)) {
                        element = type_resolve(t->btf, btf_array(type)->type);
                        if (element && is_char(t->btf, element))
                                return string_put(t, node, out, size);
                        return array_put(t, btf_array(type), node, out, size, depth);
                }
                if (btf_is_struct(type))
                        return struct_put(t, type, node, out, size, depth);
                if ((btf_is_enum(type) || btf_is_enum64(type)) && size <= sizeof(uint64_t))
                        return enum_put(t, type, node, out, size);
                if (btf_is_int(type) && size <= sizeof(uint64_t) && btf_int_encoding(type) & BTF_INT_BOOL)
                        return bool_put(t, node, out, size);
                if (btf_is_int(type) && size <= sizeof(uint64_t))
                        return int_put(t, node, out, size, btf_int_encoding(type) & BTF_INT_SIGNED);
        }
        diag_error(t->diags, node->pos, "a value of this C type cannot be written in YAML (unions, pointers, wide numbers)");
        return false;
}

bool seed_value(const struct btf *btf, uint32_t type, const struct yaml_node *node, uint8_t *out, size_t size,
                struct diags *diags) {
        return value_put(&(struct target){btf, diags}, type, node, out, size, 0);
}

bool seed_one(const struct btf *btf, uint32_t id, uint8_t *out, size_t size) {
        const struct btf_type *type = type_resolve(btf, id);

        if (!type || !btf_is_int(type) || size > sizeof(uint64_t))
                return false;
        number_put(1, out, size);
        return true;
}
