/* SPDX-License-Identifier: Apache-2.0 */
#include "object.h"

#include <linux/bpf.h>

#include "libbpf_log.h"
#include "manifest.h"

void object_free(struct object *o) {
        if (!o)
                return;
        bpf_object__close(o->bpf);
        elf_view_done(&o->elf);
        free(o->programs);
        free(o->maps);
        strv_done(&o->helpers);
        strv_done(&o->features);
        free(o);
}

const struct object_map *object_map_find(const struct object *o, const char *name) {
        for (size_t i = 0; i < o->n_maps; i++)
                if (streq(o->maps[i].name, name))
                        return &o->maps[i];
        return NULL;
}

/* ---- what is looked at before libbpf is asked ---------------------------------------------------------------------- */

static bool starts(const char *s, const char *prefix) {
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

static void section_check(const char *name, struct pos where, struct diags *diags) {
        if (streq(name, ".text") || (starts(name, "lsm/") && hook_valid(name + 4)))
                return;
        if (starts(name, "lsm.s/"))
                diag_error(
                        diags, where,
                        "SEC(\"%s\"): sleepable programs are not supported: kernels before 7 refuse them the tail calls by which "
                        "generations are swapped; use SEC(\"lsm/%s\")",
                        name, name + 6);
        else if (starts(name, "lsm_cgroup/"))
                diag_error(diags, where, "SEC(\"%s\"): programs of a cgroup are not supported; use SEC(\"lsm/%s\")", name,
                           name + 11);
        else if (starts(name, "lsm/"))
                diag_error(diags, where, "SEC(\"%s\"): '%s' is not the name of a hook", name, name + 4);
        else
                diag_error(diags, where, "SEC(\"%s\") is not an LSM program: a policy has programs in SEC(\"lsm/HOOK\") only",
                           name);
}

/* The kernel's list (license_is_gpl_compatible() in include/linux/license.h). */
static bool licence_gpl_compatible(const char *licence) {
        static const char *const licences[] = {"GPL",          "GPL v2",       "GPL and additional rights",
                                               "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"};

        for (size_t i = 0; i < ARRAY_SIZE(licences); i++)
                if (streq(licences[i], licence))
                        return true;
        return false;
}

static void licence_check(const struct elf_view *elf, struct pos where, struct diags *diags) {
        const struct elf_section *s = &elf->sections[elf_section_find(elf, "license")];

        if (!s->data || s->size == 0)
                diag_error(diags, where, "it names no licence: add  char LICENSE[] SEC(\"license\") = \"GPL\";");
        else if (!memchr(s->data, 0, s->size))
                diag_error(diags, where, "its licence is not a string");
        else if (!licence_gpl_compatible(s->data))
                diag_error(
                        diags, where,
                        "licence '%s' is not GPL-compatible: kernels refuse it; one of \"GPL\", \"GPL v2\", \"GPL and additional "
                        "rights\", \"Dual BSD/GPL\", \"Dual MIT/GPL\", \"Dual MPL/GPL\" is needed",
                        (const char *)s->data);
}

static void elf_check(const struct elf_view *elf, struct pos where, struct diags *diags) {
        for (size_t i = 1; i < elf->n_sections; i++)
                if (elf->sections[i].exec && elf->sections[i].size > 0)
                        section_check(elf->sections[i].name, where, diags);
        licence_check(elf, where, diags);
        if (!elf_section_find(elf, ".BTF") || !elf_section_find(elf, ".BTF.ext"))
                diag_error(diags, where, "the object has no BTF: LSM programs and map types need it");
}

/* ---- what libbpf says of it ---------------------------------------------------------------------------------------- */

static int programs_read(struct object *o, struct pos where, struct diags *diags) {
        struct bpf_program *program;
        size_t n = 0;

        bpf_object__for_each_program(program, o->bpf) n++;
        o->programs = new_array(n, sizeof(*o->programs));
        if (!o->programs)
                return -ENOMEM;
        bpf_object__for_each_program(program, o->bpf) {
                const char *section = bpf_program__section_name(program), *name = bpf_program__name(program);

                if (!starts(section, "lsm/"))
                        continue; /* .text alone: no program at all */
                for (size_t i = 0; i < o->n_programs; i++)
                        if (streq(o->programs[i].hook, section + 4))
                                diag_error(diags, where, "two programs on hook '%s' (%s, %s): one object has one at most",
                                           section + 4, o->programs[i].name, name);
                o->programs[o->n_programs++] = (struct object_program){name, section + 4};
        }
        if (o->n_programs == 0)
                diag_error(diags, where, "there is no LSM program in it: use LSM_POLICY(HOOK, ...) or SEC(\"lsm/HOOK\")");
        return 0;
}

static int maps_read(struct object *o, bool plain) {
        struct bpf_map *map;
        size_t n = 0;

        bpf_object__for_each_map(map, o->bpf) n++;
        o->maps = new_array(n, sizeof(*o->maps));
        if (!o->maps)
                return -ENOMEM;
        bpf_object__for_each_map(map, o->bpf) {
                const char *name = bpf_map__name(map);

                if (bpf_map__is_internal(map) || (!plain && object_chain_map(name)))
                        continue;
                o->maps[o->n_maps++] = (struct object_map){
                        .name = name,
                        .type = libbpf_bpf_map_type_str(bpf_map__type(map)),
                        .kind = bpf_map__type(map),
                        .key_size = bpf_map__key_size(map),
                        .value_size = bpf_map__value_size(map),
                        .max_entries = bpf_map__max_entries(map),
                        .key_type = bpf_map__btf_key_type_id(map),
                        .value_type = bpf_map__btf_value_type_id(map),
                };
        }
        return 0;
}

static void maps_check(const struct object *o, struct pos where, struct diags *diags) {
        for (size_t i = 0; i < o->n_maps; i++)
                if (!o->maps[i].type)
                        diag_error(diags, where, "map '%s' has type %d, which this program does not know", o->maps[i].name,
                                   o->maps[i].kind);
}

/* ---- what it needs of a kernel ------------------------------------------------------------------------------------- */

static int helper_add(struct object *o, uint32_t id) {
#define NAME(x) [BPF_FUNC_##x] = "bpf_" #x
        static const char *const names[] = {__BPF_FUNC_MAPPER(NAME)};
#undef NAME
        char number[32];

        if (id < ARRAY_SIZE(names) && names[id])
                return strv_add_set(&o->helpers, names[id]);
        snprintf(number, sizeof(number), "helper %u", id);
        return strv_add_set(&o->helpers, number);
}

static int helpers_read(struct object *o) {
        int e = 0;

        for (size_t i = 1; i < o->elf.n_sections; i++) {
                const struct elf_section *s = &o->elf.sections[i];

                if (!s->exec || !s->data)
                        continue;
                for (size_t at = 0; e == 0 && at + sizeof(struct bpf_insn) <= s->size; at += sizeof(struct bpf_insn)) {
                        struct bpf_insn insn;

                        memcpy(&insn, (const char *)s->data + at, sizeof(insn));
                        if (insn.code == (BPF_LD | BPF_IMM | BPF_DW))
                                at += sizeof(insn); /* its second half is not an instruction */
                        else if (insn.code == (BPF_JMP | BPF_CALL) && insn.src_reg == 0)
                                e = helper_add(o, insn.imm);
                }
        }
        return e;
}

static int extern_add(void *ctx, const char *name) {
        struct object *o = ctx;
        char feature[256];

        snprintf(feature, sizeof(feature), "extern %s", name);
        return strv_add_set(&o->features, feature);
}

/* Map types newer than what every kernel with BPF LSM has, and what is taken from the kernel by name. */
static int features_read(struct object *o) {
        struct bpf_map *map;
        int e;

        bpf_object__for_each_map(map, o->bpf) {
                switch (bpf_map__type(map)) {
                case BPF_MAP_TYPE_HASH:
                case BPF_MAP_TYPE_ARRAY:
                case BPF_MAP_TYPE_PROG_ARRAY:
                case BPF_MAP_TYPE_PERCPU_HASH:
                case BPF_MAP_TYPE_PERCPU_ARRAY:
                        continue;
                default:
                        break;
                }
                e = strv_add_set(&o->features, libbpf_bpf_map_type_str(bpf_map__type(map)) ?: "unknown map type");
                if (e < 0)
                        return e;
        }
        return elf_externs(&o->elf, extern_add, o);
}

/* ---- the whole ----------------------------------------------------------------------------------------------------- */

static int bpf_open(struct object *o, const struct buf *bytes, struct pos where, struct diags *diags, struct err *err) {
        LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "policy");
        cleanup_buf struct buf log = {};

        libbpf_log_begin(&log);
        o->bpf = bpf_object__open_mem(bytes->data, bytes->len, &opts);
        libbpf_log_end();
        if (o->bpf) {
                o->btf = bpf_object__btf(o->bpf);
                return 0;
        }
        if (errno == ENOMEM)
                return err_errno(err, -ENOMEM, "object");
        diag_error(diags, where, "libbpf cannot open the object: %s", log.len > 0 ? libbpf_log_last(&log) : strerror(errno));
        return -EBADMSG;
}

static int object_fill(struct object *o, bool plain, struct pos where, struct diags *diags) {
        int e = programs_read(o, where, diags);

        if (e == 0)
                e = maps_read(o, plain);
        if (e == 0)
                e = helpers_read(o);
        if (e == 0)
                e = features_read(o);
        return e;
}

int object_read(const struct buf *bytes, bool plain, struct pos where, struct diags *diags, struct object **ret,
                struct err *err) {
        cleanup_object struct object *o = new_array(1, sizeof(*o));
        size_t before = diags->n_errors;
        int e;

        if (!o)
                return err_errno(err, -ENOMEM, "object");
        e = elf_view_open(bytes, &o->elf, err);
        if (e < 0)
                return e;
        elf_check(&o->elf, where, diags);
        if (diags->n_errors > before)
                return -EBADMSG;
        e = bpf_open(o, bytes, where, diags, err);
        if (e < 0)
                return e;
        e = object_fill(o, plain, where, diags);
        if (e < 0)
                return err_errno(err, e, "object");
        maps_check(o, where, diags);
        if (!plain)
                object_chain_check(o, where, diags);
        if (diags->n_errors > before)
                return -EBADMSG;
        *ret = steal_pointer(o);
        return 0;
}
