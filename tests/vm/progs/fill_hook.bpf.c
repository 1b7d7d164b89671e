// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * More programs on socket_create than a kernel takes on one hook (38, or 36). They do nothing: fill_hook attaches as many as fit.
 */
#include <lsm_types.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define NOTHING(n)                                                                                                  \
        SEC("lsm/socket_create") int BPF_PROG(nothing_##n, int family, int type, int protocol, int kern, int ret) { \
                return ret;                                                                                         \
        }
/* clang-format off */
#define TEN(n)                                                                       \
        NOTHING(n##0) NOTHING(n##1) NOTHING(n##2) NOTHING(n##3) NOTHING(n##4)        \
        NOTHING(n##5) NOTHING(n##6) NOTHING(n##7) NOTHING(n##8) NOTHING(n##9)
/* clang-format on */

TEN(0)
TEN(1)
TEN(2)
TEN(3)

char LICENSE[] SEC("license") = "GPL";
