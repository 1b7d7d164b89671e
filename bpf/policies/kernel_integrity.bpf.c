// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * kernel-integrity: what runs in the kernel comes from where the system keeps it.
 *
 *      kernel_read_file     modules only from the node's own /usr/lib/modules, by who sees the node's files; no kexec images
 *      kernel_load_data     no modules and no kexec images from memory
 *      bpf                  programs only by the agent, by PID 1, and of the seeded types (those for cgroups) by others
 *      userns_create        no user namespaces but by root
 *
 * Not sure (a path that cannot be told, an attribute that cannot be read): denied, and counted.
 */
#include <lsm_policy.h>
#include <lsm_guard.h>

SEED_SET(open_program_types, __u32, 64);

union bpf_attr;
struct cred;
enum kernel_read_file_id___k { READING_MODULE___k, READING_KEXEC_IMAGE___k, READING_KEXEC_INITRAMFS___k };
enum kernel_load_data_id___k { LOADING_MODULE___k, LOADING_KEXEC_IMAGE___k, LOADING_KEXEC_INITRAMFS___k };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct ns___k {
        unsigned int inum;
};
struct mnt_namespace___k {
        struct ns___k ns;
};
struct nsproxy___k {
        struct mnt_namespace___k *mnt_ns;
};
struct task_struct___k {
        struct nsproxy___k *nsproxy;
};
#pragma clang attribute pop

#define CMD_PROG_LOAD 5
#define MODULES_1 "/usr/lib/modules/"
#define MODULES_2 "/lib/modules/"

static __always_inline bool begins(const char *text, const char *with, __u32 n) {
        for (__u32 i = 0; i < n; i++)
                if (text[i] != with[i])
                        return false;
        return true;
}

static __always_inline bool sees_the_node(void) {
        const struct lsm_guard_node *node = lsm_guard_node_get();
        const struct task_struct *task = (const struct task_struct *)bpf_get_current_task_btf();

        return node && BPF_CORE_READ((struct task_struct___k *)task, nsproxy, mnt_ns, ns.inum) == node->mnt_ns;
}

static __always_inline bool is_systems_module(struct file *file) {
        char path[160];

        if (bpf_d_path(&file->f_path, path, sizeof(path)) < 0) {
                lsm_count_error();
                return false;
        }
        return begins(path, MODULES_1, sizeof(MODULES_1) - 1) || begins(path, MODULES_2, sizeof(MODULES_2) - 1);
}

#define READING(id) bpf_core_enum_value(enum kernel_read_file_id___k, READING_##id##___k)
#define LOADING(id) bpf_core_enum_value(enum kernel_load_data_id___k, LOADING_##id##___k)

LSM_POLICY(kernel_read_file, struct file *file, int id) {
        if (id == READING(KEXEC_IMAGE) || id == READING(KEXEC_INITRAMFS))
                return DENY(EPERM, "loads another kernel");
        if (id == READING(MODULE) && !(sees_the_node() && is_systems_module(file)))
                return DENY(EPERM, "loads a module that is not the system's");
        return ALLOW;
}

LSM_POLICY(kernel_load_data, int id) {
        if (id == LOADING(KEXEC_IMAGE) || id == LOADING(KEXEC_INITRAMFS))
                return DENY(EPERM, "loads another kernel");
        if (id == LOADING(MODULE))
                return DENY(EPERM, "loads a module from memory");
        return ALLOW;
}

LSM_POLICY(bpf, int cmd, union bpf_attr *attr) {
        __u32 type; /* the first of what this command takes */

        if (cmd != CMD_PROG_LOAD || lsm_current_is_agent() || bpf_get_current_pid_tgid() >> 32 == 1)
                return ALLOW;
        if (bpf_probe_read_kernel(&type, sizeof(type), attr) < 0) {
                lsm_count_error();
                return DENY(EPERM, "loads a BPF program of an unknown type");
        }
        if (bpf_map_lookup_elem(&open_program_types, &type))
                return ALLOW;
        return DENY(EPERM, "loads a BPF program");
}

LSM_POLICY(userns_create, const struct cred *cred) {
        if ((__u32)bpf_get_current_uid_gid() == 0)
                return ALLOW;
        return DENY(EPERM, "makes a user namespace without being root");
}

char LICENSE[] SEC("license") = "GPL";
