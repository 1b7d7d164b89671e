/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities that are asked for in acting on something: on memory files, sockets and processes of the test's own. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "probe_cap.h"

static uint32_t other(uint32_t id) {
        return id == 1 ? 2 : 1;
}

/* ---- a memory file, of the subject or of somebody else ---- */

static int memfd_make(struct attempt *a, uid_t uid, gid_t gid, mode_t mode) {
        a->fd = memfd_create("lsmpull-selftest", MFD_CLOEXEC);
        if (a->fd < 0 || fchmod(a->fd, mode) < 0)
                return setup_failed(a, -errno, "making a memory file");
        if ((geteuid() != uid || getegid() != gid) && fchown(a->fd, uid, gid) < 0)
                return setup_failed(a, -errno, "giving a memory file away");
        return 0;
}

static int own_prepare(struct attempt *a) {
        return memfd_make(a, a->test->as.uid, a->test->as.gid, 0);
}

static int others_prepare(struct attempt *a) {
        return memfd_make(a, other(a->test->as.uid), a->test->as.gid, 0600);
}

static int others_group_prepare(struct attempt *a) {
        return memfd_make(a, a->test->as.uid, other(a->test->as.gid), 0600);
}

static int chown_perform(struct attempt *a) {
        return fchown(a->fd, other(a->test->as.uid), -1) < 0 ? -errno : 0;
}

/* Writing to a file of mode 0: CAP_DAC_READ_SEARCH would be enough to read it. */
static int dac_override_perform(struct attempt *a) {
        cleanup_fd int fd = -1;
        char path[64];

        snprintf(path, sizeof(path), "/proc/self/fd/%d", a->fd);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        return fd < 0 ? -errno : 0;
}

static int fowner_perform(struct attempt *a) {
        return fchmod(a->fd, 0640) < 0 ? -errno : 0;
}

/* Without it the bit is left out, and nothing is said. */
static int fsetid_perform(struct attempt *a) {
        struct stat st;

        if (fchmod(a->fd, S_ISGID | 0710) < 0 || fstat(a->fd, &st) < 0)
                return -errno;
        return st.st_mode & S_ISGID ? 0 : -EPERM;
}

/* It is open for writing, so there is no lease on it. */
static int lease_perform(struct attempt *a) {
        return cap_answer(fcntl(a->fd, F_SETLEASE, F_RDLCK), EAGAIN);
}

static int setfcap_perform(struct attempt *a) {
        struct vfs_cap_data none = {.magic_etc = htole32(VFS_CAP_REVISION_2)};

        return cap_answer(fsetxattr(a->fd, "security.capability", &none, XATTR_CAPS_SZ_2, 0), EOPNOTSUPP);
}

/* What is in memory has no block numbers. */
static int sys_rawio_perform(struct attempt *a) {
        return cap_answer(ioctl(a->fd, FIBMAP, &(int){0}), EINVAL);
}

/* ---- a file system that is mounted nowhere ---- */

static int tmpfs_prepare(struct attempt *a) {
        a->fd = tmpfs_open();
        if (a->fd < 0)
                return setup_failed(a, a->fd, "making a file system");
        return fchmodat(a->fd, ".", 0777, 0) < 0 ? setup_failed(a, -errno, "making a file system") : 0;
}

static int mknod_perform(struct attempt *a) {
        return mknodat(a->fd, "null", S_IFCHR, makedev(1, 3)) < 0 ? -errno : 0;
}

/* ---- sockets ---- */

static int udp_arrange(struct attempt *a) {
        a->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        return a->fd < 0 ? setup_failed(a, -errno, "making a socket") : 0;
}

static int net_admin_perform(struct attempt *a) {
        return setsockopt(a->fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){4096}, sizeof(int)) < 0 ? -errno : 0;
}

static int net_bind_service_perform(struct attempt *a) {
        struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(9)};

        return bind(a->fd, (struct sockaddr *)&any, sizeof(any)) < 0 ? -errno : 0;
}

/* ---- shared memory that nobody may use, in an IPC namespace of the test's own ---- */

static int ipc_prepare(struct attempt *a) {
        return unshare(CLONE_NEWIPC) < 0 ? setup_failed(a, -errno, "making a private IPC namespace") : 0;
}

static int ipc_arrange(struct attempt *a) {
        a->fd = shmget(IPC_PRIVATE, 4096, IPC_CREAT);
        return a->fd < 0 ? setup_failed(a, -errno, "making shared memory") : 0;
}

static int ipc_owner_perform(struct attempt *a) {
        return shmat(a->fd, NULL, SHM_RDONLY) == (void *)-1 ? -errno : 0;
}

/* ---- processes ---- */

static int undumpable_arrange(struct attempt *a) {
        return target_start(a, false);
}

static int sys_ptrace_perform(struct attempt *a) {
        return ptrace(PTRACE_SEIZE, a->target, NULL, NULL) < 0 ? -errno : 0;
}

/* Neither the subject nor root owns it. */
static int foreign_prepare(struct attempt *a) {
        return target_start_as(a, other(a->test->as.uid));
}

/* "May I?" */
static int kill_perform(struct attempt *a) {
        return kill(a->target, 0) < 0 ? -errno : 0;
}

static const struct probe_op ops[] = {
        [CAP_CHOWN] = {.prepare = own_prepare, .perform = chown_perform},
        [CAP_DAC_OVERRIDE] = {.prepare = own_prepare, .perform = dac_override_perform},
        [CAP_FOWNER] = {.prepare = others_prepare, .perform = fowner_perform},
        [CAP_FSETID] = {.prepare = others_group_prepare, .perform = fsetid_perform},
        [CAP_KILL] = {.prepare = foreign_prepare, .perform = kill_perform},
        [CAP_NET_BIND_SERVICE] = {.prepare = network_private, .arrange = udp_arrange, .perform = net_bind_service_perform},
        [CAP_NET_ADMIN] = {.arrange = udp_arrange, .perform = net_admin_perform},
        [CAP_IPC_OWNER] = {.prepare = ipc_prepare, .arrange = ipc_arrange, .perform = ipc_owner_perform},
        [CAP_SYS_RAWIO] = {.prepare = own_prepare, .perform = sys_rawio_perform},
        [CAP_SYS_PTRACE] = {.arrange = undumpable_arrange, .perform = sys_ptrace_perform},
        [CAP_MKNOD] = {.prepare = tmpfs_prepare, .perform = mknod_perform},
        [CAP_LEASE] = {.prepare = others_prepare, .perform = lease_perform},
        [CAP_SETFCAP] = {.prepare = own_prepare, .perform = setfcap_perform},
};

const struct probe_op *cap_op_object(int cap) {
        return cap >= 0 && (size_t)cap < ARRAY_SIZE(ops) && ops[cap].perform ? &ops[cap] : NULL;
}
