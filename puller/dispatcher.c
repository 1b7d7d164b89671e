/* SPDX-License-Identifier: Apache-2.0 */
#include "dispatcher.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "allow.skel.h"
#include "dispatch.skel.h"
#include "util.h"

/* Puts one map in another's place in instructions that libbpf has resolved; how often. */
static size_t map_replace(struct bpf_insn *insns, size_t n, int old, int new) {
        size_t replaced = 0;

        for (size_t i = 0; i < n; i++)
                if (insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) && insns[i].src_reg == BPF_PSEUDO_MAP_FD &&
                    insns[i].imm == old) {
                        insns[i].imm = new;
                        replaced++;
                }
        return replaced;
}

/*
 * libbpf puts a program's maps and parameters into its instructions only as it loads it, and for an LSM program it reads and
 * checks all of the kernel's BTF first, to find a hook whose id we know: a quarter of what a whole swap costs, for each hook.
 * So it loads the program as one of a type that has no target, over an array of its own (an array belongs to the type that used
 * it first), and what it has resolved is loaded once more, as what it is.
 */
static int dispatcher_load(struct dispatch *d, const struct hook *hook, const struct dispatcher_maps *maps) {
        LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_LSM_MAC, .attach_btf_id = hook->btf_id);
        struct bpf_program *prog = d->progs.dispatch;
        cleanup_free struct bpf_insn *insns = NULL;
        size_t n;
        int r;

        d->rodata->args = hook->args;
        d->rodata->has_task = hook->has_task;
        r = bpf_program__set_type(prog, BPF_PROG_TYPE_RAW_TRACEPOINT);
        if (r >= 0)
                r = bpf_program__set_expected_attach_type(prog, 0);
        if (r >= 0)
                r = bpf_map__reuse_fd(d->maps.gate, maps->gate);
        if (r >= 0)
                r = bpf_map__reuse_fd(d->maps.agent, maps->agent);
        if (r >= 0)
                r = dispatch__load(d);
        if (r < 0)
                return r;
        n = bpf_program__insn_cnt(prog);
        insns = new_array(n, sizeof(*insns));
        if (!insns)
                return -ENOMEM;
        memcpy(insns, bpf_program__insns(prog), n * sizeof(*insns));
        if (map_replace(insns, n, bpf_map__fd(d->maps.slots), maps->slots) == 0)
                return -EPROTO;
        r = bpf_prog_load(BPF_PROG_TYPE_LSM, "dispatch", "GPL", insns, n, &opts);
        return r < 0 ? -errno : r;
}

int dispatcher_attach(const struct hook *hook, const struct dispatcher_maps *maps, struct err *err) {
        cleanup_fd int prog = -1;
        struct dispatch *d;
        int link;

        d = dispatch__open();
        if (!d)
                return err_errno(err, -errno, "dispatcher");
        prog = dispatcher_load(d, hook, maps);
        dispatch__destroy(d);
        if (prog < 0)
                return err_set(err, prog, REASON_KERNEL_UNSUPPORTED, "hook %s: the dispatcher does not load: %s", hook->name,
                               strerror(-prog));
        link = bpf_link_create(prog, 0, BPF_LSM_MAC, NULL);
        if (link >= 0)
                return link;
        link = -errno;
        if (link == -E2BIG)
                return err_set(err, link, REASON_NO_PROGRAM_SLOT, "hook %s takes no more BPF programs", hook->name);
        return err_set(err, link, REASON_ATTACH_FAILED, "hook %s: the dispatcher cannot be attached: %s", hook->name,
                       strerror(-link));
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
        return r < 0 ? err_set(err, r, REASON_KERNEL_UNSUPPORTED, "hook %s: the allow stub does not load: %s", hook->name,
                               strerror(-r))
                     : fd;
}
