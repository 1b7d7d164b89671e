/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of names in a manifest. Nothing here allocates or knows JSON. */
#include "manifest.h"

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

#define PATH_MAX_LEN 255
#define VERSION_MAX_LEN 127
#define HOOK_MAX_LEN 63
#define IDENTIFIER_MAX_LEN 127

bool member_path_safe(const char *path) {
        const uint8_t *s = (const uint8_t *)path;
        size_t n = strnlen(path, PATH_MAX_LEN + 1);

        if (n < 1 || n > PATH_MAX_LEN)
                return false;
        for (size_t i = 0; i < n; i++)
                if (s[i] < 0x20 || s[i] > 0x7e || s[i] == '\\')
                        return false;
        /* Every component; a leading, doubled or trailing slash makes an empty one. */
        for (const char *p = path;; p++) {
                size_t len = strcspn(p, "/");

                if (len == 0 || (len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
                        return false;
                p += len;
                if (!*p)
                        return true;
        }
}

/* A numeric identifier without leading zeros; its end, or NULL. */
static const char *skip_number(const char *s) {
        size_t n = strspn(s, DIGITS);

        return n == 0 || (n > 1 && s[0] == '0') ? NULL : s + n;
}

/* Dot-separated identifiers; the end, or NULL. In a pre-release, those of digits alone have no leading zeros. */
static const char *skip_identifiers(const char *s, bool prerelease) {
        for (;; s++) {
                size_t n = strspn(s, DIGITS LOWER UPPER "-");

                if (n == 0)
                        return NULL;
                if (prerelease && n > 1 && s[0] == '0' && strspn(s, DIGITS) == n)
                        return NULL;
                s += n;
                if (*s != '.')
                        return s;
        }
}

bool version_valid(const char *version) {
        const char *s = version;

        if (strnlen(version, VERSION_MAX_LEN + 1) > VERSION_MAX_LEN)
                return false;
        for (int i = 0; i < 3; i++) {
                if (i > 0 && *s++ != '.')
                        return false;
                s = skip_number(s);
                if (!s)
                        return false;
        }
        if (*s == '-')
                s = skip_identifiers(s + 1, true);
        if (s && *s == '+')
                s = skip_identifiers(s + 1, false);
        return s && !*s;
}

bool hook_valid(const char *hook) {
        size_t n = strnlen(hook, HOOK_MAX_LEN + 1);

        return n >= 1 && n <= HOOK_MAX_LEN && strspn(hook, LOWER DIGITS "_") == n && !strchr(DIGITS, hook[0]);
}

bool identifier_valid(const char *name) {
        size_t n = strnlen(name, IDENTIFIER_MAX_LEN + 1);

        return n >= 1 && n <= IDENTIFIER_MAX_LEN && strspn(name, LOWER UPPER DIGITS "_") == n && !strchr(DIGITS, name[0]);
}
