// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * container-mounts: who is in a container mounts no disk of the node, and binds none of the node's own folders.
 *
 *      sb_set_mnt_opts     every mount of a file system, old way or new: one that lies on a block device is denied
 *      sb_mount            mount(2) with MS_BIND: a source that is, to the letter, in the seeded set is denied
 *
 * In a container is who lives in a PID namespace other than the node's. There is nothing to be unsure of. What open_tree(2) and
 * move_mount(2) bind is not seen: hooks there know of no path.
 */
#include <lsm_policy.h>

SEED_SET(host_paths, char[64], 64);

#define MS_BIND 0x1000

struct block_device;
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct super_block___m {
        struct block_device *s_bdev;
};
struct pid___m {
        unsigned int level;
};
struct task_struct___m {
        struct pid___m *thread_pid;
};
#pragma clang attribute pop

static __always_inline bool in_container(void) {
        return ((struct task_struct___m *)bpf_get_current_task_btf())->thread_pid->level > 0;
}

LSM_POLICY(sb_set_mnt_opts, struct super_block *sb) {
        if (in_container() && ((struct super_block___m *)sb)->s_bdev)
                return DENY(EPERM, "mounts a disk from within a container");
        return ALLOW;
}

LSM_POLICY(sb_mount, const char *dev_name, const struct path *path, const char *type, unsigned long flags) {
        char source[64] = {};

        if (!(flags & MS_BIND) || !dev_name || !in_container())
                return ALLOW;
        /* A longer one is none of the set's. */
        if (bpf_probe_read_kernel_str(source, sizeof(source), dev_name) > 0 && bpf_map_lookup_elem(&host_paths, source))
                return DENY(EPERM, "binds a folder of the node from within a container");
        return ALLOW;
}

char LICENSE[] SEC("license") = "GPL";
