/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_by WAY...: mounts something at a place, by the one way or the other. Exit status 0: it is mounted; 1: it was refused, and why;
 * 2: the way could not be tried.
 *
 *      new TYPE TARGET         mount()
 *      remount TARGET          mount() of what is mounted there, with other flags
 *      reflag TARGET           the same of the mount alone (MS_REMOUNT | MS_BIND)
 *      private TARGET          mount() that changes who is told of mounts below
 *      bind FROM TARGET        mount() with MS_BIND
 *      move FROM TARGET        mount() with MS_MOVE
 *      made TYPE TARGET        fsopen(), fsmount(), move_mount()
 *      clone FROM TARGET       open_tree() with a clone, move_mount()
 *      take FROM TARGET        move_mount() of what is mounted at FROM
 */
#include <fcntl.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* <sys/mount.h> has some of <linux/mount.h>'s names, too. */
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);

static bool is(const char *way, const char *word) {
        return strcmp(way, word) == 0;
}

static int told(long r, const char *what) {
        if (r < 0)
                perror(what);
        return r < 0;
}

static int cannot(const char *what) {
        perror(what);
        return 2;
}

static int put(int fd, const char *target) {
        return told(syscall(SYS_move_mount, fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH), target);
}

static int make(const char *type, const char *target) {
        int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), fd;

        if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return cannot("fsopen");
        fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
        return fd < 0 ? cannot("fsmount") : put(fd, target);
}

static int clone_of(const char *from, const char *target) {
        int fd = (int)syscall(SYS_open_tree, AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

        return fd < 0 ? cannot("open_tree") : put(fd, target);
}

static int by_two(const char *way, const char *a, const char *target) {
        if (is(way, "new"))
                return told(mount("none", target, a, 0, NULL), target);
        if (is(way, "bind"))
                return told(mount(a, target, NULL, MS_BIND, NULL), target);
        if (is(way, "move"))
                return told(mount(a, target, NULL, MS_MOVE, NULL), target);
        if (is(way, "made"))
                return make(a, target);
        if (is(way, "clone"))
                return clone_of(a, target);
        return is(way, "take") ? told(syscall(SYS_move_mount, AT_FDCWD, a, AT_FDCWD, target, 0), target) : 2;
}

static int by_one(const char *way, const char *target) {
        if (is(way, "remount"))
                return told(mount("none", target, NULL, MS_REMOUNT | MS_NOATIME, NULL), target);
        if (is(way, "reflag"))
                return told(mount("none", target, NULL, MS_REMOUNT | MS_BIND | MS_NODEV, NULL), target);
        return is(way, "private") ? told(mount("none", target, NULL, MS_PRIVATE, NULL), target) : 2;
}

int main(int argc, char **argv) {
        if (argc == 4)
                return by_two(argv[1], argv[2], argv[3]);
        return argc == 3 ? by_one(argv[1], argv[2]) : 2;
}
