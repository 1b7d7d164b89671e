/* SPDX-License-Identifier: Apache-2.0 */
#include "dispatcher.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "allow.skel.h"
#include "dispatch.skel.h"
#include "util.h"

int dispatcher_attach(const struct hook *hook, const struct dispatcher_maps *maps, struct err *err) {
        struct dispatch *d;
        int r, link = -1;

        d = dispatch__open();
        if (!d)
                return err_errno(err, -errno, "dispatcher");
        d->rodata->args = hook->args;
        d->rodata->has_task = hook->has_task;
        r = bpf_program__set_attach_target(d->progs.dispatch, 0, hook->name);
        if (r >= 0)
                r = bpf_map__reuse_fd(d->maps.gate, maps->gate);
        if (r >= 0)
                r = bpf_map__reuse_fd(d->maps.agent, maps->agent);
        if (r >= 0)
                r = bpf_map__reuse_fd(d->maps.slots, maps->slots);
        if (r >= 0)
                r = dispatch__load(d);
        if (r < 0) {
                err_set(err, r, REASON_KERNEL_UNSUPPORTED, "hook %s: the dispatcher does not load: %s", hook->name, strerror(-r));
        } else {
                link = bpf_link_create(bpf_program__fd(d->progs.dispatch), 0, BPF_LSM_MAC, NULL);
                r = link < 0 ? -errno : 0;
                if (r == -E2BIG)
                        err_set(err, r, REASON_NO_PROGRAM_SLOT, "hook %s takes no more BPF programs", hook->name);
                else if (r < 0)
                        err_set(err, r, REASON_ATTACH_FAILED, "hook %s: the dispatcher cannot be attached: %s", hook->name,
                                strerror(-r));
        }
        dispatch__destroy(d);
        return r < 0 ? r : link;
}

int stub_load(const struct hook *hook, struct err *err) {
        LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_LSM_MAC, .attach_btf_id = hook->btf_id);
        struct allow *a;
        int fd, r;

        /* Two instructions without maps: loaded as they stand, which spares libbpf's reading of the kernel's BTF. */
        a = allow__open();
        if (!a)
                return err_errno(err, -errno, "allow stub");
        fd = bpf_prog_load(BPF_PROG_TYPE_LSM, "lsm_allow", "GPL", bpf_program__insns(a->progs.allow),
                           bpf_program__insn_cnt(a->progs.allow), &opts);
        r = fd < 0 ? -errno : 0;
        allow__destroy(a);
        return r < 0 ? err_set(err, r, REASON_KERNEL_UNSUPPORTED, "hook %s: the allow stub does not load: %s", hook->name, strerror(-r))
                     : fd;
}
