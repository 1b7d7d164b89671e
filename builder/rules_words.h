/* SPDX-License-Identifier: Apache-2.0 */
/* The words that rules are written with, and the kernel's numbers for them. */
#pragma once

#include <linux/types.h>

#include "lsm_rules_abi.h"
#include "strv.h"
#include "util.h"

/* What a file's rules are about; the rest has no path. */
#define RULES_OPS_FILE                                                                                         \
        (LSM_OP_BIT(LSM_OP_FILE_READ) | LSM_OP_BIT(LSM_OP_FILE_WRITE) | LSM_OP_BIT(LSM_OP_FILE_CREATE) |       \
         LSM_OP_BIT(LSM_OP_FILE_EXEC) | LSM_OP_BIT(LSM_OP_FILE_MMAP_EXEC) | LSM_OP_BIT(LSM_OP_FILE_UNLINK) |   \
         LSM_OP_BIT(LSM_OP_FILE_RENAME) | LSM_OP_BIT(LSM_OP_FILE_LINK) | LSM_OP_BIT(LSM_OP_FILE_SYMLINK) |     \
         LSM_OP_BIT(LSM_OP_FILE_MKDIR) | LSM_OP_BIT(LSM_OP_FILE_CHMOD) | LSM_OP_BIT(LSM_OP_FILE_CHOWN) |       \
         LSM_OP_BIT(LSM_OP_FILE_TRUNCATE) | LSM_OP_BIT(LSM_OP_FILE_MKNOD) | LSM_OP_BIT(LSM_OP_FILE_SETXATTR) | \
         LSM_OP_BIT(LSM_OP_EXEC))

/* Those that a node for a device may be the object of: it is made, opened and named, but neither a program nor of a length. */
#define RULES_OPS_DEVICE                                                                                    \
        (LSM_OP_BIT(LSM_OP_FILE_READ) | LSM_OP_BIT(LSM_OP_FILE_WRITE) | LSM_OP_BIT(LSM_OP_FILE_MMAP_EXEC) | \
         LSM_OP_BIT(LSM_OP_FILE_UNLINK) | LSM_OP_BIT(LSM_OP_FILE_RENAME) | LSM_OP_BIT(LSM_OP_FILE_LINK) |   \
         LSM_OP_BIT(LSM_OP_FILE_CHMOD) | LSM_OP_BIT(LSM_OP_FILE_CHOWN) | LSM_OP_BIT(LSM_OP_FILE_SETXATTR) | \
         LSM_OP_BIT(LSM_OP_FILE_MKNOD))

/* Those that a path may be said for. */
#define RULES_OPS_PATH                                                                                           \
        (RULES_OPS_FILE | LSM_OP_BIT(LSM_OP_MOUNT) | LSM_OP_BIT(LSM_OP_UMOUNT) | LSM_OP_BIT(LSM_OP_MOVE_MOUNT) | \
         LSM_OP_BIT(LSM_OP_PIVOT_ROOT))

/* Those that have an address (`to`), and all about sockets. */
#define RULES_OPS_ADDRESS                                                                                        \
        (LSM_OP_BIT(LSM_OP_SOCKET_BIND) | LSM_OP_BIT(LSM_OP_SOCKET_CONNECT) | LSM_OP_BIT(LSM_OP_SOCKET_LISTEN) | \
         LSM_OP_BIT(LSM_OP_SOCKET_ACCEPT) | LSM_OP_BIT(LSM_OP_SOCKET_SENDMSG))
#define RULES_OPS_SOCKET (RULES_OPS_ADDRESS | LSM_OP_BIT(LSM_OP_SOCKET_CREATE))

/* The operation of that name (`exec` and `file.exec` are one: both bits); 0: there is none. */
uint64_t rules_ops_named(const char *word);
/* Does this version decide about it? */
bool rules_ops_supported(uint64_t ops);
/* The words of a set of operations, separated by ", "; exec and file.exec as `exec`. */
void rules_ops_show(uint64_t ops, char *ret, size_t n);
/* Adds the hooks that these operations need, sorted; unix_ops: for UNIX sockets, those of RULES_OPS_ADDRESS. 0 or -ENOMEM. */
int rules_hooks_add(uint64_t ops, uint64_t unix_ops, struct strv *to);

/* Negative: there is no such word. */
int rules_action_named(const char *word);
const char *rules_action_word(enum lsm_rule_action action);
int rules_capability_named(const char *word);
int rules_family_named(const char *word);
int rules_type_named(const char *word);
int rules_protocol_named(const char *word);
int rules_signal_named(const char *word);
int rules_command_named(const char *word); /* of bpf() */
