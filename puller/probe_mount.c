/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mount namespace of the test's own, and what is mounted in it: nobody else sees it, and it ends with the process.
 *
 * A stand-in is a file at the very name that a policy is about, on a tmpfs that hides the directory in which the name is: what
 * a policy fails to deny happens to that file, and not to the node's.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "probe_ops.h"

int mounts_private(struct attempt *a) {
        struct mount_attr private = {.propagation = MS_PRIVATE};

        if (unshare(CLONE_NEWNS) < 0)
                return setup_failed(a, -errno, "making a private mount namespace");
        /* Not mount(2), which would ask the very hook (sb_mount) that such a test is about. */
        if (mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private, sizeof(private)) < 0)
                return setup_failed(a, -errno, "making a private mount namespace");
        return 0;
}

/* A tmpfs that is mounted nowhere. */
int tmpfs_open(void) {
        cleanup_fd int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
        int fd;

        if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
            fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
        return fd < 0 ? -errno : fd;
}

/* By the system calls that the policy is not about, if it is about one of the ways to mount. */
int tmpfs_mount(const char *dir) {
        cleanup_fd int fd = tmpfs_open();

        if (fd >= 0 && move_mount(fd, "", AT_FDCWD, dir, MOVE_MOUNT_F_EMPTY_PATH) == 0)
                return 0;
        return mount("lsmpull-selftest", dir, "tmpfs", 0, "mode=0755") < 0 ? -errno : 0;
}

/* ---- stand-ins ---- */

/* The directory of the place that is higher up, of those of a test. */
static void stand_in_directory(const struct attempt *a, char ret[static PATH_MAX]) {
        const char *path = a->at;

        if (a->test->to.stand_in && strrchr(a->to, '/') - a->to < strrchr(a->at, '/') - a->at)
                path = a->to;
        snprintf(ret, PATH_MAX, "%.*s", (int)(strrchr(path, '/') - path), path);
        /* It need not be there on each node: then what holds it, or would. */
        while (access(ret, F_OK) < 0 && errno == ENOENT && strrchr(ret, '/') > ret)
                *strrchr(ret, '/') = '\0';
}

static int give_away_at(const char *path, const struct selftest_subject *as) {
        if (geteuid() == as->uid && getegid() == as->gid)
                return 0;
        return lchown(path, as->uid, as->gid) < 0 ? -errno : 0;
}

/* The directories from `top`, which is there, down to the one that holds path. */
static int directories_make(const char *path, const char *top, const struct selftest_subject *as) {
        char dir[PATH_MAX];
        int r;

        for (const char *p = strchr(path + strlen(top), '/'); p; p = strchr(p + 1, '/')) {
                snprintf(dir, sizeof(dir), "%.*s", (int)(p - path), path);
                if (p > path + strlen(top) && mkdir(dir, 0755) < 0 && errno != EEXIST)
                        return -errno;
                r = give_away_at(dir, as);
                if (r < 0)
                        return r;
        }
        return 0;
}

int stand_in_make(struct attempt *a, const char *path) {
        int r = 0;

        if (!a->stand_ins[0]) {
                r = mounts_private(a);
                if (r < 0)
                        return r;
                stand_in_directory(a, a->stand_ins);
                r = access(a->stand_ins, F_OK) < 0 ? -errno : tmpfs_mount(a->stand_ins);
                if (r < 0)
                        return setup_failed(a, r, "mounting a stand-in's file system");
        }
        r = directories_make(path, a->stand_ins, &a->test->as);
        return r < 0 ? setup_failed(a, r, "making a stand-in's directory") : 0;
}
