/* SPDX-License-Identifier: Apache-2.0 */
#include "dispatcher_parts.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "allow.skel.h"
#include "dispatch.skel.h"
#include "shadow.skel.h"
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
int program_load_first(struct bpf_object_skeleton *skeleton, struct bpf_program *prog) {
        int r;

        r = bpf_program__set_type(prog, BPF_PROG_TYPE_RAW_TRACEPOINT);
        if (r >= 0)
                r = bpf_program__set_expected_attach_type(prog, 0);
        return r < 0 ? r : bpf_object__load_skeleton(skeleton);
}

/* What a function is called says what type it has; where it begins, a call of it does. */
static int function_describe(const struct btf *btf, const char *name, uint32_t at, struct bpf_func_info *ret) {
        int id = btf ? btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) : -ENOENT;

        if (id < 0)
                return id;
        *ret = (struct bpf_func_info){.insn_off = at, .type_id = (uint32_t)id};
        return 0;
}

static int functions_describe(const struct btf *btf, const char *main, const char *called, const struct bpf_insn *insns, size_t n,
                              struct bpf_func_info ret[static 2]) {
        for (size_t i = 0; i < n; i++)
                if (insns[i].code == (BPF_JMP | BPF_CALL) && insns[i].src_reg == BPF_PSEUDO_CALL) {
                        int r = function_describe(btf, main, 0, &ret[0]);

                        return r < 0 ? r : function_describe(btf, called, (uint32_t)(i + 1) + (uint32_t)insns[i].imm, &ret[1]);
                }
        return -ENOENT;
}

int program_load_again(struct bpf_object *obj, struct bpf_program *prog, const struct program_again *again) {
        LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_LSM_MAC, .attach_btf_id = again->hook->btf_id);
        size_t n = bpf_program__insn_cnt(prog);
        cleanup_free struct bpf_insn *insns = new_array(n, sizeof(*insns));
        struct bpf_func_info functions[2];
        int r;

        if (!insns)
                return -ENOMEM;
        memcpy(insns, bpf_program__insns(prog), n * sizeof(*insns));
        if (again->own >= 0 && map_replace(insns, n, again->own, again->slots) == 0)
                return -EPROTO;
        if (again->called) {
                r = functions_describe(bpf_object__btf(obj), bpf_program__name(prog), again->called, insns, n, functions);
                if (r < 0)
                        return r;
                opts.prog_btf_fd = (uint32_t)bpf_object__btf_fd(obj);
                opts.func_info = functions;
                opts.func_info_cnt = ARRAY_SIZE(functions);
                opts.func_info_rec_size = sizeof(functions[0]);
        }
        r = bpf_prog_load(BPF_PROG_TYPE_LSM, bpf_program__name(prog), "GPL", insns, n, &opts);
        return r < 0 ? -errno : r;
}

static int dispatcher_load(const struct hook *hook, const struct dispatcher_maps *maps) {
        struct dispatch *d = dispatch__open();
        int r;

        if (!d)
                return -errno;
        d->rodata->args = hook->args;
        d->rodata->has_task = hook->has_task;
        r = bpf_map__reuse_fd(d->maps.gate, maps->gate);
        if (r >= 0)
                r = bpf_map__reuse_fd(d->maps.agent, maps->agent);
        if (r >= 0)
                r = program_load_first(d->skeleton, d->progs.dispatch);
        if (r >= 0)
                r = program_load_again(
                        d->obj, d->progs.dispatch,
                        &(struct program_again){.hook = hook, .own = bpf_map__fd(d->maps.slots), .slots = maps->slots});
        dispatch__destroy(d);
        return r;
}

static int shadow_dispatcher_load(const struct hook *hook, int slots) {
        struct shadow *s = shadow__open();
        int r;

        if (!s)
                return -errno;
        s->rodata->args = hook->args;
        r = program_load_first(s->skeleton, s->progs.shadow);
        if (r >= 0)
                r = program_load_again(
                        s->obj, s->progs.shadow,
                        &(struct program_again){
                                .hook = hook, .own = bpf_map__fd(s->maps.slots), .slots = slots, .called = "generation_run"});
        shadow__destroy(s);
        return r;
}

int program_attach(int prog, const struct hook *hook, const char *what, struct err *err) {
        int link;

        if (prog < 0)
                return err_set(err, prog, REASON_KERNEL_UNSUPPORTED, "hook %s: %s does not load: %s", hook->name, what,
                               strerror(-prog));
        link = bpf_link_create(prog, 0, BPF_LSM_MAC, NULL);
        if (link >= 0)
                return link;
        link = -errno;
        if (link == -E2BIG)
                return err_set(err, link, REASON_NO_PROGRAM_SLOT, "hook %s takes no more BPF programs", hook->name);
        return err_set(err, link, REASON_ATTACH_FAILED, "hook %s: %s cannot be attached: %s", hook->name, what, strerror(-link));
}

int dispatcher_attach(const struct hook *hook, const struct dispatcher_maps *maps, struct err *err) {
        cleanup_fd int prog = dispatcher_load(hook, maps);

        return program_attach(prog, hook, "the dispatcher", err);
}

int shadow_dispatcher_attach(const struct hook *hook, int slots, struct err *err) {
        cleanup_fd int prog = shadow_dispatcher_load(hook, slots);

        return program_attach(prog, hook, "the shadow's dispatcher", err);
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
