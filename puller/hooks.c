/* SPDX-License-Identifier: Apache-2.0 */
#include "hooks.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <stdio.h>

#include "util.h"

/* Hooks that are called in softirq, or for a socket on behalf of nobody: `current` there is whoever was interrupted. */
static const char *const taskless[] = {
        "inet_conn_established",
        "inet_conn_request",
        "inet_csk_clone",
        "req_classify_flow",
        "sctp_assoc_request",
        "secmark_relabel_packet",
        "sk_clone_security",
        "sk_free_security",
        "sk_getsecid",
        "sock_graft",
        "socket_sock_rcv_skb",
        "tun_dev_attach_queue",
        "xfrm_decode_session",
        "xfrm_policy_lookup",
        "xfrm_state_pol_flow_match",
};

struct btf *kernel_btf_load(struct err *err) {
        struct btf *btf = btf__load_vmlinux_btf();

        if (!btf)
                err_set(err, -errno, REASON_KERNEL_UNSUPPORTED,
                        "this kernel has no type information (/sys/kernel/btf/vmlinux; CONFIG_DEBUG_INFO_BTF): %s",
                        strerror(errno));
        return btf;
}

void kernel_btf_free(struct btf *btf) {
        btf__free(btf);
}

int hook_find(const struct btf *btf, const char *name, struct hook *ret, struct err *err) {
        const struct btf_type *func, *proto, *type;
        struct hook h = {.has_task = true};
        char function[sizeof(h.name) + 16];
        int id;

        if (strlen(name) >= sizeof(h.name))
                return err_set(err, -EINVAL, REASON_KERNEL_UNSUPPORTED, "hook '%s': name too long", name);
        snprintf(function, sizeof(function), "bpf_lsm_%s", name);
        id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
        if (id < 0)
                return err_set(err, -ENOENT, REASON_KERNEL_UNSUPPORTED, "this kernel has no LSM hook '%s'", name);
        func = btf__type_by_id(btf, (uint32_t)id);
        proto = btf__type_by_id(btf, func->type);
        type = proto->type ? btf__type_by_id(btf, proto->type) : NULL;
        if (!type || !btf_is_int(type))
                return err_set(err, -EINVAL, REASON_KERNEL_UNSUPPORTED,
                               "LSM hook '%s' returns nothing: a policy cannot decide there", name);
        snprintf(h.name, sizeof(h.name), "%s", name);
        h.btf_id = (uint32_t)id;
        h.args = btf_vlen(proto);
        for (size_t i = 0; i < ARRAY_SIZE(taskless); i++)
                if (streq(taskless[i], name))
                        h.has_task = false;
        *ret = h;
        return 0;
}

int hook_programs_count(uint32_t btf_id, struct err *err) {
        uint32_t id = 0;
        int n = 0;

        while (bpf_link_get_next_id(id, &id) == 0) {
                struct bpf_link_info info = {0};
                uint32_t len = sizeof(info);
                cleanup_fd int fd = bpf_link_get_fd_by_id(id);

                if (fd < 0) {
                        if (errno == ENOENT) /* gone meanwhile */
                                continue;
                        return err_errno(err, -errno, "cannot look at the BPF links of this node");
                }
                if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && info.type == BPF_LINK_TYPE_TRACING &&
                    info.tracing.target_btf_id == btf_id)
                        n++;
        }
        if (errno != ENOENT)
                return err_errno(err, -errno, "cannot list the BPF links of this node");
        return n;
}

/* An update of a map of maps waits for a grace period (kernel/bpf/syscall.c, maybe_wait_bpf_programs), on every machine;
 * membarrier(2) does nothing on one CPU and fails on a nohz_full one. */
int bpf_grace_period(struct err *err) {
        LIBBPF_OPTS(bpf_map_create_opts, opts);
        cleanup_fd int inner = -1, outer = -1;
        uint32_t zero = 0;

        inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "lsm_grace_in", 4, 4, 1, NULL);
        if (inner < 0)
                return err_errno(err, -errno, "cannot wait for running programs: map");
        opts.inner_map_fd = (uint32_t)inner;
        outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "lsm_grace", 4, 4, 1, &opts);
        if (outer < 0)
                return err_errno(err, -errno, "cannot wait for running programs: map of maps");
        if (bpf_map_update_elem(outer, &zero, &inner, BPF_ANY) < 0)
                return err_errno(err, -errno, "cannot wait for running programs");
        return 0;
}
