/* SPDX-License-Identifier: Apache-2.0 */
#include "path.h"

#include <stdio.h>

#include "buf.h"

char *path_join(const char *dir, const char *path) {
        char *r;

        if (path[0] == '/')
                return strdup(path);
        return asprintf(&r, "%s/%s", dir, path) < 0 ? NULL : r;
}

char *path_normal(const char *path) {
        char *out = new_array(strlen(path) + 2, 1);
        size_t n = 0;

        if (!out)
                return NULL;
        while (*path) {
                size_t len = strcspn(path, "/");

                if (len == 2 && strncmp(path, "..", 2) == 0) {
                        while (n > 0 && out[--n] != '/')
                                ;
                } else if (len > 0 && !(len == 1 && path[0] == '.')) {
                        out[n++] = '/';
                        memcpy(out + n, path, len);
                        n += len;
                }
                path += len;
                path += strspn(path, "/");
        }
        if (n == 0)
                out[n++] = '/';
        out[n] = '\0';
        return out;
}

bool path_under(const char *dir, const char *path) {
        size_t n = strlen(dir);

        if (streq(dir, "/"))
                return path[0] == '/';
        return strncmp(dir, path, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

char *path_common(const char *a, const char *b) {
        size_t i = 0, last = 0;

        for (;; i++) {
                bool a_end = a[i] == '/' || a[i] == '\0', b_end = b[i] == '/' || b[i] == '\0';

                if (a_end && b_end)
                        last = i;
                if (a[i] != b[i] || a[i] == '\0')
                        break;
        }
        return last == 0 ? strdup("/") : strndup(a, last);
}

char *path_relative(const char *dir, const char *path) {
        cleanup_free char *common = path_common(dir, path);
        cleanup_buf struct buf out = {};
        const char *up, *down;

        if (!common)
                return NULL;
        up = dir + (streq(common, "/") ? 0 : strlen(common));
        down = path + (streq(common, "/") ? 0 : strlen(common));
        while (*up == '/')
                up++;
        while (*down == '/')
                down++;
        while (*up) {
                if (buf_append(&out, "../", 3) < 0)
                        return NULL;
                up += strcspn(up, "/");
                up += strspn(up, "/");
        }
        if (buf_append(&out, down, strlen(down)) < 0)
                return NULL;
        while (out.len > 0 && out.data[out.len - 1] == '/')
                out.data[--out.len] = '\0';
        return strdup(out.len > 0 ? out.data : ".");
}

char *path_dir(const char *path) {
        const char *slash = strrchr(path, '/');

        if (!slash)
                return strdup(".");
        return slash == path ? strdup("/") : strndup(path, slash - path);
}

char *path_shown(const char *path) {
        cleanup_free char *here = getcwd(NULL, 0);

        if (!here || streq(here, "/") || streq(here, path) || !path_under(here, path))
                return strdup(path);
        return strdup(path + strlen(here) + 1);
}
