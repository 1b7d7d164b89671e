/* SPDX-License-Identifier: Apache-2.0 */
#include "elf_view.h"

#include <gelf.h>

#ifndef EM_BPF
#define EM_BPF 247
#endif

void elf_view_done(struct elf_view *v) {
        free(v->sections);
        free(v->symbols);
        if (v->elf)
                elf_end(v->elf);
        *v = (struct elf_view){};
}

static int elf_err(struct err *err, const char *what) {
        return err_set(err, -EBADMSG, REASON_NONE, "%s: %s", what, elf_errmsg(-1));
}

/* A string of a string table; libelf checks the offset and the terminator. */
static const char *string_at(Elf *elf, size_t table, size_t offset) {
        return elf_strptr(elf, table, offset) ?: "";
}

static int sections_read(struct elf_view *v, struct err *err) {
        size_t names, n;

        if (elf_getshdrnum(v->elf, &n) < 0 || elf_getshdrstrndx(v->elf, &names) < 0)
                return elf_err(err, "sections");
        v->sections = new_array(n, sizeof(*v->sections));
        if (!v->sections)
                return err_errno(err, -ENOMEM, "sections");
        v->n_sections = n;
        for (size_t i = 1; i < n; i++) {
                Elf_Scn *scn = elf_getscn(v->elf, i);
                GElf_Shdr header;
                Elf_Data *data;

                if (!scn || !gelf_getshdr(scn, &header))
                        return elf_err(err, "section");
                data = header.sh_type == SHT_NOBITS ? NULL : elf_rawdata(scn, NULL);
                v->sections[i] = (struct elf_section){
                        .name = string_at(v->elf, names, header.sh_name),
                        .data = data ? data->d_buf : NULL,
                        .size = data ? data->d_size : header.sh_size,
                        .exec = header.sh_type == SHT_PROGBITS && (header.sh_flags & SHF_EXECINSTR),
                        .relocations = header.sh_type == SHT_REL,
                        .target = header.sh_type == SHT_REL ? header.sh_info : 0,
                };
        }
        return 0;
}

static int symbols_read(struct elf_view *v, struct err *err) {
        for (size_t i = 1; i < v->n_sections; i++) {
                Elf_Scn *scn = elf_getscn(v->elf, i);
                GElf_Shdr header;
                Elf_Data *data;
                size_t n;

                if (!scn || !gelf_getshdr(scn, &header))
                        return elf_err(err, "section");
                if (header.sh_type != SHT_SYMTAB)
                        continue;
                data = elf_getdata(scn, NULL);
                if (!data || header.sh_entsize == 0)
                        return elf_err(err, "symbols");
                n = header.sh_size / header.sh_entsize;
                v->symbols = new_array(n, sizeof(*v->symbols));
                if (!v->symbols)
                        return err_errno(err, -ENOMEM, "symbols");
                v->n_symbols = n;
                for (size_t k = 0; k < n; k++) {
                        GElf_Sym sym;

                        if (!gelf_getsym(data, (int)k, &sym))
                                return elf_err(err, "symbol");
                        v->symbols[k] = (struct elf_symbol){.name = string_at(v->elf, header.sh_link, sym.st_name),
                                                            .section = sym.st_shndx < v->n_sections ? sym.st_shndx : 0,
                                                            .value = sym.st_value,
                                                            .size = sym.st_size};
                }
                return 0;
        }
        return err_set(err, -EBADMSG, REASON_NONE, "it has no symbols");
}

int elf_view_open(const struct buf *object, struct elf_view *ret, struct err *err) {
        cleanup_elf_view struct elf_view v = {};
        GElf_Ehdr header;
        int e;

        if (elf_version(EV_CURRENT) == EV_NONE)
                return elf_err(err, "libelf");
        v.elf = elf_memory(object->data, object->len);
        if (!v.elf)
                return elf_err(err, "not an object");
        if (!gelf_getehdr(v.elf, &header) || header.e_machine != EM_BPF || header.e_type != ET_REL ||
            gelf_getclass(v.elf) != ELFCLASS64)
                return err_set(err, -EBADMSG, REASON_NONE, "not a relocatable BPF object");
        e = sections_read(&v, err);
        if (e == 0)
                e = symbols_read(&v, err);
        if (e < 0)
                return e;
        *ret = v;
        v = (struct elf_view){};
        return 0;
}

size_t elf_section_find(const struct elf_view *v, const char *name) {
        for (size_t i = 1; i < v->n_sections; i++)
                if (streq(v->sections[i].name, name))
                        return i;
        return 0;
}

const struct elf_symbol *elf_symbol_find(const struct elf_view *v, const char *name) {
        for (size_t i = 1; i < v->n_symbols; i++)
                if (v->symbols[i].section != 0 && streq(v->symbols[i].name, name))
                        return &v->symbols[i];
        return NULL;
}

/* The symbol of relocation k, NULL past the end. */
static const struct elf_symbol *relocation_symbol(const struct elf_view *v, const struct elf_section *s, size_t k) {
        Elf64_Rel rel;
        size_t at;

        if (mul_overflows(k, sizeof(rel), &at) || at + sizeof(rel) > s->size || !s->data)
                return NULL;
        memcpy(&rel, (const char *)s->data + at, sizeof(rel));
        return ELF64_R_SYM(rel.r_info) < v->n_symbols ? &v->symbols[ELF64_R_SYM(rel.r_info)] : &v->symbols[0];
}

bool elf_section_refers(const struct elf_view *v, size_t section, const char *symbol) {
        const struct elf_symbol *sym;

        for (size_t i = 1; i < v->n_sections; i++) {
                if (!v->sections[i].relocations || v->sections[i].target != section)
                        continue;
                for (size_t k = 0; (sym = relocation_symbol(v, &v->sections[i], k)); k++)
                        if (streq(sym->name, symbol))
                                return true;
        }
        return false;
}

int elf_externs(const struct elf_view *v, int (*fn)(void *ctx, const char *name), void *ctx) {
        const struct elf_symbol *sym;
        int e;

        for (size_t i = 1; i < v->n_sections; i++) {
                const struct elf_section *s = &v->sections[i];

                if (!s->relocations || s->target >= v->n_sections || !v->sections[s->target].exec)
                        continue;
                for (size_t k = 0; (sym = relocation_symbol(v, s, k)); k++) {
                        if (sym->section != 0 || !sym->name[0])
                                continue;
                        e = fn(ctx, sym->name);
                        if (e < 0)
                                return e;
                }
        }
        return 0;
}
