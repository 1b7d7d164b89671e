/* SPDX-License-Identifier: Apache-2.0 */
#include "tuf_path.h"

#include "digest.h"

static bool is_unreserved(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

int tuf_role_encode(const char *role, struct buf *out) {
        cleanup_buf struct buf b = {};

        for (; *role; role++) {
                int r = is_unreserved(*role) ? buf_append(&b, role, 1) : buf_printf(&b, "%%%02X", (unsigned)(uint8_t)*role);

                if (r < 0)
                        return r;
                if (b.len > TUF_ROLE_ENCODED_MAX)
                        return -ENAMETOOLONG;
        }
        return buf_append(out, b.data, b.len);
}

int tuf_metadata_name(const char *role, long long version, struct buf *out, struct err *err) {
        cleanup_buf struct buf b = {};
        int r = version > 0 ? buf_printf(&b, "%lld.", version) : 0;

        if (r >= 0)
                r = tuf_role_encode(role, &b);
        if (r >= 0)
                r = buf_printf(&b, ".json");
        if (r >= 0)
                r = buf_append(out, b.data, b.len);
        return r < 0 ? err_errno(err, r, "a role's name") : 0;
}

bool tuf_role_is_top(const char *role) {
        return streq(role, "root") || streq(role, "timestamp") || streq(role, "snapshot") || streq(role, "targets");
}

/* The code point at s (valid UTF-8), and where the next one begins. */
static uint32_t code_point(const char **s) {
        const uint8_t *p = (const uint8_t *)*s;
        int more = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : p[0] >= 0xc0 ? 1 : 0;
        uint32_t c = more == 3 ? p[0] & 0x07 : more == 2 ? p[0] & 0x0f : more == 1 ? p[0] & 0x1f : p[0];

        for (int i = 1; i <= more && p[i]; i++)
                c = c << 6 | (p[i] & 0x3f);
        for ((*s)++; more > 0 && (**s & 0xc0) == 0x80; more--)
                (*s)++;
        return c;
}

/* [...] at *pattern: does c belong to it? Without a closing bracket, "[" is itself. */
static bool set_matches(const char **pattern, uint32_t c) {
        const char *p = *pattern + 1, *end;
        bool negated = *p == '!', found = false;

        p += negated;
        end = *p ? strchr(p + 1, ']') : NULL; /* a first "]" is a member */
        if (!end || memchr(*pattern, '/', (size_t)(end - *pattern))) {
                (*pattern)++;
                return c == '[';
        }
        while (p < end) {
                uint32_t from = code_point(&p), to = from;

                if (*p == '-' && p + 1 < end) {
                        p++;
                        to = code_point(&p);
                }
                found |= c >= from && c <= to;
        }
        *pattern = end + 1;
        return found != negated;
}

/* One code point of the path against one element of the pattern, which is not `*`; both move on. */
static bool one_matches(const char **pattern, const char **path) {
        uint32_t c = code_point(path);

        if (**pattern == '[' && c != '/')
                return set_matches(pattern, c);
        if (**pattern == '?' && c != '/') {
                (*pattern)++;
                return true;
        }
        return **pattern && code_point(pattern) == c;
}

/* When something does not match, the last `*` takes one more code point; an earlier one never needs to: what stands between both
 * was found at its first place. But a `*` stops at a slash, and slashes match slashes alone: each part is on its own. */
bool tuf_path_matches(const char *pattern, const char *path) {
        const char *star = NULL, *star_path = NULL;

        for (;;) {
                if (*pattern == '*') {
                        star = ++pattern;
                        star_path = path;
                        continue;
                }
                if (!*path && !*pattern)
                        return true;
                if (*path) {
                        bool slash = *path == '/';

                        if (one_matches(&pattern, &path)) {
                                if (slash)
                                        star = NULL;
                                continue;
                        }
                }
                if (!star || !*star_path || *star_path == '/')
                        return false;
                (void)code_point(&star_path);
                pattern = star;
                path = star_path;
        }
}

bool tuf_path_hash_matches(const char *prefix, const char *path) {
        uint8_t digest[SHA256_SIZE];
        char hex[SHA256_HEX];

        if (sha256(path, strlen(path), digest) < 0)
                return false;
        hex_encode(digest, sizeof(digest), hex);
        return strncasecmp(hex, prefix, strlen(prefix)) == 0;
}

int tuf_path_bin(const char *prefix, int bits, const char *path, struct buf *out) {
        uint8_t d[SHA256_SIZE];
        uint32_t bin;
        int r = sha256(path, strlen(path), d);

        if (r < 0)
                return r;
        if (bits < 1 || bits > 32)
                return -EINVAL;
        bin = ((uint32_t)d[0] << 24 | (uint32_t)d[1] << 16 | (uint32_t)d[2] << 8 | d[3]) >> (32 - bits);
        return buf_printf(out, "%s-%0*x", prefix, (bits + 3) / 4, bin);
}

int tuf_path_check(const char *path, struct err *err) {
        const char *part = path;

        if (!*path || *path == '/')
                return err_set(err, -EBADMSG, REASON_UNSAFE_PATH, "a target's path is empty or absolute");
        for (;;) {
                size_t n = strcspn(part, "/");

                if ((n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
                        return err_set(err, -EBADMSG, REASON_UNSAFE_PATH, "a target's path has a part \".\" or \"..\"");
                if (!part[n])
                        return 0;
                part += n + 1;
        }
}

int tuf_target_name(const char *path, const char *hash, struct buf *out, struct err *err) {
        const char *slash = strrchr(path, '/');
        int dir = slash ? (int)(slash - path) + 1 : 0;
        int r = tuf_path_check(path, err);

        if (r < 0)
                return r;
        if (strlen(path) > 4096)
                return err_set(err, -ENAMETOOLONG, REASON_UNSAFE_PATH, "a target's path of more than 4096 bytes");
        r = hash ? buf_printf(out, "%.*s%s.%s", dir, path, hash, path + dir) : buf_printf(out, "%s", path);
        return r < 0 ? err_errno(err, r, "a target's name") : 0;
}
