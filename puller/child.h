/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes of the supervisor. Each is this same program, executed afresh (no memory of the supervisor goes with it)
 * with its role as the first argument and a SOCK_SEQPACKET to the supervisor as descriptor 3; all others but 0 to 2 are closed.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "err.h"
#include "wait.h"

#define CHILD_SOCK 3
#define MSG_FDS_MAX 16

struct child {
        pid_t pid; /* 0: none */
        int pidfd;
        int sock; /* the supervisor's end */
};
#define CHILD_INIT ((struct child){.pidfd = -1, .sock = -1})

struct child_spec {
        const char *exe;  /* NULL: this very program (/proc/self/exe) */
        const char *role; /* argv[1]: "@loader", "@fetcher", "@probe", "@reporter" */
        int cgroup;       /* directory fd of the cgroup to start in; -1: the parent's */
};

int child_spawn(const struct child_spec *spec, struct child *ret, struct err *err);
/* Waits for the end; returns 0 and the wait status, or waiter's error. */
int child_wait(struct child *c, struct waiter *w, int64_t deadline_ns, int *ret_status);
/* SIGKILL, reap, close. Harmless on CHILD_INIT and twice. */
void child_kill(struct child *c);

/* One packet with descriptors. n <= 64 KiB, n_fds <= MSG_FDS_MAX. */
int msg_send(int sock, const void *p, size_t n, const int *fds, size_t n_fds);
/* Length of the packet (0: peer has gone); fds are close-on-exec and the caller's. *n_fds: room in, received out. A packet that
 * does not fit, or brings more descriptors than there is room for, is -EBADMSG and leaks nothing. */
ssize_t msg_recv(int sock, void *p, size_t max, int *fds, size_t *n_fds);
/* Waits for a packet first; -ETIMEDOUT past the deadline. */
ssize_t msg_recv_wait(int sock, struct waiter *w, int64_t deadline_ns, void *p, size_t max, int *fds, size_t *n_fds);
