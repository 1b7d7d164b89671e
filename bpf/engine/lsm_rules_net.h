/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Sockets: their addresses.
 *
 * An address goes through the same automaton as a path, as text that no path can be: "4" or "6", address and port in hexadecimal;
 * "@" and the name of an abstract UNIX socket (builder/address_pattern.h). A UNIX socket in the file system is known by its path.
 *
 * It is judged where it is used: the hooks get the kernel's own copy, which the task cannot change any more, and of a UNIX socket
 * the one that was found at the path. Who sends to an address connects to it, too: datagrams, and TCP with data in the first packet.
 */
#pragma once

#define RULES_MSG_FASTOPEN 0x20000000
#define RULES_SOCK_STREAM 1
#define RULES_SOCK_DGRAM 2
#define RULES_IPPROTO_ICMP 1
#define RULES_IPPROTO_TCP 6
#define RULES_IPPROTO_ICMPV6 58
#define RULES_IPPROTO_MPTCP 262
#define RULES_UNIX_NAME_MAX 108
#define RULES_LOOPBACK __builtin_bswap32(0x7f000001)
#define RULES_MAPPED __builtin_bswap32(0xffff)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct in6_addr___rules {
        __u8 in6_u[16];
};

struct sock_common___rules {
        __u16 skc_family;
        __be32 skc_daddr, skc_rcv_saddr;
        __be16 skc_dport;
        __u16 skc_num;
        struct in6_addr___rules skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sock {
        struct sock_common___rules __sk_common;
        __u8 sk_kern_sock : 1;
        __u16 sk_type;
        __u16 sk_protocol;
};

struct socket___rules {
        struct sock *sk;
};

struct sockaddr_un {
        __u16 sun_family;
        char sun_path[108];
};

struct unix_address {
        int len;
        struct sockaddr_un name[];
};

struct unix_sock {
        struct unix_address *addr;
        struct path path;
        struct sock *peer;
};

struct msghdr {
        void *msg_name;
        int msg_namelen;
        unsigned int msg_flags;
};

#pragma clang attribute pop

/* ---- addresses of IP --------------------------------------------------------------------------------------------------- */

/* As tasks pass them: sockaddr_in up to `v4`, sockaddr_in6 with `v6`. */
struct net_sockaddr {
        __u16 family;
        __be16 port;
        __be32 v4;
        __be32 v6[4];
};
#define NET_SIZE_V4 16
#define NET_SIZE_V6 24

struct net_name {
        __u32 family; /* AF_INET, AF_INET6; 0: there is no address that rules can name */
        __be32 address[4];
        __be16 port;
};

struct net_walk {
        __u32 state, n;
        __u8 bytes[20];
};

static __always_inline __u8 net_digit(__u32 n) {
        return n < 10 ? '0' + n : 'a' - 10 + n;
}

static long net_byte(__u32 i, void *ctx) {
        struct net_walk *w = ctx;
        __u32 state = w->state;
        __u8 byte;

        if (i >= w->n || i >= sizeof(w->bytes) || rules_over(state))
                return 1;
        byte = w->bytes[i];
        state = rules_byte(state, net_digit(byte >> 4));
        if (!rules_over(state))
                state = rules_byte(state, net_digit(byte & 15));
        w->state = state;
        return 0;
}

__noinline __u32 net_class(const struct net_name *name) {
        struct net_walk w = {};
        __u32 first = '6';

        if (!name || !name->family)
                return 0;
        __builtin_memcpy(w.bytes, name->address, sizeof(name->address));
        __builtin_memcpy(w.bytes + 16, &name->port, sizeof(name->port));
        w.n = 18;
        if (name->family == AF_INET) {
                __builtin_memcpy(w.bytes + 4, &name->port, sizeof(name->port));
                w.n = 6;
                first = '4';
        }
        w.state = rules_byte(RULES_START, first);
        bpf_loop(sizeof(w.bytes), net_byte, &w, 0);
        return class_of(w.state, false);
}

/* An IPv4 address in one of IPv6 is the IPv4 address: that is where the packets go. */
static __always_inline void net_name_unmap(struct net_name *name) {
        if (name->family != AF_INET6 || name->address[0] || name->address[1] || name->address[2] != RULES_MAPPED)
                return;
        name->family = AF_INET;
        name->address[0] = name->address[3];
}

/* Who connects to no address comes to this machine: to what the socket is bound to, or else to the loopback. */
static __always_inline void net_name_anywhere(struct net_name *name, const struct sock *sk) {
        __u16 family = sk->__sk_common.skc_family;
        __be32 bound[4] = {};

        if (name->family == AF_INET && !name->address[0]) {
                if (family == AF_INET || family == AF_INET6)
                        name->address[0] = sk->__sk_common.skc_rcv_saddr;
                if (!name->address[0])
                        name->address[0] = RULES_LOOPBACK;
        }
        if (name->family == AF_INET6 && !(name->address[0] | name->address[1] | name->address[2] | name->address[3])) {
                if (family == AF_INET6)
                        bpf_probe_read_kernel(bound, sizeof(bound), &sk->__sk_common.skc_v6_rcv_saddr);
                if (!bound[0] && !bound[1] && bound[2] == RULES_MAPPED) {
                        name->family = AF_INET;
                        name->address[0] = RULES_LOOPBACK;
                } else
                        name->address[3] = __builtin_bswap32(1);
        }
}

/* What a task passes as an address. An IPv4 socket takes one of no family for its own, and raw sockets of IPv6 do so, too. */
static __always_inline void net_name_passed(struct net_name *name, const struct sock *sk, const void *address, __u32 len) {
        struct net_sockaddr s = {};

        if (len < sizeof(s.family) || bpf_probe_read_kernel(&s, sizeof(s), address) < 0)
                return;
        if (!s.family && sk->__sk_common.skc_family != AF_UNIX)
                s.family = sk->__sk_common.skc_family;
        if (s.family == AF_INET && len >= NET_SIZE_V4)
                name->address[0] = s.v4;
        else if (s.family == AF_INET6 && len >= NET_SIZE_V6)
                __builtin_memcpy(name->address, s.v6, sizeof(s.v6));
        else
                return;
        name->family = s.family;
        name->port = s.port;
}

/* What the socket is connected to; local: bound to. */
static __always_inline void net_name_kept(struct net_name *name, const struct sock *sk, bool local) {
        const struct sock_common___rules *c = &sk->__sk_common;
        __u16 family = c->skc_family;

        if (family != AF_INET && family != AF_INET6)
                return;
        name->family = family;
        name->port = local ? __builtin_bswap16(c->skc_num) : c->skc_dport;
        if (family == AF_INET)
                name->address[0] = local ? c->skc_rcv_saddr : c->skc_daddr;
        else if (bpf_core_field_exists(c->skc_v6_daddr)) {
                if (local)
                        bpf_probe_read_kernel(name->address, sizeof(name->address), &c->skc_v6_rcv_saddr);
                else
                        bpf_probe_read_kernel(name->address, sizeof(name->address), &c->skc_v6_daddr);
        }
        if (!local && !name->port && !(name->address[0] | name->address[1] | name->address[2] | name->address[3]))
                name->family = 0;
}

static __always_inline bool net_has_ports(const struct sock *sk) {
        return sk->sk_type != LSM_SOCK_RAW && sk->sk_protocol != RULES_IPPROTO_ICMP && sk->sk_protocol != RULES_IPPROTO_ICMPV6;
}

enum net_where {
        NET_PASSED_TO,    /* the address that is passed: somebody else's */
        NET_PASSED_LOCAL, /* this socket's */
        NET_KEPT_TO,      /* the socket's own peer */
        NET_KEPT_LOCAL,   /* and where it is bound */
};

/* The class of an address, and what the socket is, with the family of the address: (class, value). */
static __noinline __u64 net_find(const struct sock *sk, const void *address, __u32 len, __u32 where) {
        struct net_name name = {};

        if (where <= NET_PASSED_LOCAL)
                net_name_passed(&name, sk, address, len);
        else
                net_name_kept(&name, sk, where == NET_KEPT_LOCAL);
        net_name_unmap(&name);
        if (where == NET_PASSED_TO)
                net_name_anywhere(&name, sk);
        if (!net_has_ports(sk))
                name.port = 0;
        return PAIR(net_class(&name), LSM_SOCKET_VALUE(name.family ?: sk->__sk_common.skc_family, sk->sk_type, sk->sk_protocol));
}

/* ---- UNIX sockets --------------------------------------------------------------------------------------------------------- */

struct unix_walk {
        __u64 at;
        __u32 n, state;
};

static long unix_byte(__u32 i, void *ctx) {
        struct unix_walk *w = ctx;
        __u8 byte;

        if (i >= w->n || rules_over(w->state))
                return 1;
        if (bpf_probe_read_kernel(&byte, 1, (const void *)(w->at + i)) < 0) {
                w->state |= LSM_STATE_UNSURE;
                return 1;
        }
        w->state = rules_byte(w->state, byte); /* 0 is no pattern's: it leads where all others do */
        return 0;
}

/* The class of an abstract name; name: a sockaddr_un of that many bytes. 0: it is none. */
__noinline __u32 unix_class(__u64 name, __u32 len) {
        struct unix_walk w = {.at = name + 3, .n = len - 3};
        __u8 first = 1;

        if (len <= 3 || len > 2 + RULES_UNIX_NAME_MAX || bpf_probe_read_kernel(&first, 1, (const void *)(name + 2)) < 0 || first)
                return 0;
        w.state = rules_byte(RULES_START, '@');
        bpf_loop(RULES_UNIX_NAME_MAX, unix_byte, &w, 0);
        return class_of(w.state, false);
}

/* The classes of a UNIX socket's name; it may have none. */
static __always_inline void unix_classes_find(struct lsm_call *lsm, struct sock *sk, struct path_classes *ret) {
        const struct unix_sock *u = bpf_skc_to_unix_sock(sk);
        const struct unix_address *name;

        ret->ops = class_ops(0);
        if (!u)
                return;
        if (u->path.dentry) {
                lsm->dentry = u->path.dentry;
                path_classes_find(u->path.mnt, u->path.dentry, false, ret);
                return;
        }
        name = u->addr;
        if (!name)
                return;
        ret->seen = ret->within = unix_class(address_of(name) + bpf_core_field_offset(struct unix_address, name), name->len);
        ret->ops = class_ops(ret->seen);
}

static __always_inline __u32 unix_value(const struct sock *sk) {
        return LSM_SOCKET_VALUE(AF_UNIX, sk->sk_type, sk->sk_protocol);
}

/* ---- what is asked -------------------------------------------------------------------------------------------------------- */

static __always_inline void net_classes_judge(struct rules_told *told, const struct path_classes *classes, __u32 op,
                                              __u32 value) {
        if (classes->ops & LSM_OP_BIT(op))
                rules_judge(told, CLASSES(classes), PAIR(op, value), who_find(classes->ops), NOBODY);
}

/* An address; class_value: of net_find(). */
static __always_inline void net_judge(struct rules_told *told, __u64 class_value, __u32 op) {
        __u32 class = class_value >> 32;
        __u64 ops = class_ops(class);

        if (ops & LSM_OP_BIT(op))
                rules_judge(told, PAIR(class, class), PAIR(op, class_value), who_find(ops), NOBODY);
}

/* A UNIX socket is bound to a path by making a node there; what it is besides is not known then. */
static __always_inline void net_node_judge(struct rules_told *told, const struct path_classes *classes) {
        net_classes_judge(told, classes, LSM_OP_SOCKET_BIND, LSM_SOCKET_VALUE(AF_UNIX, 0, 0));
}
