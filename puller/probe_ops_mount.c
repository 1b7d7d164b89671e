/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on mounts, in a namespace of the test's own. */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe_ops.h"

static int mount_perform(struct attempt *a) {
        bool bind = streq(a->test->fs, "bind");

        if (mount(bind ? a->to : "lsmpull-selftest", a->at, bind ? NULL : a->test->fs, bind ? MS_BIND : 0, NULL) < 0)
                return -errno;
        return 0;
}

const struct probe_op probe_op_mount = {.prepare = mounts_private, .perform = mount_perform};

/* A file system of the test's own at the place: what is mounted there on the node stays below it. */
static int mounted_prepare(struct attempt *a) {
        int r = mounts_private(a);

        if (r < 0)
                return r;
        r = tmpfs_mount(a->at);
        return r < 0 ? setup_failed(a, r, "mounting a file system") : 0;
}

static int umount_perform(struct attempt *a) {
        return umount2(a->at, 0) < 0 ? -errno : 0;
}

const struct probe_op probe_op_umount = {.prepare = mounted_prepare, .perform = umount_perform};

static int move_mount_perform(struct attempt *a) {
        return move_mount(AT_FDCWD, a->at, AT_FDCWD, a->to, 0) < 0 ? -errno : 0;
}

const struct probe_op probe_op_move_mount = {.prepare = mounted_prepare, .perform = move_mount_perform};

static int pivot_root_arrange(struct attempt *a) {
        return chdir(a->at) < 0 ? setup_failed(a, -errno, "entering the new root") : 0;
}

/* The old root on top of the new one. EINVAL: this root can be left by nobody (an initramfs); the policy is asked before. */
static int pivot_root_perform(struct attempt *a) {
        return syscall(SYS_pivot_root, ".", ".") < 0 && errno != EINVAL ? -errno : 0;
}

const struct probe_op probe_op_pivot_root = {
        .prepare = mounted_prepare, .arrange = pivot_root_arrange, .perform = pivot_root_perform};
