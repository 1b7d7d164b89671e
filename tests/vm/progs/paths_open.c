/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths_open WAY FILE: opens FILE for reading in one of the ways that the kernel has besides open(), and prints what is in it.
 * Exit status 0: it was read; 1: it was not, and why; 2: the way could not be tried.
 *
 *      beneath, in-root    openat2 from the file's folder, with RESOLVE_BENEATH or RESOLVE_IN_ROOT
 *      no-links            openat2 with RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS
 *      reopen              O_PATH first, then through /proc/self/fd
 *      deleted             the same, when it has been deleted in between
 *      handle              name_to_handle_at, open_by_handle_at
 *      handle-cold         the same, when the kernel has forgotten the file's name in between
 *      uring               io_uring, IORING_OP_OPENAT
 *      uring-worker        the same, by a worker of the kernel
 *      tree                open_tree(OPEN_TREE_CLONE) of the file's folder: a mount that is nowhere
 *      moved DIR           the same, mounted at DIR by move_mount
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TREE_CLONE 1
#define TREE_RECURSIVE 0x8000
#define MOVE_EMPTY_PATH 4

struct target {
        const char *file;
        char dir[PATH_MAX], name[PATH_MAX];
        const char *where;
};

static int cannot(const char *what) {
        perror(what);
        exit(2);
}

static int folder_open(const struct target *t) {
        int fd = open(t->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return fd >= 0 ? fd : cannot(t->dir);
}

static int by_openat2(const struct target *t, const char *name, uint64_t resolve) {
        struct open_how how = {.flags = O_RDONLY, .resolve = resolve};

        return (int)syscall(SYS_openat2, folder_open(t), name, &how, sizeof(how));
}

static int by_reopen(const struct target *t, bool gone) {
        int fd = open(t->file, O_PATH | O_CLOEXEC);
        char path[64];

        if (fd < 0 || (gone && unlink(t->file) < 0))
                cannot(t->file);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return open(path, O_RDONLY);
}

static int by_handle(const struct target *t, bool cold) {
        union {
                struct file_handle h;
                char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
        } handle = {.h.handle_bytes = MAX_HANDLE_SZ};
        int mount, mount_id, drop;

        mount = folder_open(t);
        mount = openat(mount, ".", O_RDONLY | O_DIRECTORY);
        if (mount < 0 || name_to_handle_at(AT_FDCWD, t->file, &handle.h, &mount_id, 0) < 0)
                cannot("name_to_handle_at");
        if (cold) {
                sync();
                drop = open("/proc/sys/vm/drop_caches", O_WRONLY);
                for (int i = 0; i < 3; i++)
                        if (drop < 0 || write(drop, "3", 1) != 1)
                                cannot("drop_caches");
        }
        return open_by_handle_at(mount, &handle.h, O_RDONLY);
}

static void *ring_map(int ring, size_t n, off_t what) {
        void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, what);

        if (p == MAP_FAILED)
                cannot("io_uring: mmap");
        return p;
}

static int by_uring(const struct target *t, bool worker) {
        struct io_uring_params p = {0};
        int ring = (int)syscall(SYS_io_uring_setup, 2, &p), r;
        char *sq, *cq;
        struct io_uring_sqe *sqe;
        unsigned *tail;

        if (ring < 0)
                cannot("io_uring_setup");
        sq = ring_map(ring, p.sq_off.array + p.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
        cq = ring_map(ring, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
        sqe = ring_map(ring, p.sq_entries * sizeof(*sqe), IORING_OFF_SQES);
        *sqe = (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
                                     .flags = worker ? IOSQE_ASYNC : 0,
                                     .fd = AT_FDCWD,
                                     .addr = (uint64_t)(uintptr_t)t->file,
                                     .open_flags = O_RDONLY};
        *(unsigned *)(sq + p.sq_off.array) = 0;
        tail = (unsigned *)(sq + p.sq_off.tail);
        __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
        if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
                cannot("io_uring_enter");
        r = ((struct io_uring_cqe *)(cq + p.cq_off.cqes))->res;
        if (r < 0)
                errno = -r;
        return r < 0 ? -1 : r;
}

static int by_tree(const struct target *t) {
        int tree = (int)syscall(SYS_open_tree, AT_FDCWD, t->dir, TREE_CLONE | TREE_RECURSIVE | O_CLOEXEC);

        if (tree < 0)
                cannot("open_tree");
        if (t->where) {
                if (syscall(SYS_move_mount, tree, "", AT_FDCWD, t->where, MOVE_EMPTY_PATH) < 0)
                        cannot("move_mount");
                tree = open(t->where, O_PATH | O_DIRECTORY);
        }
        return openat(tree, t->name, O_RDONLY);
}

static int file_open(const char *way, const struct target *t) {
        char rooted[PATH_MAX + 16];

        snprintf(rooted, sizeof(rooted), "/../%s", t->name);
        if (strcmp(way, "beneath") == 0)
                return by_openat2(t, t->name, RESOLVE_BENEATH);
        if (strcmp(way, "in-root") == 0)
                return by_openat2(t, rooted, RESOLVE_IN_ROOT);
        if (strcmp(way, "no-links") == 0)
                return by_openat2(t, t->name, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
        if (strcmp(way, "reopen") == 0 || strcmp(way, "deleted") == 0)
                return by_reopen(t, *way == 'd');
        if (strcmp(way, "handle") == 0 || strcmp(way, "handle-cold") == 0)
                return by_handle(t, way[6] != '\0');
        if (strcmp(way, "uring") == 0 || strcmp(way, "uring-worker") == 0)
                return by_uring(t, way[5] != '\0');
        if (strcmp(way, "tree") == 0 || strcmp(way, "moved") == 0)
                return by_tree(t);
        fprintf(stderr, "no way '%s'\n", way);
        exit(2);
}

int main(int argc, char **argv) {
        struct target t = {.where = argc == 4 ? argv[3] : NULL};
        char copy[PATH_MAX], text[256];
        ssize_t n;
        int fd;

        if (argc < 3 || argc > 4 || strlen(argv[2]) >= PATH_MAX) {
                fputs("usage: paths_open WAY FILE [DIR]\n", stderr);
                return 2;
        }
        t.file = argv[2];
        strcpy(copy, t.file);
        strcpy(t.dir, dirname(copy));
        strcpy(copy, t.file);
        strcpy(t.name, basename(copy));
        fd = file_open(argv[1], &t);
        n = fd < 0 ? -1 : read(fd, text, sizeof(text));
        if (n < 0) {
                perror(t.file);
                return 1;
        }
        fwrite(text, 1, (size_t)n, stdout);
        return fflush(stdout) == 0 ? 0 : 2;
}
