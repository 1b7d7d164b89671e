/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of what is kept on disk: a state folder, descriptors counted, disks that are full or read-only, calls that fail. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "err.h"
#include "fileio.h"
#include "util.h"

#define SKIPPED 77

static inline size_t open_fds(void) {
        DIR *d = opendir("/proc/self/fd");
        size_t n = 0;

        assert_non_null(d);
        while (readdir(d))
                n++;
        closedir(d);
        return n;
}

/* A folder of its own for each test, at *state. */
struct place {
        char path[64];
        int fd;
};

static inline int place_make(void **state) {
        struct place *p = calloc(1, sizeof(*p));

        strcpy(p->path, "/tmp/lsm-state.XXXXXX");
        if (!mkdtemp(p->path))
                return -1;
        p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *state = p;
        return p->fd < 0 ? -1 : 0;
}

static inline int place_remove(void **state) {
        struct place *p = *state;
        char command[96];
        int r;

        close(p->fd);
        snprintf(command, sizeof(command), "rm -rf '%s'", p->path);
        r = system(command);
        free(p);
        return r;
}

static inline int state_fd(void **state) {
        return ((struct place *)*state)->fd;
}

/* Replaces a file below the state folder by what no program of ours wrote. */
static inline void file_put(int dirfd, const char *path, const void *p, size_t n) {
        int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, p, n), 0);
        close(fd);
}

static inline void file_get(int dirfd, const char *path, struct buf *ret) {
        assert_int_equal(file_read(dirfd, path, 16 << 20, ret, NULL), 0);
}

static inline bool exists(int dirfd, const char *path) {
        return faccessat(dirfd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline size_t entries(int dirfd, const char *path) {
        int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
        size_t n = 0;

        if (!d)
                return 0;
        for (struct dirent *e; (e = readdir(d));)
                n += !streq(e->d_name, ".") && !streq(e->d_name, "..");
        closedir(d);
        return n;
}

/* A child's verdict: it ends with 0, or SKIPPED, or it has said why not. */
#define CHILD_ASSERT(x)                                                         \
        do {                                                                    \
                if (!(x)) {                                                     \
                        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); \
                        _exit(1);                                               \
                }                                                               \
        } while (0)

static inline void child_verdict(pid_t pid) {
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
                skip();
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
}

/* In a child: a file system of its own, seen by nobody else, of that many bytes and files (0: no limit), at `path`. */
static inline int own_tmpfs(const char *path, unsigned long bytes, unsigned files) {
        char options[96];
        int fd;

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
                fprintf(stderr, "skipped: needs a mount namespace: %s\n", strerror(errno));
                _exit(SKIPPED);
        }
        snprintf(options, sizeof(options), "size=%lu,nr_inodes=%u,mode=0700", bytes, files);
        CHILD_ASSERT(mount("lsm-test", path, "tmpfs", 0, options) == 0);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHILD_ASSERT(fd >= 0);
        return fd;
}

static inline void own_tmpfs_resize(const char *path, unsigned long bytes, unsigned files) {
        char options[96];

        snprintf(options, sizeof(options), "size=%lu,nr_inodes=%u", bytes, files);
        CHILD_ASSERT(mount(NULL, path, NULL, MS_REMOUNT, options) == 0);
}

/*
 * This program again, with these arguments, under strace, which makes the Nth system call of that name fail (`what` is
 * "error=EIO") or be the last one ("signal=KILL"). Returns how it ended; SKIPPED as an exit code when strace cannot.
 */
static inline int run_injected(const char *call, const char *what, unsigned when, const char *role, const char *path) {
        char inject[96], trace[64];
        int status;
        pid_t pid;

        snprintf(trace, sizeof(trace), "trace=%s", call);
        snprintf(inject, sizeof(inject), "inject=%s:%s:when=%u", call, what, when);
        pid = fork();
        if (pid == 0) {
                char exe[4096];
                ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

                CHILD_ASSERT(n > 0);
                exe[n] = 0;
                setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* it cannot count leaks while it is being traced */
                execlp("strace", "strace", "-qq", "-o", "/dev/null", "-e", trace, "-e", inject, exe, role, path, NULL);
                _exit(SKIPPED);
        }
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
}

static inline bool strace_works(void) {
        static const char probe[] = "strace -qq -o /dev/null -e trace=fsync true 2>/dev/null";

        return system(probe) == 0;
}
