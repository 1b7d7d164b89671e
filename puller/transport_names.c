/* SPDX-License-Identifier: Apache-2.0 */
#include "transport_names.h"

#include <stdio.h>
#include <strings.h>

#define BRANCH_MAX 200
#define SSH_PORT 22
#define GIT_USER "git"

static bool is_alnum(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* ---- paths ---- */

static bool component_reserved(const char *p, size_t n) {
        return n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.') ||
               (n == 4 && strncasecmp(p, ".git", n) == 0) || (n == 5 && strncasecmp(p, "git~1", n) == 0);
}

bool transport_name_odd(const char *name) {
        for (const char *p = name; *p; p++)
                if ((unsigned char)*p < ' ' || *p == 0x7f || *p == '/' || *p == '\\')
                        return true;
        return component_reserved(name, strlen(name));
}

bool transport_path_valid(const char *path) {
        size_t n = strlen(path);

        if (n == 0 || n >= TRANSPORT_PATH_MAX)
                return false;
        for (size_t i = 0; i < n; i++)
                if (path[i] < ' ' || path[i] > '~' || path[i] == '\\')
                        return false;
        for (const char *p = path;; p++) {
                size_t part = strcspn(p, "/");

                if (component_reserved(p, part))
                        return false;
                p += part;
                if (!*p)
                        return true;
        }
}

bool transport_branch_valid(const char *branch) {
        size_t n = strlen(branch);

        if (n == 0 || n > BRANCH_MAX || branch[0] == '-' || branch[0] == '/' || branch[n - 1] == '/' || branch[n - 1] == '.')
                return false;
        for (size_t i = 0; i < n; i++)
                if (!is_alnum(branch[i]) && !strchr("._/-+@", branch[i]))
                        return false;
        for (const char *p = branch; *p; p += strcspn(p, "/"), p += *p == '/') {
                size_t part = strcspn(p, "/");

                if (part == 0 || p[0] == '.' || (part >= 5 && strncmp(p + part - 5, ".lock", 5) == 0))
                        return false;
        }
        return !strstr(branch, "..") && !strstr(branch, "//");
}

/* ---- https ---- */

/* What a name may hold, but a URL may not, is percent-encoded; so is "%" itself, for it is a file's name that we have. */
static int path_encode(const char *path, struct buf *out) {
        int r = 0;

        for (const char *p = path; *p && r == 0; p++)
                if (is_alnum(*p) || strchr("-._~/", *p))
                        r = buf_append(out, p, 1);
                else
                        r = buf_printf(out, "%%%02X", (unsigned char)*p);
        return r;
}

static bool url_plain(const char *url, const char *scheme) {
        size_t n = strlen(scheme);

        if (strncasecmp(url, scheme, n) != 0 || !url[n] || url[n] == '/' || strlen(url) >= TRANSPORT_PATH_MAX)
                return false;
        for (const char *p = url; *p; p++)
                if (*p <= ' ' || *p > '~' || strchr("?#\\\"<>", *p))
                        return false;
        return true;
}

int transport_url_join(const char *base, const char *path, struct buf *out, struct err *err) {
        size_t n = strlen(base);
        int r;

        if (!url_plain(base, "https://"))
                return err_set(err, -EINVAL, REASON_CONFIG,
                               "the source is not a URL like https://HOST/FOLDER, without '?' and '#'");
        while (n > 0 && base[n - 1] == '/')
                n--;
        r = buf_append(out, base, n);
        if (r == 0)
                r = buf_append(out, "/", 1);
        if (r == 0)
                r = path_encode(path, out);
        return r < 0 ? err_errno(err, r, "URL") : 0;
}

/* ---- Git ---- */

static int not_a_repo(struct err *err) {
        return err_set(err, -EINVAL, REASON_CONFIG,
                       "a Git source is https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH or an absolute path");
}

static bool text_copy(char *to, size_t size, const char *from, size_t n) {
        if (n >= size)
                return false;
        memcpy(to, from, n);
        to[n] = 0;
        return true;
}

static bool user_valid(const char *p, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (!is_alnum(p[i]) && !strchr("._+-", p[i]))
                        return false;
        return n > 0 && p[0] != '-';
}

static bool host_valid(const char *host, bool v6) {
        for (const char *p = host; *p; p++)
                if (!is_alnum(*p) && !strchr(v6 ? ":.%" : "._-", *p))
                        return false;
        return *host && *host != '-';
}

static bool port_parse(const char *p, size_t n, uint16_t *ret) {
        uint32_t port = 0;

        if (n == 0 || n > 5)
                return false;
        for (size_t i = 0; i < n; i++) {
                if (p[i] < '0' || p[i] > '9')
                        return false;
                port = port * 10 + (p[i] - '0');
        }
        *ret = port;
        return port > 0 && port <= UINT16_MAX;
}

/* Everything up to the path: [USER@]HOST[:PORT]. */
static bool authority_parse(const char *p, size_t n, struct branch_address *a) {
        const char *at = memchr(p, '@', n), *host = p, *end = p + n, *host_end, *port = NULL;
        bool v6;

        if (at) {
                if (!user_valid(p, at - p) || !text_copy(a->user, sizeof(a->user), p, at - p))
                        return false;
                host = at + 1;
        }
        v6 = host < end && *host == '[';
        if (v6) {
                host++;
                host_end = memchr(host, ']', end - host);
                if (!host_end)
                        return false;
                port = host_end + 1;
        } else {
                host_end = memchr(host, ':', end - host);
                port = host_end = host_end ? host_end : end;
        }
        if (!text_copy(a->host, sizeof(a->host), host, host_end - host) || !host_valid(a->host, v6))
                return false;
        a->port = 0;
        return port == end || (*port == ':' && port_parse(port + 1, end - port - 1, &a->port));
}

/* It becomes a word of the remote shell: quoted there, but nothing that looks like an option, and nothing unprintable. */
static bool ssh_path_valid(const char *path) {
        for (const char *p = path; *p; p++)
                if (*p < ' ' || *p > '~')
                        return false;
        return *path && *path != '-';
}

static int ssh_parse(const char *authority, size_t n, const char *path, struct branch_address *a, struct err *err) {
        a->reach = BRANCH_SSH;
        if (!authority_parse(authority, n, a) || !ssh_path_valid(path) ||
            !text_copy(a->path, sizeof(a->path), path, strlen(path)))
                return not_a_repo(err);
        if (a->port == 0)
                a->port = SSH_PORT;
        if (!a->user[0])
                strcpy(a->user, GIT_USER);
        return 0;
}

static int https_parse(const char *url, struct branch_address *a, struct err *err) {
        const char *authority = url + strlen("https://");
        size_t n = strcspn(authority, "/"), len = strlen(url);
        const char *at = memchr(authority, '@', n);

        a->reach = BRANCH_HTTPS;
        if (!url_plain(url, "https://") || !authority_parse(authority, n, a) || !authority[n])
                return not_a_repo(err);
        while (len > 0 && url[len - 1] == '/')
                len--;
        if (at)
                authority = at + 1;
        snprintf(a->url, sizeof(a->url), "https://%.*s", (int)(url + len - authority), authority);
        return 0;
}

int transport_address_parse(const char *url, struct branch_address *ret, struct err *err) {
        size_t n = strcspn(url, "/:");

        *ret = (struct branch_address){};
        if (strncasecmp(url, "https://", 8) == 0)
                return https_parse(url, ret, err);
        if (strncasecmp(url, "ssh://", 6) == 0) {
                const char *authority = url + 6, *path = strchr(authority, '/');

                return path ? ssh_parse(authority, path - authority, path, ret, err) : not_a_repo(err);
        }
        if (url[0] == '/') {
                ret->reach = BRANCH_LOCAL;
                return text_copy(ret->path, sizeof(ret->path), url, strlen(url)) ? 0 : not_a_repo(err);
        }
        /* As scp has it; no other scheme may pass for a host. */
        if (url[n] == ':' && memchr(url, '@', n) && strncmp(url + n, "://", 3) != 0)
                return ssh_parse(url, n, url + n + 1, ret, err);
        return not_a_repo(err);
}
