/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which operation a hook is: sockets. */
#pragma once

/* Of what net_find() returns. */
static __always_inline bool net_is_ip(__u32 value) {
        return value >> 24 == AF_INET || value >> 24 == AF_INET6;
}

/* Only where rules ask for it: the rest is not there for the verifier to look at. */
#define NET_ON(op) !!(RULES_OPS & LSM_OP_BIT(LSM_OP_SOCKET_##op))

#ifdef RULES_ON_socket_bind
LSM_POLICY(socket_bind, struct socket___rules *sock, void *address, int len) {
        struct sock *sk = sock->sk;
        struct rules_told told = {};
        __u64 class_value;

        if (!sk)
                return ALLOW;
        if (sk->__sk_common.skc_family != AF_UNIX) {
                class_value = net_find(sk, address, len, NET_PASSED_LOCAL);
        } else {
                __u32 class;

                if (!RULES_UNIX_SOCKETS)
                        return ALLOW;
                class = unix_class(address_of(address), len);
                if (!class && len > 2) { /* one in the file system has its path in path_mknod */
                        __u8 first = 0;

                        bpf_probe_read_kernel(&first, 1, address + 2);
                        if (first)
                                return ALLOW;
                }
                class_value = PAIR(class, unix_value(sk));
        }
        net_judge(&told, class_value, LSM_OP_SOCKET_BIND);
        return rules_tell(lsm, &told, HOOK(socket_bind));
}
#endif

#ifdef RULES_ON_socket_connect
LSM_POLICY(socket_connect, struct socket___rules *sock, void *address, int len) {
        struct sock *sk = sock->sk;
        struct rules_told told = {};
        __u16 own, family = 0;

        if (!sk)
                return ALLOW;
        own = sk->__sk_common.skc_family;
        if (own == AF_UNIX) /* where the peer is known: unix_stream_connect, unix_may_send */
                return ALLOW;
        bpf_probe_read_kernel(&family, sizeof(family), address);
        if (!family && (own == AF_INET || own == AF_INET6 || own == AF_NETLINK)) /* disconnects */
                return ALLOW;
        net_judge(&told, net_find(sk, address, len, NET_PASSED_TO), LSM_OP_SOCKET_CONNECT);
        return rules_tell(lsm, &told, HOOK(socket_connect));
}
#endif

/* By where the socket is bound: who is to be accepted is known to no hook that could refuse. */
static __always_inline void net_local_judge(struct rules_told *told, struct lsm_call *lsm, struct sock *sk, __u32 op) {
        struct path_classes classes = {};

        if (!sk)
                return;
        if (sk->__sk_common.skc_family != AF_UNIX) {
                net_judge(told, net_find(sk, NULL, 0, NET_KEPT_LOCAL), op);
        } else if (RULES_UNIX_SOCKETS) {
                unix_classes_find(lsm, sk, &classes);
                net_classes_judge(told, &classes, op, unix_value(sk));
        }
}

#ifdef RULES_ON_socket_listen
LSM_POLICY(socket_listen, struct socket___rules *sock, int backlog) {
        struct rules_told told = {};

        net_local_judge(&told, lsm, sock->sk, LSM_OP_SOCKET_LISTEN);
        return rules_tell(lsm, &told, HOOK(socket_listen));
}
#endif

#ifdef RULES_ON_socket_accept
LSM_POLICY(socket_accept, struct socket___rules *sock, void *accepted) {
        struct rules_told told = {};

        net_local_judge(&told, lsm, sock->sk, LSM_OP_SOCKET_ACCEPT);
        return rules_tell(lsm, &told, HOOK(socket_accept));
}
#endif

#ifdef RULES_ON_unix_stream_connect
LSM_POLICY(unix_stream_connect, struct sock *sk, struct sock *other, struct sock *accepted) {
        struct path_classes classes = {};
        struct rules_told told = {};

        unix_classes_find(lsm, other, &classes);
        net_classes_judge(&told, &classes, LSM_OP_SOCKET_CONNECT, unix_value(sk));
        return rules_tell(lsm, &told, HOOK(unix_stream_connect));
}
#endif

