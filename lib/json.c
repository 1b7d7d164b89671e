/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#define DEPTH_MAX 32

/* C0, DEL and, in UTF-8, C1: each can move a terminal's cursor when a string is shown. p is valid UTF-8. */
static bool has_control(const char *p, size_t n) {
        const uint8_t *s = (const uint8_t *)p;

        for (size_t i = 0; i < n; i++)
                if (s[i] < 0x20 || s[i] == 0x7f || (s[i] == 0xc2 && i + 1 < n && s[i + 1] < 0xa0))
                        return true;
        return false;
}

/* What jansson lets through and signed documents do not have; of that, others' documents may have control characters and all
 * integers of 64 bits. */
static int value_check(const json_t *j, bool strict, int depth, struct err *err) {
        const char *key;
        json_t *v;
        size_t i;
        int r;

        if (depth > DEPTH_MAX)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "nested deeper than %d", DEPTH_MAX);
        switch (json_typeof(j)) {
        case JSON_OBJECT:
                json_object_foreach((json_t *)j, key, v) {
                        if (strict && has_control(key, strlen(key)))
                                return err_set(err, -EBADMSG, REASON_MALFORMED, "a key holds a control character");
                        r = value_check(v, strict, depth + 1, err);
                        if (r < 0)
                                return r;
                }
                return 0;
        case JSON_ARRAY:
                json_array_foreach(j, i, v) {
                        r = value_check(v, strict, depth + 1, err);
                        if (r < 0)
                                return r;
                }
                return 0;
        case JSON_STRING:
                if (strict && has_control(json_string_value(j), json_string_length(j)))
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "a string holds a control character");
                return 0;
        case JSON_INTEGER:
                if (strict && (json_integer_value(j) > JSON_INT_MAX || json_integer_value(j) < -JSON_INT_MAX))
                        return err_set(err, -EBADMSG, REASON_MALFORMED, "an integer is beyond 2^53 - 1");
                return 0;
        case JSON_REAL:
                return err_set(err, -EBADMSG, REASON_MALFORMED, "a number is not an integer");
        case JSON_TRUE:
        case JSON_FALSE:
        case JSON_NULL:
                return 0;
        }
        return err_set(err, -EBADMSG, REASON_MALFORMED, "unknown kind of value");
}

static int parse(const void *p, size_t n, bool strict, json_t **ret, struct err *err) {
        cleanup_json json_t *j = NULL;
        json_error_t e;
        int r;

        if (n && memchr(p, 0, n)) /* jansson passes over a NUL that follows a number */
                return err_set(err, -EBADMSG, REASON_MALFORMED, "JSON holds a NUL byte");
        j = json_loadb(p, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
        if (!j) {
                if (json_error_code(&e) == json_error_out_of_memory)
                        return err_errno(err, -ENOMEM, "JSON");
                /* jansson's text quotes the input: keep it printable. */
                for (char *s = e.text; *s; s++)
                        if ((uint8_t)*s < 0x20 || (uint8_t)*s >= 0x7f)
                                *s = '?';
                return err_set(err, -EBADMSG, REASON_MALFORMED, "JSON line %d: %s", e.line, e.text);
        }
        r = value_check(j, strict, 0, err);
        if (r < 0)
                return err_wrap(err, r, "JSON");
        *ret = steal_pointer(j);
        return 0;
}

int json_parse(const void *p, size_t n, json_t **ret, struct err *err) {
        return parse(p, n, true, ret, err);
}

int json_parse_foreign(const void *p, size_t n, json_t **ret, struct err *err) {
        return parse(p, n, false, ret, err);
}

/* Canonical bytes as jansson reads them: what stands raw in a string is escaped. */
static int escape_controls(const char *p, size_t n, struct buf *out) {
        bool in_string = false;
        size_t from = 0;

        for (size_t i = 0; i < n; i++) {
                if (in_string && p[i] == '\\') {
                        i++;
                        continue;
                }
                if (p[i] == '"')
                        in_string = !in_string;
                if (!in_string || (uint8_t)p[i] >= 0x20)
                        continue;
                if (buf_append(out, p + from, i - from) < 0 || buf_printf(out, "\\u%04x", (unsigned)(uint8_t)p[i]) < 0)
                        return -ENOMEM;
                from = i + 1;
        }
        return buf_append(out, p + from, n - from);
}

int json_parse_canonical(const void *p, size_t n, json_t **ret, struct err *err) {
        cleanup_buf struct buf text = {}, again = {};
        cleanup_json json_t *j = NULL;
        int r;

        if (n && memchr(p, 0, n))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "JSON holds a NUL byte");
        if (escape_controls(p, n, &text) < 0)
                return err_errno(err, -ENOMEM, "JSON");
        r = parse(text.data, text.len, false, &j, err);
        if (r < 0)
                return r;
        r = json_canonical_foreign(j, &again, err);
        if (r < 0)
                return r;
        if (again.len != n || memcmp(again.data, p, n) != 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "signed bytes are not canonical JSON");
        *ret = steal_pointer(j);
        return 0;
}

