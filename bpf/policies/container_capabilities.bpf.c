// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * container-capabilities: who is in a container does not use the capabilities with which one leaves it, even when it was given them.
 *
 * capable, whenever the kernel asks for one of the seeded capabilities over the node itself: those over a user namespace of the
 * container's own pass. In a container is who lives in a PID namespace other than the node's, or in a user namespace of its own.
 * There is nothing to be unsure of.
 *
 * syslog, with CAP_SYSLOG among the seeds: kernel 6.1 gives its log for CAP_SYS_ADMIN, too, and any kernel to everybody with
 * kernel.dmesg_restrict=0.
 *
 * CAP_SYS_ADMIN is not among those that are shipped: runtimes use it in the container to make it.
 */
#include <lsm_policy.h>

SEED_SET(escape_capabilities, __u32, 64);

struct user_namespace;
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct user_namespace___c {
        int level;
};
struct pid___c {
        unsigned int level;
};
struct cred___c {
        struct user_namespace___c *user_ns;
};
struct task_struct___c {
        struct pid___c *thread_pid;
        const struct cred___c *cred;
};
#pragma clang attribute pop
struct cred;

static __always_inline bool in_container(const struct cred___c *cred) {
        struct task_struct___c *task = (struct task_struct___c *)bpf_get_current_task_btf();

        return task->thread_pid->level > 0 || cred->user_ns->level > 0;
}

LSM_POLICY(capable, const struct cred *cred, struct user_namespace *ns, int cap) {
        __u32 key = cap;

        if (!bpf_map_lookup_elem(&escape_capabilities, &key) || ((struct user_namespace___c *)ns)->level > 0)
                return ALLOW;
        if (!in_container((const struct cred___c *)cred))
                return ALLOW;
        return DENY(EPERM, "uses a capability that leads out of its container");
}

/* Actions of syslog(2). The others tell a size, or nothing. */
#define LOG_READ 2
#define LOG_CONSOLE_LEVEL 8
#define CAP_SYSLOG 34

LSM_POLICY(syslog, int type) {
        __u32 key = CAP_SYSLOG;

        if (type < LOG_READ || type > LOG_CONSOLE_LEVEL || !bpf_map_lookup_elem(&escape_capabilities, &key))
                return ALLOW;
        if (!in_container(((struct task_struct___c *)bpf_get_current_task_btf())->cred))
                return ALLOW;
        return DENY(EPERM, "reads or clears the node's kernel log from a container");
}

char LICENSE[] SEC("license") = "GPL";
