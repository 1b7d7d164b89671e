/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Denies on each hook that self-tests can reach what a task with the hook's own name does, and nothing else. */
#include <lsm_policy.h>

#define DENY_TO(hook, name)                                                              \
        LSM_POLICY(hook, const void *object) {                                           \
                return comm_is(name) ? DENY(EACCES, "the self-test's own task") : ALLOW; \
        }

DENY_TO(file_open, "st-open")
DENY_TO(inode_create, "st-create")
DENY_TO(inode_unlink, "st-unlink")
DENY_TO(inode_rename, "st-rename")
DENY_TO(inode_link, "st-link")
DENY_TO(inode_symlink, "st-symlink")
DENY_TO(inode_mkdir, "st-mkdir")
DENY_TO(inode_rmdir, "st-rmdir")
DENY_TO(path_chmod, "st-chmod")
DENY_TO(path_chown, "st-chown")
DENY_TO(path_truncate, "st-truncate")
DENY_TO(inode_mknod, "st-mknod")
DENY_TO(inode_setxattr, "st-setxattr")
DENY_TO(bprm_check_security, "st-exec")
DENY_TO(mmap_file, "st-mmap")
DENY_TO(capable, "st-cap")
DENY_TO(socket_create, "st-socket")
DENY_TO(socket_bind, "st-bind")
DENY_TO(socket_connect, "st-connect")
DENY_TO(socket_listen, "st-listen")
DENY_TO(socket_accept, "st-accept")
DENY_TO(socket_sendmsg, "st-sendmsg")
DENY_TO(sb_mount, "st-mount")
DENY_TO(sb_umount, "st-umount")
DENY_TO(move_mount, "st-move-mount")
DENY_TO(sb_pivotroot, "st-pivot-root")
DENY_TO(ptrace_access_check, "st-ptrace")
DENY_TO(task_kill, "st-signal")
DENY_TO(bpf, "st-bpf")
DENY_TO(kernel_read_file, "st-load-file")
DENY_TO(kernel_load_data, "st-load-memory")
DENY_TO(userns_create, "st-userns")
DENY_TO(task_fix_setuid, "st-setuid")
DENY_TO(task_fix_setgid, "st-setgid")
DENY_TO(task_alloc, "st-fork")

char LICENSE[] SEC("license") = "GPL";
