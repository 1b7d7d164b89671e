/* SPDX-License-Identifier: Apache-2.0 */
/* Names that self-tests use for the kernel's numbers. */
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>

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

int signal_from_name(const char *name) {
        if (strncmp(name, "SIG", 3) == 0)
                name += 3;
        if (streq(name, "IO"))
                name = "POLL"; /* SIGIO, by the name that libc gives it */
        for (int i = 1; i < SIGRTMIN; i++)
                if (signal_name(i) && streq(signal_name(i), name))
                        return i;
        return -EINVAL;
}

const char *signal_name(int signal) {
        return sigabbrev_np(signal);
}

/* linux/bpf.h numbers them, and no number changes. */
static const char *const commands[] = {
        "map-create",        "map-lookup-elem",
        "map-update-elem",   "map-delete-elem",
        "map-get-next-key",  "prog-load",
        "obj-pin",           "obj-get",
        "prog-attach",       "prog-detach",
        "prog-test-run",     "prog-get-next-id",
        "map-get-next-id",   "prog-get-fd-by-id",
        "map-get-fd-by-id",  "obj-get-info-by-fd",
        "prog-query",        "raw-tracepoint-open",
        "btf-load",          "btf-get-fd-by-id",
        "task-fd-query",     "map-lookup-and-delete-elem",
        "map-freeze",        "btf-get-next-id",
        "map-lookup-batch",  "map-lookup-and-delete-batch",
        "map-update-batch",  "map-delete-batch",
        "link-create",       "link-update",
        "link-get-fd-by-id", "link-get-next-id",
        "enable-stats",      "iter-create",
        "link-detach",       "prog-bind-map",
        "token-create",
};

int command_from_name(const char *name) {
        char word[32];
        int n = snprintf(word, sizeof(word), "%s", name);

        if (n < 0 || (size_t)n >= sizeof(word))
                return -EINVAL;
        for (char *p = word; *p; p++)
                if (*p == '_')
                        *p = '-';
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
                if (streq(commands[i], word))
                        return (int)i;
        return -EINVAL;
}

const char *command_name(int command) {
        return command >= 0 && (size_t)command < ARRAY_SIZE(commands) ? commands[command] : NULL;
}

bool selftest_bpf_makes(const struct selftest *t) {
        return streq(command_name(t->command), "map-create") || streq(command_name(t->command), "prog-load");
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
