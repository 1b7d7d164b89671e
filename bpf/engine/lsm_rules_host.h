/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Is a task the node's own, or in a namespace of somebody's? */
#pragma once

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct task_struct___ns;

struct pid_namespace___rules {
        struct task_struct___ns *child_reaper;
};

struct upid___rules {
        struct pid_namespace___rules *ns;
};

struct pid___rules {
        unsigned int level;
        struct upid___rules numbers[1];
};

struct nsproxy___rules {
        void *mnt_ns;
};

struct user_namespace___rules {
        int level;
};

struct cred___ns {
        struct user_namespace___rules *user_ns;
};

struct task_struct___ns {
        struct pid___rules *thread_pid;
        struct nsproxy___rules *nsproxy;
        struct cred___ns *cred;
};

#pragma clang attribute pop

/* The first user and pid namespace are those of level 0; the mount namespace is that of PID 1. A task that has none left, for it
 * ends, is not the node's own. Not inlined: it is asked by two parts of a rule, and verified once. */
__noinline int rules_host(void) {
        struct task_struct___ns *task = (void *)bpf_get_current_task();
        struct pid___rules *pid = BPF_CORE_READ(task, thread_pid);
        void *mounts = BPF_CORE_READ(task, nsproxy, mnt_ns);

        if (!pid || BPF_CORE_READ(pid, level) || BPF_CORE_READ(task, cred, user_ns, level) || !mounts)
                return 0;
        return mounts == BPF_CORE_READ(pid, numbers[0].ns, child_reaper, nsproxy, mnt_ns);
}
