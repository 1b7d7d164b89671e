/* SPDX-License-Identifier: Apache-2.0 */
/* The ways back, on a gate that no kernel looks at: for those who watch what they do before it has changed. */
#pragma once

#include <sys/mman.h>

#include "single_step.h"
#include "swap_parts.h"

struct rollback_case {
        struct node node;
        struct bundle bundle;
};

/* A bundle with slot 1 confirmed, slot 2 before it, and slot 3 on trial. The gate is in memory that children share. */
static inline bool rollback_case_make(struct rollback_case *c, bool pending) {
        struct gate *gate = &c->bundle.kernel.gate;
        struct journal *j = &c->bundle.journal;

        *c = (struct rollback_case){.bundle.name = "sample", .bundle.kernel.gate_fd = 0};
        gate->map = mmap(NULL, sizeof(*gate->map), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (gate->map == MAP_FAILED)
                return false;
        gate_set(gate, 1);
        j->confirmed = (struct journal_gen){.present = true, .slot = 1, .release = 2};
        j->previous = (struct journal_gen){.present = true, .slot = 2, .release = 1};
        if (!pending)
                return true;
        j->staged = (struct journal_gen){.present = true, .slot = 3, .release = 3};
        return gate_flip(gate, 1, 3, monotonic_ns() + 60 * 1000000000LL) != 0;
}

static inline void rollback_case_done(struct rollback_case *c) {
        munmap(c->bundle.kernel.gate.map, sizeof(*c->bundle.kernel.gate.map));
}

static inline void rollback_by_gate(void *arg) {
        gate_set(&((struct rollback_case *)arg)->bundle.kernel.gate, 2);
}

static inline void rollback_by_swap(void *arg) {
        struct rollback_case *c = arg;
        struct err err = {0};

        swap_rollback(&c->node, &c->bundle, &err);
}

static inline int rollback_steps(struct rollback_case *c, void (*call)(void *), const void *entry, struct steps *ret) {
        return steps_count(call, c, entry, (const volatile uint64_t *)&c->bundle.kernel.gate.map->word, ret);
}
