/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"

#include <ctype.h>

#include "selftest.h"

/* Length of the text when the bytes are text and then zeros only, at least one; else 0. */
static size_t text_length(const uint8_t *bytes, size_t n) {
        size_t len = strnlen((const char *)bytes, n);

        if (len == n)
                return 0;
        for (size_t i = 0; i < len; i++)
                if (bytes[i] < 0x20 || bytes[i] == 0x7f)
                        return 0;
        for (size_t i = len; i < n; i++)
                if (bytes[i] != 0)
                        return 0;
        return len;
}

static uint64_t number(const uint8_t *bytes, size_t n) {
        uint64_t v = 0;

        for (size_t i = 0; i < n; i++)
                v |= (uint64_t)bytes[i] << 8 * i;
        return v;
}

static bool number_sized(size_t n) {
        return n == 1 || n == 2 || n == 4 || n == 8;
}

bool show_is_one(const uint8_t *bytes, size_t n) {
        return number_sized(n) && number(bytes, n) == 1;
}

static int show_string(struct buf *out, const char *s, size_t n) {
        cleanup_json json_t *value = json_stringn(s, n) ?: json_stringn_nocheck("?", 1);

        return value ? show_flow(out, value) : -ENOMEM;
}

int show_bytes(struct buf *out, const uint8_t *bytes, size_t n) {
        size_t len = text_length(bytes, n);
        int e = 0;

        /* Few small numbers look like text of three letters and more. */
        if (len > 0 && (!number_sized(n) || len >= 3))
                return show_string(out, (const char *)bytes, len);
        if (number_sized(n))
                return buf_printf(out, "%ju", (uintmax_t)number(bytes, n));
        for (size_t i = 0; e == 0 && i < n; i++)
                e = buf_printf(out, "%02x", bytes[i]);
        return e;
}

/* A string that YAML reads back as that string without quotes. */
static bool is_plain(const char *s) {
        static const char *const words[] = {"true", "false", "null", "True", "False", "Null", "TRUE", "FALSE", "NULL"};
        bool digits_only = true;

        if (!isalpha((unsigned char)*s) && *s != '/' && *s != '_')
                return false;
        for (const char *p = s; *p; p++) {
                if (!isalnum((unsigned char)*p) && !strchr("/_.-+*@ ", *p) && (unsigned char)*p < 0x80)
                        return false;
                digits_only = digits_only && isdigit((unsigned char)*p);
        }
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (streq(words[i], s))
                        return false;
        return !digits_only && s[strlen(s) - 1] != ' ';
}

static int show_text(struct buf *out, const json_t *value) {
        cleanup_free char *quoted = NULL;

        if (is_plain(json_string_value(value)))
                return buf_append(out, json_string_value(value), json_string_length(value));
        quoted = json_dumps(value, JSON_ENCODE_ANY);
        return quoted ? buf_append(out, quoted, strlen(quoted)) : -ENOMEM;
}

static int show_pair(struct buf *out, const char *key, const json_t *value, bool first) {
        int e = buf_printf(out, "%s%s: ", first ? "" : ", ", key);

        return e < 0 ? e : show_flow(out, value);
}

static int show_object(struct buf *out, const json_t *object, const char *first_key) {
        int e = buf_append(out, "{", 1);
        bool first = true;
        const char *key;
        json_t *value;

        if (e == 0 && first_key) {
                e = show_pair(out, first_key, json_object_get(object, first_key), true);
                first = false;
        }
        json_object_foreach((json_t *)object, key, value) {
                if (e < 0 || (first_key && streq(key, first_key)))
                        continue;
                e = show_pair(out, key, value, first);
                first = false;
        }
        return e < 0 ? e : buf_append(out, "}", 1);
}

int show_flow(struct buf *out, const json_t *value) {
        json_t *item;
        size_t i;
        int e;

        switch (json_typeof(value)) {
        case JSON_OBJECT:
                return show_object(out, value, NULL);
        case JSON_ARRAY:
                e = buf_append(out, "[", 1);
                json_array_foreach((json_t *)value, i, item) {
                        if (e == 0 && i > 0)
                                e = buf_append(out, ", ", 2);
                        if (e == 0)
                                e = show_flow(out, item);
                }
                return e < 0 ? e : buf_append(out, "]", 1);
        case JSON_STRING:
                return show_text(out, value);
        case JSON_INTEGER:
                return buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        case JSON_TRUE:
                return buf_append(out, "true", 4);
        case JSON_FALSE:
                return buf_append(out, "false", 5);
        default:
                return buf_append(out, "null", 4);
        }
}

int show_operation(struct buf *out, const json_t *operation) {
        for (int op = 0; json_is_object(operation) && op < SELFTEST_OP_COUNT; op++)
                if (json_object_get(operation, selftest_op_word(op)))
                        return show_object(out, operation, selftest_op_word(op));
        return show_flow(out, operation);
}

size_t seed_count(const struct manifest_map *map, const struct buf *records) {
        size_t size = (size_t)map->key_size + map->value_size;

        return size > 0 ? records->len / size : 0;
}

struct seed_record seed_at(const struct manifest_map *map, const struct buf *records, size_t i) {
        const uint8_t *key = (const uint8_t *)records->data + i * ((size_t)map->key_size + map->value_size);

        return (struct seed_record){key, key + map->key_size};
}
