/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets. Nothing is ever sent to anybody: whatever has an address of the network's is tried in a network namespace of the
 * test's own, in which there is nobody, and so is an abstract name. A unix socket's path is a place of the test's own.
 */
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "probe_ops.h"

#define ARRIVAL_MS 5000

static int socket_perform(struct attempt *a) {
        cleanup_fd int fd = socket(a->test->family, a->test->type | SOCK_CLOEXEC | SOCK_NONBLOCK, a->test->protocol);

        return fd < 0 ? -errno : 0;
}

const struct probe_op probe_op_socket = {.perform = socket_perform};

/* ---- addresses ---- */

/* The policy is asked first; these are the network's answers, so it has allowed. The parser refuses to expect them. */
static bool network_answered(int error) {
        return error == ECONNREFUSED || error == ENETUNREACH || error == EHOSTUNREACH || error == ENETDOWN ||
               error == EADDRNOTAVAIL || error == EINPROGRESS;
}

static int answer(int r) {
        return r < 0 && !network_answered(errno) ? -errno : 0;
}

static const struct sockaddr *address(const struct attempt *a) {
        return (const struct sockaddr *)&a->addr;
}

static bool is_abstract(const struct selftest *t) {
        return t->family == AF_UNIX && t->addr.un.sun_path[1];
}

/* What is tried is about an address that is not drawn by the kernel. */
static bool is_named(const struct selftest *t) {
        return t->family != AF_UNIX || t->at.path || is_abstract(t);
}

static int address_take(struct attempt *a) {
        const struct selftest *t = a->test;
        struct sockaddr_un *un = (struct sockaddr_un *)&a->addr;

        a->addr = (struct sockaddr_storage){.ss_family = t->family};
        if (t->family != AF_UNIX) {
                a->addr_len = t->family == AF_INET ? sizeof(t->addr.in) : sizeof(t->addr.in6);
                memcpy(&a->addr, &t->addr, a->addr_len);
        } else if (t->at.path) {
                if (strlen(a->at) >= sizeof(un->sun_path))
                        return setup_failed(a, -ENAMETOOLONG, "naming a socket");
                strcpy(un->sun_path, a->at);
                a->addr_len = sizeof(*un);
        } else if (is_abstract(t)) {
                *un = t->addr.un;
                a->addr_len = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(un->sun_path + 1);
        } else
                a->addr_len = sizeof(sa_family_t); /* the kernel draws one */
        return 0;
}

int network_private(struct attempt *a) {
        struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
        cleanup_fd int fd = -1;

        if (unshare(CLONE_NEWNET) < 0)
                return setup_failed(a, -errno, "making a private network namespace");
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
                return setup_failed(a, -errno, "setting up a private network");
        return 0;
}

/* A place of its own, with the test's address. */
static int nobodys_prepare(struct attempt *a) {
        int r = address_take(a);

        if (r < 0 || !is_named(a->test))
                return r;
        if (a->test->at.path)
                return place_make(a, &a->test->at, a->at, PLACE_EMPTY);
        return network_private(a);
}

