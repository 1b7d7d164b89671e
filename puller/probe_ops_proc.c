/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on processes, and bpf(2). */
#include <linux/bpf.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "probe_ops.h"

static int traceable_arrange(struct attempt *a) {
        return target_start(a, true);
}

static int ptrace_perform(struct attempt *a) {
        /* Seizing, unlike attaching, does not stop it. */
        return ptrace(PTRACE_SEIZE, a->target, NULL, NULL) < 0 ? -errno : 0;
}

const struct probe_op probe_op_ptrace = {.arrange = traceable_arrange, .perform = ptrace_perform};

static int signal_perform(struct attempt *a) {
        return kill(a->target, SIGTERM) < 0 ? -errno : 0;
}

const struct probe_op probe_op_signal = {.arrange = traceable_arrange, .perform = signal_perform};

static int fork_perform(struct attempt *a) {
        pid_t pid = fork();

        if (pid < 0)
                return -errno;
        if (pid == 0)
                _exit(EXIT_SUCCESS);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        return 0;
}

const struct probe_op probe_op_fork = {.perform = fork_perform};

static int bpf_perform(struct attempt *a) {
        union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
        cleanup_fd int fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));

        return fd < 0 ? -errno : 0;
}

const struct probe_op probe_op_bpf = {.perform = bpf_perform};
