/* SPDX-License-Identifier: Apache-2.0 */
/* What dispatcher.c and hook_order.c share; nobody else includes this. */
#pragma once

#include <bpf/libbpf.h>

#include "dispatcher.h"

/* Has libbpf resolve a program's maps and parameters; see dispatcher.c. */
int program_load_first(struct bpf_object_skeleton *skeleton, struct bpf_program *prog);
struct program_again {
        const struct hook *hook;
        int own, slots; /* the array that it was loaded over, and the one that takes its place; own -1: none does */
        const char
                *called; /* its one function beside the main one, which the kernel wants described if it has a tail call; NULL */
};
/* Loads what was resolved for the hook, and returns the program's descriptor. */
int program_load_again(struct bpf_object *obj, struct bpf_program *prog, const struct program_again *again);
/* prog: what loading it returned. The link's descriptor. */
int program_attach(int prog, const struct hook *hook, const char *what, struct err *err);
