/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands where in a generation: for each hook, the bundle's programs in the order of its policies, plain ones last. The
 * supervisor (which fills slots) and the loader (which writes positions into .rodata) compute it from the same manifest.
 */
#pragma once

#include "manifest.h"

struct plan_entry {
        size_t policy, program; /* indices into the manifest */
        uint32_t position;      /* in the slot */
        uint32_t next;          /* position to go on at; 0: last */
};

struct plan_hook {
        const char *name; /* borrowed from the manifest */
        struct plan_entry *entries;
        size_t n;
        bool absent; /* this kernel has no such hook, and its programs are optional: n is 0 */
};

struct plan {
        struct plan_hook *hooks; /* sorted by name */
        size_t n;
};

int plan_make(const struct manifest *m, struct plan *ret, struct err *err);
/* Does it run in a shadow? A plain policy cannot (it would deny), and one that only audits would deny nothing. */
bool policy_shadowed(const struct manifest_policy *p);
/* Leaves what a shadow runs. A hook that has nothing then keeps its place, with n = 0: hooks are known by number. */
void plan_shadow(struct plan *p, const struct manifest *m);
bool manifest_has_engine(const struct manifest *m);
/* Programs of that hook, and all of them optional. */
bool plan_hook_optional(const struct plan_hook *h, const struct manifest *m);
/* The kernel has not the hook with that number: its programs are left out, and it keeps its place, as above. False: one of them is
 * not optional. */
bool plan_hook_leave(struct plan *p, size_t i, const struct manifest *m);
bool plan_program_absent(const struct plan *p, const struct manifest_program *program);
void plan_done(struct plan *p);
#define cleanup_plan cleanup(plan_done)
/* NULL when the generation has nothing on that hook. */
const struct plan_hook *plan_find(const struct plan *p, const char *hook);
/* Where a program of a policy stands; NULL: nowhere. */
const struct plan_entry *plan_entry_of(const struct plan *p, size_t policy, size_t program, const struct plan_hook **ret_hook);
