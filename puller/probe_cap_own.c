/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities that are asked for in changing the process itself. It ends at once, and with it what has changed. */
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "probe_cap.h"

static int setgid_perform(struct attempt *a) {
        return setresgid(-1, a->test->as.gid == 1 ? 2 : 1, -1) < 0 ? -errno : 0;
}

static int setuid_perform(struct attempt *a) {
        return setresuid(-1, a->test->as.uid == 1 ? 2 : 1, -1) < 0 ? -errno : 0;
}

static int setpcap_perform(struct attempt *a) {
        return prctl(PR_CAPBSET_DROP, CAP_WAKE_ALARM, 0, 0, 0) < 0 ? -errno : 0;
}

static int net_raw_perform(struct attempt *a) {
        cleanup_fd int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 1); /* ICMP */

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

static int sys_chroot_perform(struct attempt *a) {
        return chroot("/") < 0 ? -errno : 0;
}

static int sys_admin_perform(struct attempt *a) {
        return unshare(CLONE_NEWUTS) < 0 ? -errno : 0;
}

static int sys_nice_arrange(struct attempt *a) {
        if (setrlimit(RLIMIT_NICE, &(struct rlimit){0, 0}) < 0 || setpriority(PRIO_PROCESS, 0, 19) < 0)
                return setup_failed(a, -errno, "lowering the priority");
        return 0;
}

static int sys_nice_perform(struct attempt *a) {
        return setpriority(PRIO_PROCESS, 0, 18) < 0 ? -errno : 0;
}

static int sys_resource_arrange(struct attempt *a) {
        if (setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) < 0)
                return setup_failed(a, -errno, "lowering a limit");
        return 0;
}

static int sys_resource_perform(struct attempt *a) {
        return setrlimit(RLIMIT_CORE, &(struct rlimit){1, 1}) < 0 ? -errno : 0;
}

/* In a session without a terminal there is nothing to hang up. */
static int sys_tty_config_arrange(struct attempt *a) {
        return setsid() < 0 ? setup_failed(a, -errno, "leaving the terminal") : 0;
}

static int sys_tty_config_perform(struct attempt *a) {
        return vhangup() < 0 ? -errno : 0;
}

/* A timer that is not set. */
static int wake_alarm_perform(struct attempt *a) {
        cleanup_fd int fd = timerfd_create(CLOCK_BOOTTIME_ALARM, TFD_CLOEXEC);

        return fd < 0 ? -errno : 0;
}

static const struct probe_op ops[] = {
        [CAP_SETGID] = {.perform = setgid_perform},
        [CAP_SETUID] = {.perform = setuid_perform},
        [CAP_SETPCAP] = {.perform = setpcap_perform},
        [CAP_NET_RAW] = {.perform = net_raw_perform},
        [CAP_IPC_LOCK] = {.arrange = ipc_lock_arrange, .perform = ipc_lock_perform},
        [CAP_SYS_CHROOT] = {.perform = sys_chroot_perform},
        [CAP_SYS_ADMIN] = {.perform = sys_admin_perform},
        [CAP_SYS_NICE] = {.arrange = sys_nice_arrange, .perform = sys_nice_perform},
        [CAP_SYS_RESOURCE] = {.arrange = sys_resource_arrange, .perform = sys_resource_perform},
        [CAP_SYS_TTY_CONFIG] = {.arrange = sys_tty_config_arrange, .perform = sys_tty_config_perform},
        [CAP_WAKE_ALARM] = {.perform = wake_alarm_perform},
};

const struct probe_op *cap_op_own(int cap) {
        return cap >= 0 && (size_t)cap < ARRAY_SIZE(ops) && ops[cap].perform ? &ops[cap] : NULL;
}
