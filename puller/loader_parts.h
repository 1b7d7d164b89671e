/* SPDX-License-Identifier: Apache-2.0 */
/* What loader_child.c and loader_rules.c share; nobody else includes this. */
#pragma once

#include <bpf/libbpf.h>

#define OBJECT_MAX (64u << 20)

/* Address of a variable in the initial content of .rodata, by the object's BTF. NULL: there is none of this size. */
void *rodata_variable(struct bpf_object *obj, const char *name, size_t size);
