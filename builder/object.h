/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compiled policy, read back from the object itself: what the manifest says about it comes from here and not from what the
 * source's names suggest. It is also where objects that a node could not or must not run are refused.
 */
#pragma once

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "diag.h"
#include "elf_view.h"
#include "strv.h"

struct object_program {
        const char *name, *hook;
};

struct object_map { /* the author's own; the chain's are left out */
        const char *name, *type;
        enum bpf_map_type kind;
        uint32_t key_size, value_size, max_entries;
        uint32_t key_type, value_type; /* BTF ids; 0: unknown */
};

struct object {
        struct bpf_object *bpf;
        struct elf_view elf;
        const struct btf *btf;
        struct object_program *programs;
        size_t n_programs;
        struct object_map *maps;
        size_t n_maps;
        struct strv helpers, features; /* sorted */
};
void object_free(struct object *o);
static inline void object_free_p(struct object **o) {
        object_free(*o);
}
#define cleanup_object cleanup(object_free_p)

/* bytes: kept until object_free(). where: what findings name, the policy's source. plain: an ordinary libbpf program,
 * without the chain. Refuses, saying all that is wrong: -EBADMSG. */
int object_read(const struct buf *bytes, bool plain, struct pos where, struct diags *diags, struct object **ret, struct err *err);
const struct object_map *object_map_find(const struct object *o, const char *name);

/* For object_chain.c: the checks of a policy that takes its place in a chain. */
void object_chain_check(const struct object *o, struct pos where, struct diags *diags);
bool object_chain_map(const char *name);
