/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on files. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "probe_ops.h"

#define MEMORY_MAJOR 1 /* null, zero, mem, kmem, random, kmsg ... */

/* ---- what exists ---- */

/* Opening some files acts: /dev/watchdog arms itself, a FIFO wakes its other end, closing a disk that was open for writing makes
 * udev read it. */
static bool open_harmless(const struct stat *st, bool writes) {
        switch (st->st_mode & S_IFMT) {
        case S_IFREG:
        case S_IFDIR:
                return true;
        case S_IFCHR:
                return major(st->st_rdev) == MEMORY_MAJOR;
        case S_IFBLK:
                return !writes;
        default:
                return false;
        }
}

static bool read_harmless(const struct stat *st) {
        return S_ISREG(st->st_mode) || S_ISDIR(st->st_mode);
}

static int existing_check(struct attempt *a) {
        const struct selftest *t = a->test;
        struct stat st;
        bool harmless;

        if (stat(a->at, &st) < 0) {
                /* The operation will say the same. Another error may be the policy's answer to stat: not known to be harmless. */
                if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENAMETOOLONG)
                        return 0;
                return setup_failed(a, -errno, "looking at the file");
        }
        if (t->op == SELFTEST_OPEN)
                harmless = open_harmless(&st, t->flags & (SELFTEST_O_WRITE | SELFTEST_O_APPEND));
        else
                harmless = read_harmless(&st);
        return harmless ? 0 : setup_failed(a, -EINVAL, "opening such a special file would not be harmless");
}

static int file_prepare(struct attempt *a) {
        const struct selftest_place *at = &a->test->at;

        return at->dir || at->stand_in ? place_make(a, at, a->at, PLACE_FILE) : existing_check(a);
}

/* ---- open, read, mmap ---- */

static int open_prepare(struct attempt *a) {
        if (a->test->flags & SELFTEST_O_CREATE)
                return place_make(a, &a->test->at, a->at, PLACE_EMPTY);
        return file_prepare(a);
}

static int open_perform(struct attempt *a) {
        int flags = a->test->flags, o = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
        cleanup_fd int fd = -1;

        if (!(flags & (SELFTEST_O_WRITE | SELFTEST_O_APPEND)))
                o |= O_RDONLY;
        else
                o |= flags & SELFTEST_O_READ ? O_RDWR : O_WRONLY;
        if (flags & SELFTEST_O_APPEND)
                o |= O_APPEND;
        if (flags & SELFTEST_O_CREATE)
                o |= O_CREAT | O_EXCL;
        if (flags & SELFTEST_O_TRUNCATE)
                o |= O_TRUNC;
        fd = open(a->at, o, 0600);
        return fd < 0 ? -errno : 0;
}

const struct probe_op probe_op_open = {.prepare = open_prepare, .perform = open_perform};

static int read_perform(struct attempt *a) {
        cleanup_fd int fd = open(a->at, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        char byte;

        return fd < 0 || read(fd, &byte, 1) < 0 ? -errno : 0;
}

const struct probe_op probe_op_read = {.prepare = file_prepare, .perform = read_perform};

static int mmap_perform(struct attempt *a) {
        cleanup_fd int fd = open(a->at, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        /* Private, so that PROT_WRITE cannot reach the file. */
        return fd < 0 || mmap(NULL, 1, a->test->flags, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -errno : 0;
}

const struct probe_op probe_op_mmap = {.prepare = file_prepare, .perform = mmap_perform};

/* ---- names: made, changed, removed ---- */

static int empty_prepare(struct attempt *a) {
        return place_make(a, &a->test->at, a->at, PLACE_EMPTY);
}

static int create_perform(struct attempt *a) {
        cleanup_fd int fd = open(a->at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        return fd < 0 ? -errno : 0;
}

const struct probe_op probe_op_create = {.prepare = empty_prepare, .perform = create_perform};

static int mkdir_perform(struct attempt *a) {
        return mkdir(a->at, 0700) < 0 ? -errno : 0;
}

const struct probe_op probe_op_mkdir = {.prepare = empty_prepare, .perform = mkdir_perform};

static int symlink_perform(struct attempt *a) {
        return symlink("/nonexistent", a->at) < 0 ? -errno : 0;
}

const struct probe_op probe_op_symlink = {.prepare = empty_prepare, .perform = symlink_perform};

/* /dev/null, or a disk that cannot be; and nobody but root may open it in the moment that it is there. */
static int mknod_perform(struct attempt *a) {
        dev_t dev = a->test->flags == S_IFCHR ? makedev(MEMORY_MAJOR, 3) : makedev(0, 0);

        return mknod(a->at, a->test->flags, dev) < 0 ? -errno : 0;
}

const struct probe_op probe_op_mknod = {.prepare = empty_prepare, .perform = mknod_perform};

static int unlink_perform(struct attempt *a) {
        return unlink(a->at) < 0 ? -errno : 0;
}

const struct probe_op probe_op_unlink = {.prepare = file_prepare, .perform = unlink_perform};

static int rmdir_prepare(struct attempt *a) {
        return place_make(a, &a->test->at, a->at, PLACE_DIRECTORY);
}

static int rmdir_perform(struct attempt *a) {
        return rmdir(a->at) < 0 ? -errno : 0;
}

const struct probe_op probe_op_rmdir = {.prepare = rmdir_prepare, .perform = rmdir_perform};

static int pair_prepare(struct attempt *a) {
        int r = place_make(a, &a->test->at, a->at, PLACE_FILE);

        return r < 0 ? r : place_make(a, &a->test->to, a->to, PLACE_EMPTY);
}

static int rename_perform(struct attempt *a) {
        return rename(a->at, a->to) < 0 ? -errno : 0;
}

const struct probe_op probe_op_rename = {.prepare = pair_prepare, .perform = rename_perform};

static int link_perform(struct attempt *a) {
        return link(a->at, a->to) < 0 ? -errno : 0;
}

const struct probe_op probe_op_link = {.prepare = pair_prepare, .perform = link_perform};

/* ---- what a file has beside its contents ---- */

static int chmod_perform(struct attempt *a) {
        return chmod(a->at, 0640) < 0 ? -errno : 0;
}

const struct probe_op probe_op_chmod = {.prepare = file_prepare, .perform = chmod_perform};

/* To the owner that it has: that takes no capability, so what denies is the policy. */
static int chown_perform(struct attempt *a) {
        return chown(a->at, a->test->as.uid, a->test->as.gid) < 0 ? -errno : 0;
}

const struct probe_op probe_op_chown = {.prepare = file_prepare, .perform = chown_perform};

static int truncate_perform(struct attempt *a) {
        return truncate(a->at, 0) < 0 ? -errno : 0;
}

const struct probe_op probe_op_truncate = {.prepare = file_prepare, .perform = truncate_perform};

/* The policy is asked before the file system, which may know no such attributes. */
static int setxattr_perform(struct attempt *a) {
        return setxattr(a->at, "user.lsmpull-selftest", "", 0, 0) < 0 && errno != EOPNOTSUPP ? -errno : 0;
}

const struct probe_op probe_op_setxattr = {.prepare = file_prepare, .perform = setxattr_perform};
