/* SPDX-License-Identifier: Apache-2.0 */
#include "programs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int programs_count(void) {
        /* The descriptor stays open: it is what keeps the kernel counting. */
        int fd = bpf_enable_stats(BPF_STATS_RUN_TIME);

        return fd < 0 ? -errno : 0;
}

/* The kernel's name of a hook is bpf_lsm_HOOK. */
static void hook_name(const struct btf *btf, uint32_t id, char *ret, size_t n) {
        const struct btf_type *type = btf && id ? btf__type_by_id(btf, id) : NULL;
        const char *name = type ? btf__name_by_offset(btf, type->name_off) : NULL;

        snprintf(ret, n, "%s", name ? name + (strncmp(name, "bpf_lsm_", 8) == 0 ? 8 : 0) : "");
}

static void program_note(struct program_list *list, const struct btf *btf, uint32_t id) {
        struct bpf_prog_info info = {};
        uint32_t size = sizeof(info);
        int fd = bpf_prog_get_fd_by_id(id);
        struct program *p;

        if (fd < 0)
                return; /* gone by now */
        if (bpf_prog_get_info_by_fd(fd, &info, &size) == 0 && info.type == BPF_PROG_TYPE_LSM && list->n < PROGRAMS_MAX) {
                p = &list->v[list->n++];
                *p = (struct program){.id = id,
                                      .runs = info.run_cnt,
                                      .ns = info.run_time_ns,
                                      .insns = info.xlated_prog_len / sizeof(struct bpf_insn),
                                      .jited = info.jited_prog_len,
                                      .verified = info.verified_insns};
                snprintf(p->name, sizeof(p->name), "%s", info.name);
                hook_name(btf, info.attach_btf_id, p->hook, sizeof(p->hook));
        }
        close(fd);
}

static void attached_note(struct program_list *list, uint32_t link_id) {
        struct bpf_link_info info = {};
        uint32_t size = sizeof(info);
        int fd = bpf_link_get_fd_by_id(link_id);

        if (fd < 0)
                return;
        if (bpf_link_get_info_by_fd(fd, &info, &size) == 0)
                for (unsigned i = 0; i < list->n; i++)
                        if (list->v[i].id == info.prog_id)
                                list->v[i].attached = true;
        close(fd);
}

int programs_read(struct program_list *ret) {
        struct btf *btf = btf__load_vmlinux_btf();
        uint32_t id = 0;
        int e = 0;

        ret->n = 0;
        while (bpf_prog_get_next_id(id, &id) == 0)
                program_note(ret, btf, id);
        if (errno != ENOENT)
                e = -errno;
        id = 0;
        while (e == 0 && bpf_link_get_next_id(id, &id) == 0)
                attached_note(ret, id);
        if (e == 0 && errno != ENOENT)
                e = -errno;
        btf__free(btf);
        return e;
}

int program_empty_attach(void) {
        static const struct bpf_insn code[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K}, {.code = BPF_JMP | BPF_EXIT}};
        LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_LSM_MAC);
        int id = libbpf_find_vmlinux_btf_id("file_open", BPF_LSM_MAC), prog, link;

        if (id < 0)
                return id;
        opts.attach_btf_id = (uint32_t)id;
        prog = bpf_prog_load(BPF_PROG_TYPE_LSM, "empty", "GPL", code, sizeof(code) / sizeof(*code), &opts);
        if (prog < 0)
                return -errno;
        link = bpf_raw_tracepoint_open(NULL, prog);
        if (link < 0)
                link = -errno;
        close(prog);
        return link;
}
