// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * no-raw-sockets: nobody makes a raw or packet socket, whatever capabilities he holds.
 *
 * socket_create: the kernel's own sockets pass; so do datagram ICMP sockets (an unprivileged ping) and netlink, which is
 * SOCK_RAW by habit and no raw socket in this sense: only the families in the seeded set are meant. AF_PACKET sees every frame
 * whatever its type, so there the type does not matter. There is nothing to be unsure of.
 */
#include <lsm_policy.h>

SEED_SET(raw_families, __u32, 16);

LSM_POLICY(socket_create, int family, int type, int protocol, int kern) {
        __u32 f = family;

        if (kern)
                return ALLOW;
        if (f != AF_PACKET && (type & LSM_SOCK_TYPE_MASK) != LSM_SOCK_RAW)
                return ALLOW;
        if (bpf_map_lookup_elem(&raw_families, &f))
                return DENY(EPERM, "makes a raw socket");
        return ALLOW;
}

char LICENSE[] SEC("license") = "GPL";
