/* SPDX-License-Identifier: Apache-2.0 */
/* What a scalar is: YAML 1.2's core schema (section 10.3.2), stricter where readers of YAML disagree. */
#include <ctype.h>

#include "yaml.h"

static bool is_one_of(const char *s, const char *const *words) {
        for (; *words; words++)
                if (streq(s, *words))
                        return true;
        return false;
}

static bool all_in(const char *s, const char *set) {
        return *s && s[strspn(s, set)] == '\0';
}

static bool looks_float(const char *s) {
        static const char *const special[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL};
        bool digits = false;

        if (is_one_of(s, special))
                return true;
        for (; isdigit((unsigned char)*s); s++)
                digits = true;
        if (*s == '.')
                for (s++; isdigit((unsigned char)*s); s++)
                        digits = true;
        if (!digits)
                return false;
        if (*s == 'e' || *s == 'E') {
                s++;
                s += *s == '+' || *s == '-';
                if (!isdigit((unsigned char)*s))
                        return false;
                s += strspn(s, "0123456789");
        }
        return *s == '\0';
}

enum yaml_type yaml_scalar_type(const struct yaml_node *node) {
        static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
        static const char *const bools[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};
        const char *s = node->text;

        if (node->quoted || strlen(s) != node->len)
                return YAML_STRING;
        if (is_one_of(s, nulls))
                return YAML_NULL;
        if (is_one_of(s, bools))
                return YAML_BOOL;
        if (*s == '-' || *s == '+')
                s++;
        if (all_in(s, "0123456789"))
                return s[0] == '0' && s[1] ? YAML_AMBIGUOUS : YAML_INT;
        if (strncmp(s, "0x", 2) == 0 && all_in(s + 2, "0123456789abcdefABCDEF"))
                return YAML_INT;
        if (strncmp(s, "0o", 2) == 0 && all_in(s + 2, "01234567"))
                return YAML_INT;
        return looks_float(s) ? YAML_FLOAT : YAML_STRING;
}

bool yaml_is_true(const struct yaml_node *node) {
        return node->text[0] == 't' || node->text[0] == 'T';
}

int yaml_int(const struct yaml_node *node, bool *ret_negative, uint64_t *ret) {
        const char *s = node->text;
        bool negative = *s == '-';
        unsigned base = 10;
        uint64_t v = 0;

        s += *s == '-' || *s == '+';
        if (s[0] == '0' && (s[1] == 'x' || s[1] == 'o')) {
                base = s[1] == 'x' ? 16 : 8;
                s += 2;
        }
        for (; *s; s++) {
                unsigned digit = isdigit((unsigned char)*s) ? *s - '0' : tolower((unsigned char)*s) - 'a' + 10;

                if (mul_overflows(v, base, &v) || add_overflows(v, digit, &v))
                        return -ERANGE;
        }
        *ret_negative = negative && v != 0;
        *ret = v;
        return 0;
}

const char *yaml_describe(const struct yaml_node *node) {
        static const char *const scalars[] = {
                [YAML_NULL] = "nothing",
                [YAML_BOOL] = "a truth value",
                [YAML_INT] = "a whole number",
                [YAML_FLOAT] = "a fraction",
                [YAML_AMBIGUOUS] = "a number with leading zeros",
                [YAML_STRING] = "a string",
        };

        if (node->kind == YAML_LIST)
                return "a list";
        return node->kind == YAML_MAP ? "a mapping" : scalars[yaml_scalar_type(node)];
}
