/* SPDX-License-Identifier: Apache-2.0 */
#include "probe_cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "fileio.h"

#define EMPTY_TRIES 200
#define EMPTY_PAUSE_NS 10000000 /* two seconds in all */
#define PROC_FILE_MAX (4u << 20)

/* ---- where this process is ---- */

/* The line "0::/PATH" of /proc/self/cgroup. */
static int hierarchy_path(char ret[static PATH_MAX], struct err *err) {
        cleanup_buf struct buf b = {};
        char *line, *end;
        int r;

        r = file_read(AT_FDCWD, "/proc/self/cgroup", PROC_FILE_MAX, &b, err);
        if (r < 0)
                return r;
        line = strncmp(b.data ? b.data : "", "0::/", 4) == 0 ? b.data : strstr(b.data ? b.data : "", "\n0::/");
        if (!line)
                return err_set(err, -ENODATA, REASON_KERNEL_UNSUPPORTED, "this process is in no cgroup v2");
        line += *line == '\n' ? 4 : 3;
        end = strchrnul(line, '\n');
        if ((size_t)(end - line) >= PATH_MAX)
                return err_set(err, -ENAMETOOLONG, REASON_KERNEL_UNSUPPORTED, "the path of this process's cgroup is too long");
        *end = 0;
        strcpy(ret, line);
        return 0;
}

/* One line of mountinfo: ID PARENT DEV ROOT MOUNTPOINT OPTIONS... - TYPE SOURCE OPTIONS (proc(5)). Octal escapes stand for white
 * space, which no sane cgroup mount has: such a one is passed over. */
static bool mount_line(char *line, char **ret_root, char **ret_at) {
        char *fields[5], *save = NULL, *sep = strstr(line, " - cgroup2 ");

        if (!sep)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                fields[i] = strtok_r(i == 0 ? line : NULL, " ", &save);
                if (!fields[i])
                        return false;
        }
        *ret_root = fields[3];
        *ret_at = fields[4];
        return !strchr(*ret_root, '\\') && !strchr(*ret_at, '\\');
}

int cgroup_own(char ret[static PATH_MAX], struct err *err) {
        cleanup_buf struct buf b = {};
        char path[PATH_MAX], *save = NULL;
        int r;

        r = hierarchy_path(path, err);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, "/proc/self/mountinfo", PROC_FILE_MAX, &b, err);
        if (r < 0)
                return r;
        for (char *line = strtok_r(b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *root, *at, *below = path;

                if (!mount_line(line, &root, &at))
                        continue;
                if (!streq(root, "/")) { /* a part of the hierarchy is mounted: is it one that holds this process? */
                        size_t n = strlen(root);

                        if (strncmp(path, root, n) != 0 || (path[n] != '/' && path[n] != 0))
                                continue;
                        below += n;
                }
                if (snprintf(ret, PATH_MAX, "%s%s", at, streq(below, "/") ? "" : below) < PATH_MAX)
                        return 0;
        }
        return err_set(err, -ENODATA, REASON_KERNEL_UNSUPPORTED, "cgroup v2 is not mounted where this process is (%s)", path);
}

/* ---- the probe's ---- */

static int kill_each(int dirfd) {
        cleanup_buf struct buf b = {};
        char *save = NULL;
        int r;

        r = file_read(dirfd, "cgroup.procs", PROC_FILE_MAX, &b, NULL);
        if (r < 0 || !b.data)
                return r;
        for (char *line = strtok_r(b.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                pid_t pid = atoi(line);

                if (pid > 1)
                        kill(pid, SIGKILL);
        }
        return 0;
}

static int kill_all(int dirfd) {
        cleanup_fd int fd = openat(dirfd, "cgroup.kill", O_WRONLY | O_CLOEXEC);

        if (fd >= 0 && write(fd, "1", 1) == 1)
                return 0;
        return kill_each(dirfd); /* no cgroup.kill before 5.14; and again, against one that forks */
}

/* 1: nothing lives in it; 0: something does. */
static int is_empty(int dirfd) {
        cleanup_buf struct buf b = {};
        int r = file_read(dirfd, "cgroup.events", 4096, &b, NULL);

        return r < 0 ? r : b.data && strstr(b.data, "populated 0");
}

static int empty(int dirfd) {
        for (int i = 0; i < EMPTY_TRIES; i++) {
                int r = is_empty(dirfd);

                if (r != 0)
                        return r < 0 ? r : 0;
                kill_all(dirfd);
                clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = EMPTY_PAUSE_NS}, NULL);
        }
        return -EBUSY;
}

static int cgroup_id(int fd, uint64_t *ret) {
        union {
                struct file_handle h;
                char room[sizeof(struct file_handle) + sizeof(*ret)];
        } u = {.h.handle_bytes = sizeof(*ret)};
        int mount;

        if (name_to_handle_at(fd, "", &u.h, &mount, AT_EMPTY_PATH) < 0)
                return -errno;
        if (u.h.handle_bytes != sizeof(*ret))
                return -EPROTO;
        memcpy(ret, u.h.f_handle, sizeof(*ret)); /* FILEID_KERNFS: the id, in the machine's byte order */
        return 0;
}

int probe_cgroup_open(const char *parent, struct probe_cgroup *ret, struct err *err) {
        struct probe_cgroup cg = PROBE_CGROUP_INIT;
        cleanup_fd int fd = -1;
        char own[PATH_MAX];
        int r;

        if (!parent) {
                r = cgroup_own(own, err);
                if (r < 0)
                        return r;
                parent = own;
        }
        if (snprintf(cg.path, sizeof(cg.path), "%s/" PROBE_CGROUP_NAME, parent) >= PATH_MAX)
                return err_errno(err, -ENAMETOOLONG, "cgroup %s", parent);

        if (mkdir(cg.path, 0755) < 0 && errno != EEXIST)
                return err_errno(err, -errno, "cannot make the cgroup %s", cg.path);
        fd = open(cg.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return err_errno(err, -errno, "cannot open the cgroup %s", cg.path);
        /* Held as long as fd is; gone with an agent that dies. */
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return err_set(err, -EBUSY, REASON_BUSY, "another agent uses the cgroup %s", cg.path);
        r = empty(fd);
        if (r < 0)
                return err_errno(err, r, "cannot empty the cgroup %s", cg.path);
        r = cgroup_id(fd, &cg.id);
        if (r < 0)
                return err_errno(err, r, "cannot read the id of the cgroup %s", cg.path);

        cg.fd = steal_fd(&fd);
        *ret = cg;
        return 0;
}

int probe_cgroup_renew(struct probe_cgroup *cg, struct err *err) {
        char parent[PATH_MAX], *end;
        int r = empty(cg->fd);

        strcpy(parent, cg->path);
        end = strrchr(parent, '/');
        if (end)
                *end = 0;
        /* Removed under the lock. An agent that takes the name in between has it: that is said as it always is. */
        if (r >= 0 && rmdir(cg->path) < 0)
                r = -errno;
        if (r < 0)
                err_errno(err, r, "cannot replace the cgroup %s", cg->path);
        close_p(&cg->fd);
        *cg = PROBE_CGROUP_INIT;
        return r < 0 ? r : probe_cgroup_open(parent, cg, err);
}

void probe_cgroup_close(struct probe_cgroup *cg) {
        if (cg->fd >= 0) {
                empty(cg->fd);
                rmdir(cg->path); /* under the lock: it may not be another agent's yet */
                close(cg->fd);
        }
        *cg = PROBE_CGROUP_INIT;
}
