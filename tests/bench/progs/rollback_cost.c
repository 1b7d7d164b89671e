/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the supervisor does between the decision to roll back and the gate's change, one instruction at a time. Prints
 * "WHAT INSTRUCTIONS SYSCALLS" a line.
 */
#include "../../unit/puller/rollback_case.h"

static void measure(const char *what, bool pending, void (*call)(void *), const void *entry) {
        struct rollback_case c;
        struct steps s = {0};
        int r;

        if (!rollback_case_make(&c, pending)) {
                perror(what);
                exit(2);
        }
        r = rollback_steps(&c, call, entry, &s);
        rollback_case_done(&c);
        if (r < 0 || !s.changed) {
                fprintf(stderr, "%s: %s\n", what, r < 0 ? strerror(-r) : "the gate has not changed");
                exit(2);
        }
        printf("%s %lu %lu\n", what, s.instructions, s.syscalls);
}

int main(void) {
        measure("gate", false, rollback_by_gate, gate_set);
        measure("trial", true, rollback_by_swap, swap_rollback);
        measure("confirmed", false, rollback_by_swap, swap_rollback);
        return 0;
}
