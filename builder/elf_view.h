/* SPDX-License-Identifier: Apache-2.0 */
/* A relocatable BPF object's sections, symbols and relocations, read with libelf (which only elf_view.c includes). */
#pragma once

#include "buf.h"
#include "err.h"

struct elf_section {
        const char *name;
        const void *data; /* NULL when it has no bytes in the file */
        size_t size;
        bool exec, relocations;
        size_t target; /* relocations: index of the section they are for */
};

struct elf_symbol {
        const char *name;
        size_t section; /* index; 0: undefined */
        uint64_t value, size;
};

/* Section 0 and symbol 0 are ELF's empty ones. Everything is borrowed from the bytes given to elf_view_open(). */
struct elf_view {
        void *elf;
        struct elf_section *sections;
        size_t n_sections;
        struct elf_symbol *symbols;
        size_t n_symbols;
};
void elf_view_done(struct elf_view *v);
#define cleanup_elf_view cleanup(elf_view_done)
/* Refuses what is not a 64-bit relocatable BPF object. */
int elf_view_open(const struct buf *object, struct elf_view *ret, struct err *err);

/* 0 when there is none. */
size_t elf_section_find(const struct elf_view *v, const char *name);
/* NULL when there is none that is defined. */
const struct elf_symbol *elf_symbol_find(const struct elf_view *v, const char *name);
/* Does any relocation for this section name this symbol? */
bool elf_section_refers(const struct elf_view *v, size_t section, const char *symbol);
/* Calls fn for each undefined symbol that a program refers to (kernel functions and variables). */
int elf_externs(const struct elf_view *v, int (*fn)(void *ctx, const char *name), void *ctx);
