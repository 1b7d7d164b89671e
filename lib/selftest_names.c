/* SPDX-License-Identifier: Apache-2.0 */
/* Names that self-tests use for the kernel's numbers. */
#include <linux/capability.h>

#include "selftest.h"

/* In the kernel's order, which is an ABI. `testable`: puller/probe_cap*.c know an operation for it that does no harm. */
static const struct {
        const char *name;
        bool testable;
} capabilities[] = {
        [CAP_CHOWN] = {"CAP_CHOWN", true},
        [CAP_DAC_OVERRIDE] = {"CAP_DAC_OVERRIDE", true},
        [CAP_DAC_READ_SEARCH] = {"CAP_DAC_READ_SEARCH", true},
        [CAP_FOWNER] = {"CAP_FOWNER", true},
        [CAP_FSETID] = {"CAP_FSETID", true},
        [CAP_KILL] = {"CAP_KILL", true},
        [CAP_SETGID] = {"CAP_SETGID", true},
        [CAP_SETUID] = {"CAP_SETUID", true},
        [CAP_SETPCAP] = {"CAP_SETPCAP", true},
        [CAP_LINUX_IMMUTABLE] = {"CAP_LINUX_IMMUTABLE"},
        [CAP_NET_BIND_SERVICE] = {"CAP_NET_BIND_SERVICE", true},
        [CAP_NET_BROADCAST] = {"CAP_NET_BROADCAST"},
        [CAP_NET_ADMIN] = {"CAP_NET_ADMIN", true},
        [CAP_NET_RAW] = {"CAP_NET_RAW", true},
        [CAP_IPC_LOCK] = {"CAP_IPC_LOCK", true},
        [CAP_IPC_OWNER] = {"CAP_IPC_OWNER", true},
        [CAP_SYS_MODULE] = {"CAP_SYS_MODULE", true},
        [CAP_SYS_RAWIO] = {"CAP_SYS_RAWIO", true},
        [CAP_SYS_CHROOT] = {"CAP_SYS_CHROOT", true},
        [CAP_SYS_PTRACE] = {"CAP_SYS_PTRACE", true},
        [CAP_SYS_PACCT] = {"CAP_SYS_PACCT", true},
        [CAP_SYS_ADMIN] = {"CAP_SYS_ADMIN", true},
        [CAP_SYS_BOOT] = {"CAP_SYS_BOOT", true},
        [CAP_SYS_NICE] = {"CAP_SYS_NICE", true},
        [CAP_SYS_RESOURCE] = {"CAP_SYS_RESOURCE", true},
        [CAP_SYS_TIME] = {"CAP_SYS_TIME", true},
        [CAP_SYS_TTY_CONFIG] = {"CAP_SYS_TTY_CONFIG", true},
        [CAP_MKNOD] = {"CAP_MKNOD", true},
        [CAP_LEASE] = {"CAP_LEASE", true},
        [CAP_AUDIT_WRITE] = {"CAP_AUDIT_WRITE", true},
        [CAP_AUDIT_CONTROL] = {"CAP_AUDIT_CONTROL", true},
        [CAP_SETFCAP] = {"CAP_SETFCAP", true},
        [CAP_MAC_OVERRIDE] = {"CAP_MAC_OVERRIDE"},
        [CAP_MAC_ADMIN] = {"CAP_MAC_ADMIN"},
        [CAP_SYSLOG] = {"CAP_SYSLOG", true},
        [CAP_WAKE_ALARM] = {"CAP_WAKE_ALARM", true},
        [CAP_BLOCK_SUSPEND] = {"CAP_BLOCK_SUSPEND"},
        [CAP_AUDIT_READ] = {"CAP_AUDIT_READ", true},
        [CAP_PERFMON] = {"CAP_PERFMON", true},
        [CAP_BPF] = {"CAP_BPF", true},
        [CAP_CHECKPOINT_RESTORE] = {"CAP_CHECKPOINT_RESTORE", true},
};

int capability_from_name(const char *name) {
        for (size_t i = 0; i < ARRAY_SIZE(capabilities); i++)
                if (streq(capabilities[i].name, name))
                        return i;
        return -EINVAL;
}

const char *capability_name(int cap) {
        return cap >= 0 && (size_t)cap < ARRAY_SIZE(capabilities) ? capabilities[cap].name : NULL;
}

bool capability_testable(int cap) {
        return capability_name(cap) && capabilities[cap].testable;
}

/* The last of Linux's errnos (EHWPOISON); the kernel keeps higher ones to itself. */
#define ERRNO_LAST 133

int errno_from_name(const char *name) {
        for (int i = 1; i <= ERRNO_LAST; i++) {
                const char *s = strerrorname_np(i);

                if (s && streq(s, name))
                        return i;
        }
        return -EINVAL;
}

const char *errno_name(int error) {
        const char *s = error == 0 ? "ok" : strerrorname_np(error < 0 ? -error : error);

        return s ? s : "unknown error";
}
