// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Users do not rename files of certain names, and make no sockets of certain families.
 *
 * inode_rename, socket_create. A name that cannot be read is counted and denied.
 */
#include <lsm_policy.h>

SEED_SET(kept_names, char[32], 64);
SEED_MAP(families, __u32, __u32, 16);
SEED_ARRAY(first_uid, __u32, 1);

static __always_inline bool is_user(void) {
        __u32 zero = 0, uid = (__u32)bpf_get_current_uid_gid();
        __u32 *first = bpf_map_lookup_elem(&first_uid, &zero);

        return first && uid >= *first;
}

LSM_POLICY(inode_rename, struct inode *dir, struct dentry *dentry, struct inode *new_dir, struct dentry *new_dentry) {
        char name[32] = {};

        if (!is_user() || dentry->d_name.len >= sizeof(name))
                return ALLOW;
        if (bpf_probe_read_kernel_str(name, sizeof(name), dentry->d_name.name) < 0) {
                lsm_count_error();
                return DENY(EACCES, "renames a file whose name cannot be read");
        }
        if (bpf_map_lookup_elem(&kept_names, name))
                return DENY_NAME(EACCES, "renames a kept file", dentry);
        return ALLOW;
}

LSM_POLICY(socket_create, int family, int type, int protocol, int kern) {
        __u32 key = family, *error = bpf_map_lookup_elem(&families, &key);

        if (kern || !error || !is_user())
                return ALLOW;
        return DENY(*error, "makes a socket of this family");
}

char LICENSE[] SEC("license") = "GPL";
