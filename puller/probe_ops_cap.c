/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities. The kernel asks for one within an operation, so each is tried by an operation that asks for it and then does
 * nothing: on the process itself, which is about to end, on memory of its own, or with an argument that is refused later on.
 * lib/selftest_names.c lists which there are.
 */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <stdio.h>

#include "probe_ops.h"

static int memfd_arrange(struct attempt *a) {
        a->fd = memfd_create("lsmpull-selftest", MFD_CLOEXEC);
        if (a->fd < 0 || fchmod(a->fd, 0) < 0)
                return setup_failed(a, -errno, "making a memory file");
        return 0;
}

static int chown_perform(struct attempt *a) {
        return fchown(a->fd, a->test->as.uid == 1 ? 2 : 1, -1) < 0 ? -errno : 0;
}

/* Writing to a file of mode 0: CAP_DAC_READ_SEARCH would be enough to read it. */
static int dac_override_perform(struct attempt *a) {
        cleanup_fd int fd = -1;
        char path[64];

        snprintf(path, sizeof(path), "/proc/self/fd/%d", a->fd);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        return fd < 0 ? -errno : 0;
}

static int setgid_perform(struct attempt *a) {
        return setresgid(-1, a->test->as.gid == 1 ? 2 : 1, -1) < 0 ? -errno : 0;
}

static int setuid_perform(struct attempt *a) {
        return setresuid(-1, a->test->as.uid == 1 ? 2 : 1, -1) < 0 ? -errno : 0;
}

static int udp_arrange(struct attempt *a) {
        a->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        return a->fd < 0 ? setup_failed(a, -errno, "making a socket") : 0;
}

static int net_admin_perform(struct attempt *a) {
        return setsockopt(a->fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){4096}, sizeof(int)) < 0 ? -errno : 0;
}

static int net_raw_perform(struct attempt *a) {
        cleanup_fd int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);

        return fd < 0 ? -errno : 0;
}

static int ipc_lock_arrange(struct attempt *a) {
        if (setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){0, 0}) < 0)
                return setup_failed(a, -errno, "lowering a limit");
        return 0;
}

static int ipc_lock_perform(struct attempt *a) {
        /* The system call itself: sanitizers turn the function into nothing. */
        return syscall(SYS_mlock, a, 1) < 0 ? -errno : 0;
}

/* After CAP_SYS_MODULE the kernel looks for the file: there is none. */
static int sys_module_perform(struct attempt *a) {
        return syscall(SYS_finit_module, -1, "", 0) < 0 && errno != EBADF ? -errno : 0;
}

static int sys_chroot_perform(struct attempt *a) {
        return chroot("/") < 0 ? -errno : 0;
}

static int undumpable_arrange(struct attempt *a) {
        return target_start(a, false);
}

static int sys_ptrace_perform(struct attempt *a) {
        return ptrace(PTRACE_SEIZE, a->target, NULL, NULL) < 0 ? -errno : 0;
}

static int sys_admin_perform(struct attempt *a) {
        return unshare(CLONE_NEWUTS) < 0 ? -errno : 0;
}

/* After CAP_SYS_BOOT the kernel looks at two magic numbers: these are wrong. */
static int sys_boot_perform(struct attempt *a) {
        return syscall(SYS_reboot, 0, 0, 0, NULL) < 0 && errno != EINVAL ? -errno : 0;
}

static int sys_resource_arrange(struct attempt *a) {
        if (setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) < 0)
                return setup_failed(a, -errno, "lowering a limit");
        return 0;
}

static int sys_resource_perform(struct attempt *a) {
        return setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1}) < 0 ? -errno : 0;
}

/* After CAP_SYS_TIME the kernel looks at the tick: 0 is out of its range. */
static int sys_time_perform(struct attempt *a) {
        struct timex t = {.modes = ADJ_TICK, .tick = 0};

        return adjtimex(&t) < 0 && errno != EINVAL ? -errno : 0;
}

static const struct probe_op caps[] = {
        [CAP_CHOWN] = {.arrange = memfd_arrange, .perform = chown_perform},
        [CAP_DAC_OVERRIDE] = {.arrange = memfd_arrange, .perform = dac_override_perform},
        [CAP_SETGID] = {.perform = setgid_perform},
        [CAP_SETUID] = {.perform = setuid_perform},
        [CAP_NET_ADMIN] = {.arrange = udp_arrange, .perform = net_admin_perform},
        [CAP_NET_RAW] = {.perform = net_raw_perform},
        [CAP_IPC_LOCK] = {.arrange = ipc_lock_arrange, .perform = ipc_lock_perform},
        [CAP_SYS_MODULE] = {.perform = sys_module_perform},
        [CAP_SYS_CHROOT] = {.perform = sys_chroot_perform},
        [CAP_SYS_PTRACE] = {.arrange = undumpable_arrange, .perform = sys_ptrace_perform},
        [CAP_SYS_ADMIN] = {.perform = sys_admin_perform},
        [CAP_SYS_BOOT] = {.perform = sys_boot_perform},
        [CAP_SYS_RESOURCE] = {.arrange = sys_resource_arrange, .perform = sys_resource_perform},
        [CAP_SYS_TIME] = {.perform = sys_time_perform},
};

static const struct probe_op *cap_op(const struct attempt *a) {
        int cap = a->test->capability;

        return cap >= 0 && (size_t)cap < ARRAY_SIZE(caps) && caps[cap].perform ? &caps[cap] : NULL;
}

static int capability_arrange(struct attempt *a) {
        const struct probe_op *op = cap_op(a);

        if (!op)
                return setup_failed(a, -EOPNOTSUPP, "finding a way to try it");
        return op->arrange ? op->arrange(a) : 0;
}

static int capability_perform(struct attempt *a) {
        return cap_op(a)->perform(a);
}

const struct probe_op probe_op_capability = {.arrange = capability_arrange, .perform = capability_perform};