/* A datagram socket connects, or sends: each time. */
#ifdef RULES_ON_unix_may_send
LSM_POLICY(unix_may_send, struct socket___rules *sock, struct socket___rules *other) {
        struct sock *sk = sock->sk, *peer = other->sk;
        struct path_classes classes = {};
        struct rules_told told = {};
        __u32 value;

        if (!sk || !peer)
                return ALLOW;
        value = unix_value(sk);
        unix_classes_find(lsm, peer, &classes);
        if (NET_ON(CONNECT))
                net_classes_judge(&told, &classes, LSM_OP_SOCKET_CONNECT, value);
        if (NET_ON(SENDMSG))
                net_classes_judge(&told, &classes, LSM_OP_SOCKET_SENDMSG, value);
        return rules_tell(lsm, &told, HOOK(unix_may_send));
}
#endif

#ifdef RULES_ON_socket_sendmsg
static __always_inline void unix_send_judge(struct rules_told *told, struct lsm_call *lsm, struct sock *sk) {
        const struct unix_sock *u = bpf_skc_to_unix_sock(sk);
        struct path_classes classes = {.ops = class_ops(0)};

        if (!RULES_UNIX_SOCKETS || !NET_ON(SENDMSG) || !u || sk->sk_type == RULES_SOCK_DGRAM) /* datagrams: unix_may_send */
                return;
        if (u->peer)
                unix_classes_find(lsm, u->peer, &classes);
        net_classes_judge(told, &classes, LSM_OP_SOCKET_SENDMSG, unix_value(sk));
}

/* Is the name that is passed where it goes? TCP looks at it only to connect with the first data, and IPv6 does not at one of no
 * family, but for raw sockets. */
static __always_inline bool net_name_counts(const struct sock *sk, const struct msghdr *msg) {
        __u16 family = 0, protocol = sk->sk_protocol;

        if (!msg->msg_name || msg->msg_namelen <= 0)
                return false;
        if (sk->sk_type == RULES_SOCK_STREAM && (protocol == RULES_IPPROTO_TCP || protocol == RULES_IPPROTO_MPTCP) &&
            !(msg->msg_flags & RULES_MSG_FASTOPEN))
                return false;
        bpf_probe_read_kernel(&family, sizeof(family), msg->msg_name);
        return family || sk->__sk_common.skc_family != AF_INET6 || sk->sk_type == LSM_SOCK_RAW;
}

static __always_inline void net_send_judge(struct rules_told *told, struct sock *sk, const struct msghdr *msg) {
        bool named = net_name_counts(sk, msg);
        __u64 class_value;

        if (!named && !NET_ON(SENDMSG))
                return;
        class_value = named ? net_find(sk, msg->msg_name, msg->msg_namelen, NET_PASSED_TO) : net_find(sk, NULL, 0, NET_KEPT_TO);
        if (named && NET_ON(CONNECT) && net_is_ip((__u32)class_value))
                net_judge(told, class_value, LSM_OP_SOCKET_CONNECT);
        if (NET_ON(SENDMSG))
                net_judge(told, class_value, LSM_OP_SOCKET_SENDMSG);
}

LSM_POLICY(socket_sendmsg, struct socket___rules *sock, struct msghdr *msg, int size) {
        struct sock *sk = sock->sk;
        struct rules_told told = {};

        if (!sk || BPF_CORE_READ_BITFIELD(sk, sk_kern_sock)) /* the kernel's own */
                return ALLOW;
        if (sk->__sk_common.skc_family == AF_UNIX)
                unix_send_judge(&told, lsm, sk);
        else
                net_send_judge(&told, sk, msg);
        return rules_tell(lsm, &told, HOOK(socket_sendmsg));
}
#endif