static int socket_arrange(struct attempt *a) {
        a->fd = socket(a->test->family, a->test->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        return a->fd < 0 ? setup_failed(a, -errno, "making a socket") : 0;
}

/* ---- connect ---- */

/* A port that is taken, so that nobody else can listen there, and where nobody listens. */
static int port_close(struct attempt *a) {
        const struct selftest *t = a->test;

        if (t->type != SOCK_STREAM || (t->family == AF_INET ? t->addr.in.sin_port : t->addr.in6.sin6_port) != 0)
                return 0;
        a->fd = socket(a->test->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (a->fd < 0 || bind(a->fd, address(a), a->addr_len) < 0 ||
            getsockname(a->fd, (struct sockaddr *)&a->addr, &a->addr_len) < 0)
                return setup_failed(a, -errno, "finding a closed port");
        return 0;
}

/* The other end of a unix socket: at the test's address, or where the kernel chooses. It stays open: nobody needs it but the
 * kernel, and the subject's own socket takes its place in a->fd. */
static int unix_listen(struct attempt *a) {
        a->fd = socket(AF_UNIX, a->test->type | SOCK_CLOEXEC, 0);
        if (a->fd < 0 || bind(a->fd, address(a), a->addr_len) < 0 || (a->test->type == SOCK_STREAM && listen(a->fd, 1) < 0))
                return setup_failed(a, -errno, "listening on a unix socket");
        if (a->test->at.path) /* whoever tries: file permissions are not what is tried */
                return chmod(a->at, 0666) < 0 ? setup_failed(a, -errno, "opening a socket to the subject") : 0;
        a->addr_len = sizeof(a->addr);
        if (getsockname(a->fd, (struct sockaddr *)&a->addr, &a->addr_len) < 0)
                return setup_failed(a, -errno, "listening on a unix socket");
        return 0;
}

/* Without the namespace, what is not denied would knock at the door of whoever listens there, on this machine or another. */
static int connect_prepare(struct attempt *a) {
        int r = nobodys_prepare(a);

        if (r < 0)
                return r;
        return a->test->family == AF_UNIX ? unix_listen(a) : port_close(a);
}

static int connect_perform(struct attempt *a) {
        return answer(connect(a->fd, address(a), a->addr_len));
}

const struct probe_op probe_op_connect = {.prepare = connect_prepare, .arrange = socket_arrange, .perform = connect_perform};

/* ---- bind, listen, accept ---- */

static int bind_perform(struct attempt *a) {
        return answer(bind(a->fd, address(a), a->addr_len));
}

const struct probe_op probe_op_bind = {.prepare = nobodys_prepare, .arrange = socket_arrange, .perform = bind_perform};

static int bound_arrange(struct attempt *a) {
        int r = socket_arrange(a);

        if (r < 0)
                return r;
        if (bind(a->fd, address(a), a->addr_len) < 0 && errno != EADDRNOTAVAIL)
                return setup_failed(a, -errno, "binding the socket");
        a->addr_len = sizeof(a->addr);
        if (getsockname(a->fd, (struct sockaddr *)&a->addr, &a->addr_len) < 0)
                return setup_failed(a, -errno, "binding the socket");
        return 0;
}

static int listen_perform(struct attempt *a) {
        return answer(listen(a->fd, 1));
}

const struct probe_op probe_op_listen = {.prepare = nobodys_prepare, .arrange = bound_arrange, .perform = listen_perform};

static int knocked_arrange(struct attempt *a) {
        struct pollfd p;
        int r = bound_arrange(a), client;

        if (r < 0)
                return r;
        if (listen(a->fd, 1) < 0)
                return setup_failed(a, -errno, "listening");
        /* Left open: it is to be still there when it is accepted. */
        client = socket(a->test->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (client < 0 || (connect(client, address(a), a->addr_len) < 0 && errno != EINPROGRESS))
                return setup_failed(a, -errno, "connecting");
        p = (struct pollfd){.fd = a->fd, .events = POLLIN};
        return poll(&p, 1, ARRIVAL_MS) == 1 ? 0 : setup_failed(a, -ETIMEDOUT, "connecting");
}

static int accept_perform(struct attempt *a) {
        cleanup_fd int fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC);

        return fd < 0 ? -errno : 0;
}

const struct probe_op probe_op_accept = {.prepare = nobodys_prepare, .arrange = knocked_arrange, .perform = accept_perform};

/* ---- sendmsg ---- */

static int receiver_prepare(struct attempt *a) {
        int r = nobodys_prepare(a);

        return r < 0 || a->test->family != AF_UNIX || !is_named(a->test) ? r : unix_listen(a);
}

static int sender_arrange(struct attempt *a) {
        int pair[2];

        if (is_named(a->test))
                return socket_arrange(a);
        if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return setup_failed(a, -errno, "making a pair of sockets");
        a->fd = pair[0];
        return 0;
}

static int sendmsg_perform(struct attempt *a) {
        char byte = 0;
        struct iovec iov = {.iov_base = &byte, .iov_len = 1};
        struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

        if (is_named(a->test)) {
                msg.msg_name = &a->addr;
                msg.msg_namelen = a->addr_len;
        }
        return answer(sendmsg(a->fd, &msg, MSG_NOSIGNAL));
}

const struct probe_op probe_op_sendmsg = {.prepare = receiver_prepare, .arrange = sender_arrange, .perform = sendmsg_perform};
