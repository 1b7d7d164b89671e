/* SPDX-License-Identifier: Apache-2.0 */
#include "selftest_cover.h"

#include <sys/mman.h>

#define OP(id) LSM_OP_BIT(LSM_OP_##id)

static uint64_t open_ops(const struct selftest *t) {
        return (t->flags & SELFTEST_O_READ ? OP(FILE_READ) : 0) |
               (t->flags & (SELFTEST_O_WRITE | SELFTEST_O_APPEND) ? OP(FILE_WRITE) : 0) |
               (t->flags & SELFTEST_O_CREATE ? OP(FILE_CREATE) : 0);
}

uint64_t selftest_rule_ops(const struct selftest *t) {
        static const uint64_t ops[SELFTEST_OP_COUNT] = {
                [SELFTEST_READ] = OP(FILE_READ),
                [SELFTEST_CREATE] = OP(FILE_CREATE) | OP(FILE_WRITE),
                [SELFTEST_UNLINK] = OP(FILE_UNLINK),
                [SELFTEST_RENAME] = OP(FILE_RENAME),
                [SELFTEST_LINK] = OP(FILE_LINK),
                [SELFTEST_SYMLINK] = OP(FILE_SYMLINK),
                [SELFTEST_MKDIR] = OP(FILE_MKDIR),
                [SELFTEST_RMDIR] = OP(FILE_UNLINK),
                [SELFTEST_CHMOD] = OP(FILE_CHMOD),
                [SELFTEST_CHOWN] = OP(FILE_CHOWN),
                [SELFTEST_TRUNCATE] = OP(FILE_TRUNCATE),
                [SELFTEST_MKNOD] = OP(FILE_MKNOD),
                [SELFTEST_EXEC] = OP(EXEC) | OP(FILE_EXEC),
                [SELFTEST_SOCKET] = OP(SOCKET_CREATE),
                [SELFTEST_BIND] = OP(SOCKET_BIND),
                [SELFTEST_CONNECT] = OP(SOCKET_CONNECT),
                [SELFTEST_LISTEN] = OP(SOCKET_LISTEN),
                [SELFTEST_ACCEPT] = OP(SOCKET_ACCEPT),
                /* Who sends to an address connects to it. */
                [SELFTEST_SENDMSG] = OP(SOCKET_SENDMSG) | OP(SOCKET_CONNECT),
                [SELFTEST_MOUNT] = OP(MOUNT),
                [SELFTEST_UMOUNT] = OP(UMOUNT),
                [SELFTEST_MOVE_MOUNT] = OP(MOVE_MOUNT) | OP(MOUNT),
                [SELFTEST_PIVOT_ROOT] = OP(PIVOT_ROOT),
                [SELFTEST_PTRACE] = OP(PTRACE),
                [SELFTEST_SIGNAL] = OP(SIGNAL),
                [SELFTEST_CAPABILITY] = OP(CAPABILITY),
                [SELFTEST_BPF] = OP(BPF),
                [SELFTEST_MODULE_LOAD] = OP(MODULE_LOAD),
                [SELFTEST_KEXEC] = OP(KEXEC),
                [SELFTEST_USERNS] = OP(USERNS_CREATE),
                [SELFTEST_SETUID] = OP(SETUID),
                [SELFTEST_SETGID] = OP(SETGID),
        };

        if (t->op == SELFTEST_OPEN)
                return open_ops(t);
        if (t->op == SELFTEST_MMAP)
                return OP(FILE_READ) | (t->flags & PROT_EXEC ? OP(FILE_MMAP_EXEC) : 0);
        return ops[t->op];
}

uint64_t rules_denied_ops(const struct rules_policy *policy) {
        uint64_t denied = policy->default_deny;

        for (size_t i = 0; i < policy->n; i++)
                if (policy->rules[i].action == LSM_RULE_DENY || policy->rules[i].action == LSM_RULE_KILL)
                        denied |= policy->rules[i].ops;
        return denied;
}
