// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * no-ptrace: nobody traces, reads or writes the memory of a process that is not below it.
 *
 * ptrace_access_check, when the kernel asks for the right to attach: ptrace(), /proc/PID/mem, process_vm_writev(), pidfd_getfd(). What
 * only looks (`ps`, /proc/PID/environ) passes, and so does tracing one's own children: `strace COMMAND`, `gdb COMMAND`. Ancestors are
 * followed up to a depth; a child deeper than that is somebody else's.
 */
#include <lsm_policy.h>

#define MODE_ATTACH 2
#define DEPTH_MAX 32

struct task_struct___p {
        struct task_struct___p *real_parent;
        int tgid;
} __attribute__((preserve_access_index));

LSM_POLICY(ptrace_access_check, struct task_struct *child, unsigned int mode) {
        __u32 tgid = bpf_get_current_pid_tgid() >> 32;
        struct task_struct___p *task = (struct task_struct___p *)child;

        if (!(mode & MODE_ATTACH))
                return ALLOW;
        for (int i = 0; i < DEPTH_MAX; i++) {
                if ((__u32)task->tgid == tgid)
                        return ALLOW;
                if (task->tgid <= 1)
                        break;
                task = task->real_parent;
        }
        return DENY(EPERM, "traces a process that is not its own");
}

char LICENSE[] SEC("license") = "GPL";
