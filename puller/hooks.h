/* SPDX-License-Identifier: Apache-2.0 */
/* What this kernel says about its LSM hooks: its BTF, and how many programs stand on each. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct btf;

struct hook {
        char name[64];
        uint32_t btf_id; /* of bpf_lsm_NAME */
        uint32_t args;
        bool has_task; /* runs in the context of the task it is about */
};

/* The kernel's BTF: some MiB, so hold it only while hooks are looked up. NULL and err: the kernel has none. */
struct btf *kernel_btf_load(struct err *err);
void kernel_btf_free(struct btf *btf);

/* kernel-unsupported: no such hook here, or one that returns nothing, so that a policy on it could not decide. */
int hook_find(const struct btf *btf, const char *name, struct hook *ret, struct err *err);

/* How many programs a hook takes from all users together, on the kernels seen so far (6.1, 6.12: 38; 7.3: 36). */
#define HOOK_PROGRAMS_MAX 36
/* Kept free on each hook: the second dispatcher of an agent upgrade and the two of a bake. */
#define HOOK_PROGRAMS_RESERVE 3

/* Attached tracing programs (LSM, fentry, fexit, fmod_ret) of anybody on the hook: they share its places. */
int hook_programs_count(uint32_t btf_id, struct err *err);

/* Waits until every non-sleepable BPF program that runs now has ended. */
int bpf_grace_period(struct err *err);
