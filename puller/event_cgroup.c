/* SPDX-License-Identifier: Apache-2.0 */
#include "event_cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>

/* include/linux/exportfs.h: the handle of a kernfs node is its id, and so is what bpf_get_current_cgroup_id() returns. */
#define FILEID_KERNFS 0xfe

struct cgroup_mount cgroup_mount_open(void) {
        static const char *const places[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
        struct cgroup_mount m = {.fd = -1};

        for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
                cleanup_fd int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                struct statfs fs;

                if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC) {
                        snprintf(m.path, sizeof(m.path), "%s", places[i]);
                        m.fd = steal_fd(&fd);
                        break;
                }
        }
        return m;
}

void cgroup_mount_close(struct cgroup_mount *m) {
        close_p(&m->fd);
        m->fd = -1;
}

static int cgroup_open(const struct cgroup_mount *m, uint64_t id) {
        union {
                struct file_handle handle;
                char room[sizeof(struct file_handle) + sizeof(id)];
        } h = {.handle = {.handle_bytes = sizeof(id), .handle_type = FILEID_KERNFS}};
        int fd;

        if (m->fd < 0)
                return -ENOENT;
        memcpy(h.handle.f_handle, &id, sizeof(id));
        fd = open_by_handle_at(m->fd, &h.handle, O_PATH | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static bool is_id(const char *p, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (!strchr("0123456789abcdef", p[i]))
                        return false;
        return n == 64;
}

/* PREFIX and something, and SUFFIX: the something. */
static bool between(const char *p, size_t n, const char *prefix, const char *suffix, const char **ret, size_t *ret_len) {
        size_t before = strlen(prefix), after = strlen(suffix);

        if (n <= before + after || memcmp(p, prefix, before) != 0 || memcmp(p + n - after, suffix, after) != 0)
                return false;
        *ret = p + before;
        *ret_len = n - before - after;
        return true;
}

/* One component. Those of builder/scope.c, and bare ids, as runtimes name them that do not use systemd. */
static bool component_container(const char *p, size_t n, const char **ret, size_t *ret_len) {
        static const char *const known[][2] = {
                {"docker-", ".scope"}, {"libpod-", ".scope"},  {"cri-containerd-", ".scope"},
                {"crio-", ".scope"},   {"machine-", ".scope"}, {"lxc.payload.", ""},
        };

        /* libpod-conmon-ID.scope, crio-conmon-ID.scope: the monitor, outside the container. */
        if (between(p, n, "libpod-conmon-", ".scope", ret, ret_len) || between(p, n, "crio-conmon-", ".scope", ret, ret_len))
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (between(p, n, known[i][0], known[i][1], ret, ret_len))
                        return true;
        if (!is_id(p, n))
                return false;
        *ret = p;
        *ret_len = n;
        return true;
}

bool cgroup_container(const char *path, const char **ret, size_t *ret_len) {
        bool found = false;

        for (const char *p = path; *p;) {
                size_t n = strcspn(p, "/");
                const char *name;
                size_t len;

                if (component_container(p, n, &name, &len)) {
                        *ret = name;
                        *ret_len = len;
                        found = true;
                }
                p += n;
                p += strspn(p, "/");
        }
        return found;
}

int cgroup_gone(const struct cgroup_mount *m, uint64_t id) {
        cleanup_fd int fd = cgroup_open(m, id);

        return fd == -ESTALE ? 1 : fd < 0 ? fd : 0;
}

int cgroup_path_of(const struct cgroup_mount *m, uint64_t id, char ret[static PATH_MAX]) {
        char link[64], path[PATH_MAX];
        size_t skip = strlen(m->path);
        cleanup_fd int fd = cgroup_open(m, id);
        ssize_t n;

        if (fd < 0)
                return fd;
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, path, sizeof(path) - 1);
        if (n < 0)
                return -errno;
        path[n] = '\0';
        if (strncmp(path, m->path, skip) != 0 || (path[skip] != '/' && path[skip] != '\0'))
                return -ESTALE;
        snprintf(ret, PATH_MAX, "%s", path[skip] ? path + skip : "/");
        return 0;
}
