/* SPDX-License-Identifier: Apache-2.0 */
#include "bpffs.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

int pin_path(char ret[static PATH_MAX], const char *fmt, ...) {
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(ret, PATH_MAX, fmt, ap);
        va_end(ap);
        return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

int pin_mkdir(const char *path, struct err *err) {
        char part[PATH_MAX];
        size_t n = strlen(path);

        if (n >= sizeof(part))
                return err_errno(err, -ENAMETOOLONG, "%s", path);
        for (size_t i = 1; i <= n; i++) {
                if (path[i] != '/' && path[i] != '\0')
                        continue;
                memcpy(part, path, i);
                part[i] = '\0';
                if (mkdir(part, 0700) < 0 && errno != EEXIST)
                        return err_errno(err, -errno, "cannot make %s", part);
        }
        return 0;
}

int pin_get(const char *path) {
        int fd = bpf_obj_get(path);

        return fd < 0 ? -errno : fd;
}

int pin_put(int fd, const char *path, struct err *err) {
        return bpf_obj_pin(fd, path) < 0 ? err_errno(err, -errno, "cannot pin %s", path) : 0;
}

void strings_free(char **strings, size_t n) {
        for (size_t i = 0; i < n; i++)
                free(strings[i]);
        free(strings);
}

static int by_name(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

int pin_list(const char *path, char ***ret, size_t *ret_n, struct err *err) {
        char **names = NULL;
        struct dirent *d;
        size_t n = 0;
        DIR *dir;

        dir = opendir(path);
        if (!dir && errno != ENOENT)
                return err_errno(err, -errno, "cannot list %s", path);
        while (dir && (d = readdir(dir))) {
                char **more;

                if (d->d_name[0] == '.')
                        continue;
                more = reallocarray(names, n + 1, sizeof(*names));
                if (more)
                        names = more;
                if (!more || !(names[n] = strdup(d->d_name))) {
                        strings_free(names, n);
                        closedir(dir);
                        return -ENOMEM;
                }
                n++;
        }
        if (dir)
                closedir(dir);
        if (n)
                qsort(names, n, sizeof(*names), by_name);
        *ret = names;
        *ret_n = n;
        return 0;
}

int pin_remove(const char *path, struct err *err) {
        char **names, child[PATH_MAX];
        size_t n;
        int r;

        if (unlink(path) == 0 || errno == ENOENT)
                return 0;
        r = pin_list(path, &names, &n, err);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                r = pin_path(child, "%s/%s", path, names[i]);
                if (r >= 0)
                        r = pin_remove(child, err);
        }
        if (r >= 0) {
                strings_free(names, n);
                if (rmdir(path) < 0)
                        r = err_errno(err, -errno, "cannot remove %s", path);
        }
        return r;
}

int pin_map_mmap(int fd, size_t size, void **ret) {
        void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        if (p == MAP_FAILED)
                return -errno;
        *ret = p;
        return 0;
}

int pin_map_adopt(const char *path, const char *name, uint32_t type, uint32_t key, uint32_t value, uint32_t max, uint32_t flags,
                  struct err *err) {
        LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
        int fd = pin_get(path), r;

        if (fd >= 0)
                return fd;
        if (fd != -ENOENT)
                return err_errno(err, fd, "cannot open the pin %s", path);
        fd = bpf_map_create((enum bpf_map_type)type, name, key, value, max, &opts);
        if (fd < 0)
                return err_errno(err, -errno, "cannot make the map %s", name);
        r = pin_put(fd, path, err);
        if (r < 0) {
                close(fd);
                return r;
        }
        return fd;
}
