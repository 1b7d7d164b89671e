/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities that are asked for before the arguments are looked at: these are refused, or do nothing but look. */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <poll.h>
#include <stdio.h>
#include <sys/klog.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include "probe_cap.h"

#define ANSWER_MS 5000
#define SYSLOG_SIZE_UNREAD 9

/* A handle of a kind that no file system makes. */
static int dac_read_search_perform(struct attempt *a) {
        union {
                struct file_handle h;
                char room[sizeof(struct file_handle) + 4];
        } handle = {.h = {.handle_bytes = 4, .handle_type = 0xfe}};
        cleanup_fd int fd = open_by_handle_at(AT_FDCWD, &handle.h, O_RDONLY | O_CLOEXEC);

        return fd < 0 && errno != ESTALE && errno != EINVAL ? -errno : 0;
}

/* The kernel looks for the file: there is none. */
static int sys_module_perform(struct attempt *a) {
        return cap_answer(syscall(SYS_finit_module, -1, "", 0), EBADF);
}

/* A name where no memory is. None at all would turn accounting off. */
static int sys_pacct_perform(struct attempt *a) {
        return cap_answer(syscall(SYS_acct, (char *)1), EFAULT);
}

/* The kernel looks at two magic numbers: these are wrong. */
static int sys_boot_perform(struct attempt *a) {
        return cap_answer(syscall(SYS_reboot, 0, 0, 0, NULL), EINVAL);
}

/* The kernel looks at the tick: 0 is out of its range. */
static int sys_time_perform(struct attempt *a) {
        struct timex t = {.modes = ADJ_TICK, .tick = 0};

        return cap_answer(adjtimex(&t), EINVAL);
}

static int syslog_perform(struct attempt *a) {
        return klogctl(SYSLOG_SIZE_UNREAD, NULL, 0) < 0 ? -errno : 0;
}

/* ---- bpf(2) ---- */

/* A queue of one element: a map that nobody may make without. */
static int bpf_perform(struct attempt *a) {
        union bpf_attr attr = {.map_type = BPF_MAP_TYPE_QUEUE, .value_size = 4, .max_entries = 1};
        cleanup_fd int fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

        return fd < 0 ? -errno : 0;
}

/* "return 0" for a probe of the kernel, attached to nothing. CAP_BPF comes first. */
static int perfmon_perform(struct attempt *a) {
        static const struct bpf_insn insns[] = {
                {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
                {.code = BPF_JMP | BPF_EXIT},
        };
        union bpf_attr attr = {
                .prog_type = BPF_PROG_TYPE_KPROBE,
                .insns = (uintptr_t)insns,
                .insn_cnt = ARRAY_SIZE(insns),
                .license = (uintptr_t) "GPL",
        };
        cleanup_fd int fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

        return fd < 0 ? -errno : 0;
}

/* A process by the number of one that is always there. */
static int checkpoint_restore_perform(struct attempt *a) {
        pid_t tid = 1;
        struct clone_args args = {.exit_signal = 17, .set_tid = (uintptr_t)&tid, .set_tid_size = 1};

        return cap_answer(syscall(SYS_clone3, &args, sizeof(args)), EEXIST);
}

/* ---- the audit system, by messages without contents and by questions ---- */

static int audit_arrange(struct attempt *a) {
        a->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
        return a->fd < 0 ? setup_failed(a, -errno, "talking to the audit system") : 0;
}

/* The kernel's answer; 0 when it is none of the capability's. */
static int audit_say(struct attempt *a, uint16_t type) {
        struct nlmsghdr say = {.nlmsg_len = sizeof(say), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
        struct pollfd p = {.fd = a->fd, .events = POLLIN};
        struct {
                struct nlmsghdr head;
                struct nlmsgerr error;
                char rest[4096];
        } got = {};

        if (send(a->fd, &say, sizeof(say), 0) < 0)
                return -errno;
        if (poll(&p, 1, ANSWER_MS) != 1)
                return -ETIMEDOUT;
        if (recv(a->fd, &got, sizeof(got), 0) < 0)
                return -errno;
        return got.head.nlmsg_type == NLMSG_ERROR && got.error.error != -EINVAL ? got.error.error : 0;
}

/* Of a text with nothing in it no record is made. */
static int audit_write_perform(struct attempt *a) {
        return audit_say(a, AUDIT_USER);
}

static int audit_control_perform(struct attempt *a) {
        return audit_say(a, AUDIT_GET);
}

static int audit_read_perform(struct attempt *a) {
        struct sockaddr_nl group = {.nl_family = AF_NETLINK, .nl_groups = 1 << (AUDIT_NLGRP_READLOG - 1)};

        return bind(a->fd, (struct sockaddr *)&group, sizeof(group)) < 0 ? -errno : 0;
}

static const struct probe_op ops[] = {
        [CAP_DAC_READ_SEARCH] = {.perform = dac_read_search_perform},
        [CAP_SYS_MODULE] = {.perform = sys_module_perform},
        [CAP_SYS_PACCT] = {.perform = sys_pacct_perform},
        [CAP_SYS_BOOT] = {.perform = sys_boot_perform},
        [CAP_SYS_TIME] = {.perform = sys_time_perform},
        [CAP_SYSLOG] = {.perform = syslog_perform},
        [CAP_BPF] = {.perform = bpf_perform},
        [CAP_PERFMON] = {.perform = perfmon_perform},
        [CAP_CHECKPOINT_RESTORE] = {.perform = checkpoint_restore_perform},
        [CAP_AUDIT_WRITE] = {.arrange = audit_arrange, .perform = audit_write_perform},
        [CAP_AUDIT_CONTROL] = {.arrange = audit_arrange, .perform = audit_control_perform},
        [CAP_AUDIT_READ] = {.arrange = audit_arrange, .perform = audit_read_perform},
};

const struct probe_op *cap_op_refused(int cap) {
        return cap >= 0 && (size_t)cap < ARRAY_SIZE(ops) && ops[cap].perform ? &ops[cap] : NULL;
}
