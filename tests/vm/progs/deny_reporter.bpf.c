// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * The reporter's user may neither accept a reader, nor receive, nor send: what a careless policy would do to it.
 */
#include <lsm_types.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define REPORTER 991 /* lsmpull-report, in the guest's /etc/passwd */

static __always_inline int judge(int ret) {
        return ret ? ret : (__u32)bpf_get_current_uid_gid() == REPORTER ? -1 : 0;
}

SEC("lsm/socket_accept")
int BPF_PROG(no_accept, struct socket *sock, struct socket *newsock, int ret) {
        return judge(ret);
}

SEC("lsm/socket_recvmsg")
int BPF_PROG(no_recvmsg, struct socket *sock, void *msg, int size, int flags, int ret) {
        return judge(ret);
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(no_sendmsg, struct socket *sock, void *msg, int size, int ret) {
        return judge(ret);
}

char LICENSE[] SEC("license") = "GPL";
