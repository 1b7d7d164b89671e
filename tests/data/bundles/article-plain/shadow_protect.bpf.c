// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define EACCES 13

SEC("lsm/file_open")
int BPF_PROG(file_open_check, struct file *file) {
        char filename[256] = {};
        char comm[16] = {};

        bpf_probe_read_kernel_str(filename, sizeof(filename), BPF_CORE_READ(file, f_path.dentry, d_name.name));
        bpf_get_current_comm(comm, sizeof(comm));

        bool is_target =
                (bpf_strncmp(comm, sizeof(comm), "unprivileged") == 0 && bpf_strncmp(filename, sizeof(filename), "shadow") == 0);

        if (is_target) {
                bpf_printk("DENY: %s tried to open %s\n", comm, filename);
                return -EACCES;
        }
        return 0;
}

char LICENSE[] SEC("license") = "GPL";
