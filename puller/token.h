/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A BPF token (6.9): the right to load, delegated through a bpffs of the child's own to a user namespace in which the child is
 * root, while outside it is an unprivileged user. Two sides that speak over the child's socket.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"
#include "wait.h"

/* Asks the kernel, in one call, whether it knows tokens at all. true does not promise that one can be had. */
bool token_known(void);

/* Child: leaves for a user namespace and obtains the delegated bpffs. ret_fd: its root directory, for bpf_token_path.
 * -EOPNOTSUPP: this kernel has no tokens (or no user namespaces); the process has changed and should end. */
int token_take(int sock, int *ret_fd, struct err *err);

/* Supervisor: maps the child's ids to uid/gid and delegates loading, nothing else. `child` sends LOADER_NAMESPACE first. */
int token_give(int sock, pid_t child, uid_t uid, gid_t gid, struct waiter *w, int64_t deadline_ns, struct err *err);
