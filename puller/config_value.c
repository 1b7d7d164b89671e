/* SPDX-License-Identifier: Apache-2.0 */
/* Values with a form of their own: durations, sizes, sources. */
#include <strings.h>

#include "config_setting.h"

#define DURATION_MAX (30LL * 24 * 3600 * 1000000000)

/* The number at *text; *text then points behind it. Digits alone: no sign, no space, no fraction. */
static int number_take(const char **text, uint64_t *ret) {
        const char *p = *text;
        uint64_t v = 0;

        for (; *p >= '0' && *p <= '9'; p++)
                if (mul_overflows(v, 10u, &v) || add_overflows(v, (uint64_t)(*p - '0'), &v))
                        return -ERANGE;
        if (p == *text)
                return -EINVAL;
        *text = p;
        *ret = v;
        return 0;
}

int number_parse(const char *text, uint64_t *ret) {
        uint64_t v;
        int r = number_take(&text, &v);

        if (r < 0 || *text)
                return r < 0 ? r : -EINVAL;
        *ret = v;
        return 0;
}

struct unit {
        const char *word;
        uint64_t factor;
};

static int quantity_parse(const char *text, const struct unit *units, size_t n_units, uint64_t max, uint64_t *ret) {
        uint64_t v;
        int r;

        r = number_take(&text, &v);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_units; i++) {
                if (!streq(text, units[i].word))
                        continue;
                if (v == 0 || mul_overflows(v, units[i].factor, &v) || v > max)
                        return -ERANGE;
                *ret = v;
                return 0;
        }
        return -EINVAL;
}

int duration_parse(const char *text, int64_t *ret_ns) {
        static const struct unit units[] = {
                {"ms", 1000000ULL},      {"s", 1000000000ULL},     {"m", 60000000000ULL},
                {"h", 3600000000000ULL}, {"d", 86400000000000ULL},
        };
        uint64_t v;
        int r = quantity_parse(text, units, ARRAY_SIZE(units), DURATION_MAX, &v);

        if (r < 0)
                return r;
        *ret_ns = (int64_t)v;
        return 0;
}

int size_parse(const char *text, uint64_t *ret) {
        static const struct unit units[] = {{"", 1}, {"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}};

        return quantity_parse(text, units, ARRAY_SIZE(units), INT64_MAX, ret);
}

static bool starts_with(const char *s, const char *prefix) {
        return strncasecmp(s, prefix, strlen(prefix)) == 0;
}

static int https_check(const char *url, struct err *err) {
        const char *host = url + strlen("https://");
        size_t n = strcspn(host, "/?#");

        if (n == 0)
                return err_set(err, -EINVAL, REASON_CONFIG, "'%s' names no host", url);
        if (memchr(host, '@', n)) /* status shows the source */
                return err_set(err, -EINVAL, REASON_CONFIG,
                               "a URL with a password in it is refused: put a token into a file, and "
                               "name that as https.token");
        return 0;
}

int source_parse(const char *text, char **ret, struct err *err) {
        int r;

        for (const char *p = text; *p; p++)
                if ((unsigned char)*p <= ' ' || *p == 0x7f)
                        return err_set(err, -EINVAL, REASON_CONFIG, "a source has no spaces or control characters");
        if (starts_with(text, "http://"))
                return err_set(err, -EINVAL, REASON_CONFIG,
                               "http:// is refused: anybody on the way could hold back newer releases, and signatures do not "
                               "show that; use https://");
        if (starts_with(text, "https://")) {
                r = https_check(text, err);
                if (r < 0)
                        return r;
        } else if (starts_with(text, "file://")) {
                text += strlen("file://");
                if (*text != '/' || strchr(text, '%'))
                        return err_set(err, -EINVAL, REASON_CONFIG, "a file:// URL is file:///PATH, without %%-escapes");
        } else if (*text != '/')
                return err_set(err, -EINVAL, REASON_CONFIG, "'%s' is no absolute path, no file:// and no https:// URL", text);
        *ret = strdup(text);
        return *ret ? 0 : err_errno(err, -ENOMEM, "source");
}

int repository_parse(const char *text, char **ret, struct err *err) {
        cleanup_free char *source = NULL;
        size_t n;
        int r;

        r = source_parse(text, &source, err);
        if (r < 0)
                return r;
        if (source[0] != '/' && strpbrk(source, "?#"))
                return err_set(err, -EINVAL, REASON_CONFIG, "'%s': files are named below it, so it cannot have a query", text);
        n = strlen(source);
        while (n > 1 && source[n - 1] == '/')
                source[--n] = '\0';
        *ret = steal_pointer(source);
        return 0;
}

/* A user's name is part of the address (git@); a password is a secret that would end in status and logs. */
static int ssh_check(const char *url, struct err *err) {
        const char *host = url + strlen("ssh://"), *at;
        size_t n = strcspn(host, "/?#");

        at = memchr(host, '@', n);
        if (n == 0 || host[n] != '/' || !host[n + 1] || (at && (at == host || at + 1 == host + n)))
                return err_set(err, -EINVAL, REASON_CONFIG, "an ssh:// URL is ssh://USER@HOST/PATH");
        if (at && memchr(host, ':', (size_t)(at - host)))
                return err_set(err, -EINVAL, REASON_CONFIG, "a URL with a password in it is refused: name a key as ssh.key");
        return 0;
}

int git_url_parse(const char *text, char **ret, struct err *err) {
        if (text[0] == '/' || starts_with(text, "file://") || starts_with(text, "https://") || starts_with(text, "http://"))
                return repository_parse(text, ret, err);
        if (!starts_with(text, "ssh://"))
                return err_set(err, -EINVAL, REASON_CONFIG, "'%s' is no absolute path, no file://, no https:// and no ssh:// URL",
                               text);
        for (const char *p = text; *p; p++)
                if ((unsigned char)*p <= ' ' || *p == 0x7f)
                        return err_set(err, -EINVAL, REASON_CONFIG, "a source has no spaces or control characters");
        if (ssh_check(text, err) < 0)
                return -EINVAL;
        *ret = strdup(text);
        return *ret ? 0 : err_errno(err, -ENOMEM, "source");
}