static int write_string(const char *p, size_t n, struct buf *out) {
        const char *end = p + n;

        if (buf_append(out, "\"", 1) < 0)
                return -ENOMEM;
        while (p < end) {
                size_t plain = 0;

                while (p + plain < end && p[plain] != '"' && p[plain] != '\\')
                        plain++;
                if (buf_append(out, p, plain) < 0)
                        return -ENOMEM;
                p += plain;
                if (p == end)
                        break;
                if (buf_append(out, (char[]){'\\', *p}, 2) < 0)
                        return -ENOMEM;
                p++;
        }
        return buf_append(out, "\"", 1);
}

/* Bytewise. In UTF-8 that is the order of the code points, as in the reference implementations of TUF (Python and Go
 * compare so); the UTF-16 order of RFC 8785 differs beyond the basic plane. */
static int key_compare(const void *a, const void *b) {
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int write_value(const json_t *j, int depth, struct buf *out, struct err *err);

static int write_object(const json_t *j, int depth, struct buf *out, struct err *err) {
        cleanup_free const char **keys = new_array(json_object_size(j), sizeof(*keys));
        const char *key;
        json_t *v;
        size_t n = 0;
        int r;

        if (!keys || buf_append(out, "{", 1) < 0)
                return -ENOMEM;
        json_object_foreach((json_t *)j, key, v) keys[n++] = key;
        qsort(keys, n, sizeof(*keys), key_compare);
        for (size_t i = 0; i < n; i++) {
                if (i > 0 && buf_append(out, ",", 1) < 0)
                        return -ENOMEM;
                r = write_string(keys[i], strlen(keys[i]), out);
                if (r < 0)
                        return r;
                if (buf_append(out, ":", 1) < 0)
                        return -ENOMEM;
                r = write_value(json_object_get(j, keys[i]), depth + 1, out, err);
                if (r < 0)
                        return r;
        }
        return buf_append(out, "}", 1);
}

static int write_array(const json_t *j, int depth, struct buf *out, struct err *err) {
        json_t *v;
        size_t i;
        int r;

        if (buf_append(out, "[", 1) < 0)
                return -ENOMEM;
        json_array_foreach(j, i, v) {
                if (i > 0 && buf_append(out, ",", 1) < 0)
                        return -ENOMEM;
                r = write_value(v, depth + 1, out, err);
                if (r < 0)
                        return r;
        }
        return buf_append(out, "]", 1);
}

/* Out of memory is the only failure that leaves err as it was: json_canonical() fills it in. */
static int write_value(const json_t *j, int depth, struct buf *out, struct err *err) {
        if (depth > DEPTH_MAX)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "nested deeper than %d", DEPTH_MAX);
        switch (json_typeof(j)) {
        case JSON_OBJECT:
                return write_object(j, depth, out, err);
        case JSON_ARRAY:
                return write_array(j, depth, out, err);
        case JSON_STRING:
                return write_string(json_string_value(j), json_string_length(j), out);
        case JSON_INTEGER:
                return buf_printf(out, "%lld", (long long)json_integer_value(j));
        case JSON_TRUE:
                return buf_append(out, "true", 4);
        case JSON_FALSE:
                return buf_append(out, "false", 5);
        case JSON_NULL:
                return buf_append(out, "null", 4);
        case JSON_REAL:
                break;
        }
        return err_set(err, -EBADMSG, REASON_MALFORMED, "canonical JSON has no floats");
}

static int canonical(const json_t *j, bool strict, struct buf *out, struct err *err) {
        size_t len = out->len;
        int r = value_check(j, strict, 0, err);

        if (r < 0)
                return r;
        r = write_value(j, 0, out, err);
        if (r < 0 && out->data) {
                out->len = len;
                out->data[len] = 0;
        }
        return r == -ENOMEM ? err_errno(err, r, "JSON") : r;
}

int json_canonical(const json_t *j, struct buf *out, struct err *err) {
        return canonical(j, true, out, err);
}

int json_canonical_foreign(const json_t *j, struct buf *out, struct err *err) {
        return canonical(j, false, out, err);
}

static int member_get(const json_t *j, const char *key, json_type type, const char *type_name, json_t **ret, struct err *err) {
        json_t *v = json_object_get(j, key);

        if (!v)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "'%s' is missing", key);
        if (json_typeof(v) != type)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "'%s' is not %s", key, type_name);
        *ret = v;
        return 0;
}

int json_get_string(const json_t *j, const char *key, const char **ret, struct err *err) {
        json_t *v = NULL;
        int r = member_get(j, key, JSON_STRING, "a string", &v, err);

        if (r < 0)
                return r;
        *ret = json_string_value(v);
        return 0;
}

int json_get_int(const json_t *j, const char *key, long long min, long long max, long long *ret, struct err *err) {
        json_t *v = NULL;
        int r = member_get(j, key, JSON_INTEGER, "an integer", &v, err);

        if (r < 0)
                return r;
        if (json_integer_value(v) < min || json_integer_value(v) > max)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "'%s' is not between %lld and %lld", key, min, max);
        *ret = json_integer_value(v);
        return 0;
}

int json_get_array(const json_t *j, const char *key, json_t **ret, struct err *err) {
        return member_get(j, key, JSON_ARRAY, "an array", ret, err);
}

int json_get_object(const json_t *j, const char *key, json_t **ret, struct err *err) {
        return member_get(j, key, JSON_OBJECT, "an object", ret, err);
}
