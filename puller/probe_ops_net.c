/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets. Nothing is ever sent to anybody: streams go to a closed port of this machine, datagram sockets only connect. */
#include <sys/socket.h>
#include <sys/un.h>

#include "probe_ops.h"

static int socket_perform(struct attempt *a) {
        cleanup_fd int fd = socket(a->test->family, a->test->type | SOCK_CLOEXEC | SOCK_NONBLOCK, a->test->protocol);

        return fd < 0 ? -errno : 0;
}

const struct probe_op probe_op_socket = {.perform = socket_perform};

/* A port that is taken, so that nobody else can listen there, and where nobody listens. */
static int port_close(struct attempt *a) {
        const struct selftest *t = a->test;

        if (t->type != SOCK_STREAM || (t->family == AF_INET ? t->addr.in.sin_port : t->addr.in6.sin6_port) != 0)
                return 0;
        a->fd = socket(a->test->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (a->fd < 0 || bind(a->fd, (struct sockaddr *)&a->addr, a->addr_len) < 0 ||
            getsockname(a->fd, (struct sockaddr *)&a->addr, &a->addr_len) < 0)
                return setup_failed(a, -errno, "finding a closed port");
        return 0;
}

/* The other end of a unix socket: an abstract address that the kernel draws. */
static int unix_listen(struct attempt *a) {
        a->fd = socket(AF_UNIX, a->test->type | SOCK_CLOEXEC, 0);
        a->addr.ss_family = AF_UNIX;
        a->addr_len = sizeof(a->addr);
        if (a->fd < 0 || bind(a->fd, (struct sockaddr *)&a->addr, sizeof(sa_family_t)) < 0 ||
            (a->test->type == SOCK_STREAM && listen(a->fd, 1) < 0) ||
            getsockname(a->fd, (struct sockaddr *)&a->addr, &a->addr_len) < 0)
                return setup_failed(a, -errno, "listening on a unix socket");
        return 0;
}

static int connect_prepare(struct attempt *a) {
        const struct selftest *t = a->test;

        if (t->family == AF_UNIX)
                return unix_listen(a);
        a->addr_len = t->family == AF_INET ? sizeof(t->addr.in) : sizeof(t->addr.in6);
        memcpy(&a->addr, &t->addr, a->addr_len);
        return port_close(a);
}

/* The other end stays open, unnamed: nobody needs it but the kernel. */
static int connect_arrange(struct attempt *a) {
        a->fd = socket(a->test->family, a->test->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        return a->fd < 0 ? setup_failed(a, -errno, "making a socket") : 0;
}

/* The policy is asked first; these are the network's answers, so it has allowed. The parser refuses to expect them. */
static bool network_answered(int error) {
        return error == ECONNREFUSED || error == ENETUNREACH || error == EHOSTUNREACH || error == ENETDOWN ||
               error == EADDRNOTAVAIL || error == EINPROGRESS;
}

static int connect_perform(struct attempt *a) {
        if (connect(a->fd, (struct sockaddr *)&a->addr, a->addr_len) < 0 && !network_answered(errno))
                return -errno;
        return 0;
}

const struct probe_op probe_op_connect = {.prepare = connect_prepare, .arrange = connect_arrange, .perform = connect_perform};
