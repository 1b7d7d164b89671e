// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * A policy as it is swapped without a dispatcher: each generation is attached by itself and asks, on its own, whether it is the
 * one in force. With `generation` 0 it always is: for detaching and attaching again.
 */
#include "lsm_types.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

const volatile __u32 generation;

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(map_flags, BPF_F_MMAPABLE);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, __u64);
} in_force SEC(".maps");

SEC("lsm/file_open")
int BPF_PROG(bad_swap, struct file *file) {
        struct dentry *dentry = file->f_path.dentry;
        char comm[16], name[8] = {};
        __u32 zero = 0;
        __u64 *word = bpf_map_lookup_elem(&in_force, &zero);

        if (!word || (generation && *(volatile __u64 *)word != generation))
                return 0;
        bpf_get_current_comm(comm, sizeof(comm));
        if (bpf_strncmp(comm, sizeof(comm), "unprivileged") != 0)
                return 0;
        bpf_probe_read_kernel_str(name, sizeof(name), dentry->d_name.name);
        if (bpf_strncmp(name, sizeof(name), "shadow") != 0)
                return 0;
        return -EACCES;
}

char LICENSE[] SEC("license") = "GPL";
