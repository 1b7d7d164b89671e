/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "fileio.h"
#include "probe_cgroup.h"

#define CGROUP_ROOT_INODE 1
#define CHILDREN_MAX 65536

/* ---- the maps --------------------------------------------------------------------------------------------------------- */

/* Task storage is the one kind of map that the kernel does not make without knowing its types. */
static int tasks_make(void) {
        LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
        struct btf *btf = btf__new_empty();
        int key, value, fd, r;

        if (!btf)
                return -ENOMEM;
        key = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
        value = btf__add_int(btf, "__u64", 8, 0);
        r = key < 0 ? key : value < 0 ? value : btf__load_into_kernel(btf);
        if (r >= 0) {
                opts.btf_fd = (uint32_t)btf__fd(btf);
                opts.btf_key_type_id = (uint32_t)key;
                opts.btf_value_type_id = (uint32_t)value;
                fd = bpf_map_create(BPF_MAP_TYPE_TASK_STORAGE, LSM_GUARD_TASKS, 4, 8, 0, &opts);
                r = fd < 0 ? -errno : fd;
        }
        btf__free(btf);
        return r;
}

static int tasks_adopt(const char *path, struct err *err) {
        int fd = pin_get(path), r;

        if (fd != -ENOENT)
                return fd < 0 ? err_errno(err, fd, "cannot open the pin %s", path) : fd;
        fd = tasks_make();
        if (fd < 0)
                return err_set(err, fd, REASON_KERNEL_UNSUPPORTED, "cannot make the map %s: %s", LSM_GUARD_TASKS, strerror(-fd));
        r = pin_put(fd, path, err);
        if (r < 0) {
                close(fd);
                return r;
        }
        return fd;
}

static int maps_open(struct guard *g, struct err *err) {
        char path[PATH_MAX];
        int r;

        pin_path(path, "%s/agent/guard-tasks", g->dir);
        r = g->tasks = tasks_adopt(path, err);
        if (r >= 0) {
                pin_path(path, "%s/agent/guard-objects", g->dir);
                r = g->objects = pin_map_adopt(path, LSM_GUARD_OBJECTS, BPF_MAP_TYPE_HASH, sizeof(struct lsm_guard_object), 1,
                                               LSM_GUARD_OBJECTS_MAX, BPF_F_NO_PREALLOC, err);
        }
        if (r >= 0) {
                pin_path(path, "%s/agent/guard-node", g->dir);
                r = g->node = pin_map_adopt(path, LSM_GUARD_NODE, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct lsm_guard_node), 1,
                                            BPF_F_MMAPABLE, err);
        }
        if (r >= 0) {
                r = pin_map_mmap(g->node, sizeof(*g->map), (void **)&g->map);
                if (r < 0)
                        err_errno(err, r, "cannot map %s", LSM_GUARD_NODE);
        }
        return r;
}

/* ---- its tasks ---------------------------------------------------------------------------------------------------------- */

static int task_mark(const struct guard *g, pid_t pid) {
        cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        uint64_t mark = LSM_GUARD_ANY;

        if (pidfd < 0)
                return -errno;
        return bpf_map_update_elem(g->tasks, &pidfd, &mark, BPF_ANY) < 0 ? -errno : 0;
}

/* One that has gone meanwhile needs no mark. */
void guard_children(const struct guard *g) {
        cleanup_buf struct buf text = {0};
        char path[64], *save = NULL, *word;

        if (g->tasks < 0)
                return;
        snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
        if (file_read(AT_FDCWD, path, CHILDREN_MAX, &text, NULL) < 0 || !text.data)
                return;
        for (word = strtok_r(text.data, " \n", &save); word; word = strtok_r(NULL, " \n", &save))
                task_mark(g, (pid_t)atoi(word));
}

/* ---- where it lives ------------------------------------------------------------------------------------------------------ */

/* As the kernel has it in s_dev. */
static uint32_t device(const char *path) {
        struct stat st;

        return stat(path, &st) < 0 ? 0 : (major(st.st_dev) << 20 | minor(st.st_dev));
}

static uint64_t inode(const char *path) {
        struct stat st;

        return stat(path, &st) < 0 ? 0 : st.st_ino;
}

/* Of the node, whoever asks. */
static void places_tell(struct guard *g) {
        g->map->mnt_ns = (uint32_t)inode("/proc/self/ns/mnt");
        g->map->bpffs_dev = device(g->dir);
        g->map->bpffs_inode = inode(g->dir);
        g->map->proc_dev = device("/proc");
}

/* From the agent's own up to the root, without it. In the version 2 hierarchy a directory's inode number is the cgroup's id. */
static void cgroups_tell(struct guard *g) {
        uint64_t ids[LSM_GUARD_CGROUPS] = {0};
        char path[PATH_MAX], *slash;

        if (cgroup_own(path, NULL) < 0)
                return;
        g->map->cgroup_dev = device(path);
        for (size_t i = 0; i < LSM_GUARD_CGROUPS; i++) {
                ids[i] = inode(path);
                slash = strrchr(path, '/');
                if (ids[i] == CGROUP_ROOT_INODE || !slash || slash == path) {
                        ids[i] = 0;
                        break;
                }
                *slash = '\0';
        }
        for (size_t i = 0; i < LSM_GUARD_CGROUPS; i++)
                __atomic_store_n(&g->map->cgroups[i], ids[i], __ATOMIC_RELAXED);
}

void guard_renew(struct guard *g) {
        struct timespec now;

        if (!g->map)
                return;
        clock_gettime(CLOCK_BOOTTIME, &now);
        cgroups_tell(g);
        g->map->supervisor = (uint32_t)getpid();
        memset(g->map->supervisor_name, 0, sizeof(g->map->supervisor_name));
        snprintf(g->map->supervisor_name, sizeof(g->map->supervisor_name), "%d", getpid());
        __atomic_store_n(&g->map->renewed_ns, (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, __ATOMIC_RELEASE);
}

void guard_leave(struct guard *g) {
        if (!g->map)
                return;
        g->map->supervisor = 0;
        memset(g->map->supervisor_name, 0, sizeof(g->map->supervisor_name));
        memset(g->map->cgroups, 0, sizeof(g->map->cgroups));
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------- */

int guard_open(const char *dir, struct guard *ret, struct err *err) {
        struct guard g = GUARD_INIT;
        int r;

        snprintf(g.dir, sizeof(g.dir), "%s", dir);
        r = maps_open(&g, err);
        if (r >= 0) {
                r = task_mark(&g, getpid());
                if (r < 0)
                        err_errno(err, r, "cannot mark itself as the agent");
        }
        if (r < 0) {
                guard_close(&g);
                return r;
        }
        places_tell(&g);
        *ret = g;
        return 0;
}

void guard_close(struct guard *g) {
        if (g->map)
                munmap(g->map, sizeof(*g->map));
        close_p(&g->tasks);
        close_p(&g->objects);
        close_p(&g->node);
        *g = GUARD_INIT;
}
