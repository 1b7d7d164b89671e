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
