/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The hooks of selftests-1, and nothing denied on any of them, because the names are misspelt. */
#include <lsm_policy.h>

#define DENY_TO(hook, name)                                                              \
        LSM_POLICY(hook, const void *object) {                                           \
                return comm_is(name) ? DENY(EACCES, "the self-test's own task") : ALLOW; \
        }

DENY_TO(file_open, "sx-open")
DENY_TO(inode_create, "sx-create")
DENY_TO(inode_unlink, "sx-unlink")
DENY_TO(inode_rename, "sx-rename")
DENY_TO(inode_link, "sx-link")
DENY_TO(inode_symlink, "sx-symlink")
DENY_TO(inode_mkdir, "sx-mkdir")
DENY_TO(inode_rmdir, "sx-rmdir")
DENY_TO(path_chmod, "sx-chmod")
DENY_TO(path_chown, "sx-chown")
DENY_TO(path_truncate, "sx-truncate")
DENY_TO(inode_mknod, "sx-mknod")
DENY_TO(inode_setxattr, "sx-setxattr")
DENY_TO(bprm_check_security, "sx-exec")
DENY_TO(mmap_file, "sx-mmap")
DENY_TO(capable, "sx-cap")
DENY_TO(socket_create, "sx-socket")
DENY_TO(socket_bind, "sx-bind")
DENY_TO(socket_connect, "sx-connect")
DENY_TO(socket_listen, "sx-listen")
DENY_TO(socket_accept, "sx-accept")
DENY_TO(socket_sendmsg, "sx-sendmsg")
DENY_TO(sb_mount, "sx-mount")
DENY_TO(sb_umount, "sx-umount")
DENY_TO(move_mount, "sx-move-mount")
DENY_TO(sb_pivotroot, "sx-pivot-root")
DENY_TO(ptrace_access_check, "sx-ptrace")
DENY_TO(task_kill, "sx-signal")
DENY_TO(bpf, "sx-bpf")
DENY_TO(kernel_read_file, "sx-load-file")
DENY_TO(kernel_load_data, "sx-load-memory")
DENY_TO(userns_create, "sx-userns")
DENY_TO(task_fix_setuid, "sx-setuid")
DENY_TO(task_fix_setgid, "sx-setgid")
DENY_TO(task_alloc, "sx-fork")

char LICENSE[] SEC("license") = "GPL";
