/* SPDX-License-Identifier: Apache-2.0 */
/* Whoever rolls back, whatever a policy denies: between the decision and the gate there is no system call to be denied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "rollback_case.h"

static void steps_of(bool pending, void (*call)(void *), const void *entry, struct steps *ret) {
        struct rollback_case c;
        int r;

        assert_true(rollback_case_make(&c, pending));
        r = rollback_steps(&c, call, entry, ret);
        rollback_case_done(&c);
        if (r < 0)
                skip(); /* no single steps on this machine */
}

static void no_syscall(bool pending, void (*call)(void *), const void *entry) {
        struct steps s = {0};

        steps_of(pending, call, entry, &s);
        assert_true(s.changed);
        assert_int_equal(s.syscalls, 0);
}

static void test_gate_set(void **state) {
        no_syscall(false, rollback_by_gate, gate_set);
}

static void test_rollback_of_a_trial(void **state) {
        no_syscall(true, rollback_by_swap, swap_rollback);
}

static void test_rollback_after_confirmation(void **state) {
        no_syscall(false, rollback_by_swap, swap_rollback);
}

/* ---- would it be noticed? ------------------------------------------------------------------------------------------- */

static void asks_first(void *arg) {
        syscall(SYS_getppid);
        rollback_by_gate(arg);
}

static void test_a_call_is_noticed(void **state) {
        struct steps s = {0};

        steps_of(false, asks_first, asks_first, &s);
        assert_true(s.changed);
        assert_int_equal(s.syscalls, 1);
}

static void changes_nothing(void *arg) {
}

static void test_no_change_is_noticed(void **state) {
        struct steps s = {0};

        steps_of(false, changes_nothing, changes_nothing, &s);
        assert_false(s.changed);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_gate_set),
                cmocka_unit_test(test_rollback_of_a_trial),
                cmocka_unit_test(test_rollback_after_confirmation),
                cmocka_unit_test(test_a_call_is_noticed),
                cmocka_unit_test(test_no_change_is_noticed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
