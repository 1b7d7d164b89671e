/* SPDX-License-Identifier: Apache-2.0 */
/* A policy in a chain must take its orders (slot, mode, the next program) from where the loader writes them: checked in the
 * object's relocations, because a program that merely looks like one would silently end the chain. */
#include <linux/types.h>
#include <stdio.h>

#include "lsm_abi.h"
#include "object.h"

#define SLOTS_PREFIX "lsm_slots_"

bool object_chain_map(const char *name) {
        return strncmp(name, SLOTS_PREFIX, strlen(SLOTS_PREFIX)) == 0 || streq(name, "lsm_events") || streq(name, "lsm_folds") ||
               streq(name, "lsm_counters");
}

static void map_check(const struct object *o, const char *name, enum bpf_map_type type, uint32_t value_size, struct pos where,
                      struct diags *diags) {
        const struct bpf_map *map = bpf_object__find_map_by_name(o->bpf, name);

        if (!map)
                diag_error(diags, where, "the chain's map '%s' is not in it: include <lsm_policy.h>, or say plain: true", name);
        else if (bpf_map__type(map) != type || (value_size > 0 && bpf_map__value_size(map) != value_size))
                diag_error(diags, where, "'%s' is the name of one of the chain's maps and cannot be used for another", name);
}

/* The bytes of a parameter in .rodata, NULL when it is not there in that size. */
static const void *parameter_find(const struct object *o, const char *name, size_t size) {
        const struct elf_symbol *sym = elf_symbol_find(&o->elf, name);
        const struct elf_section *s = sym ? &o->elf.sections[sym->section] : NULL;

        if (!s || !streq(s->name, ".rodata") || !s->data || sym->size != size || sym->value > s->size ||
            s->size - sym->value < size)
                return NULL;
        return (const char *)s->data + sym->value;
}

static void config_check(const struct object *o, struct pos where, struct diags *diags) {
        const void *bytes = parameter_find(o, "lsm_config", sizeof(struct lsm_config));
        struct lsm_config config;

        if (!bytes) {
                diag_error(diags, where,
                           "the chain's parameters ('lsm_config') are not in it: include <lsm_policy.h>, or say plain: true");
                return;
        }
        memcpy(&config, bytes, sizeof(config));
        if (config.abi != LSM_ABI)
                diag_error(diags, where, "it was built for ABI %u; this program builds for %d", config.abi, LSM_ABI);
}

static void program_check(const struct object *o, const struct object_program *p, struct pos where, struct diags *diags) {
        char section[96], slots[96], chain[96];
        size_t index;

        snprintf(section, sizeof(section), "lsm/%s", p->hook);
        snprintf(slots, sizeof(slots), SLOTS_PREFIX "%s", p->hook);
        snprintf(chain, sizeof(chain), "lsm_chain_%s", p->hook);
        index = elf_section_find(&o->elf, section);
        if (!elf_section_refers(&o->elf, index, slots) || !elf_section_refers(&o->elf, index, chain) ||
            !elf_section_refers(&o->elf, index, "lsm_config")) {
                diag_error(diags, where,
                           "program '%s' does not use the chain of hook '%s': policies behind it would never run; write it with "
                           "LSM_POLICY(%s, ...), or say plain: true",
                           p->name, p->hook, p->hook);
                return;
        }
        map_check(o, slots, BPF_MAP_TYPE_PROG_ARRAY, sizeof(__u32), where, diags);
        if (!parameter_find(o, chain, sizeof(struct lsm_chain)))
                diag_error(diags, where, "'%s' is not where the loader could set it", chain);
}

void object_chain_check(const struct object *o, struct pos where, struct diags *diags) {
        size_t before = diags->n_errors;

        for (size_t i = 0; i < o->n_programs; i++)
                program_check(o, &o->programs[i], where, diags);
        if (diags->n_errors > before)
                return;
        config_check(o, where, diags);
        map_check(o, "lsm_events", BPF_MAP_TYPE_RINGBUF, 0, where, diags);
        map_check(o, "lsm_folds", BPF_MAP_TYPE_ARRAY, sizeof(struct lsm_fold), where, diags);
        map_check(o, "lsm_counters", BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(struct lsm_counters), where, diags);
}
