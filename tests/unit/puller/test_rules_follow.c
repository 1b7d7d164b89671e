/* SPDX-License-Identifier: Apache-2.0 */
/* What is changed in an engine's table when mounts change: no more, as each change makes the engine forget. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rules_follow.h"

static void differences(void **state) {
        struct rules_place old[] = {{7, {.state = 1}}, {3, {.state = 2}}, {9, {.state = 3}}},
                           new[] = {{3, {.state = 2}}, {9, {.state = 4}}, {5, {.state = 0}}};
        const struct rules_roots before = {.list = old, .n = 3, .special = {{LSM_ROOT_START, {.state = 8}}}, .n_special = 1},
                                 after = {.list = new,
                                          .n = 3,
                                          .special = {{LSM_ROOT_START, {.state = 8}}, {LSM_ROOT_PROC, {.state = 6}}},
                                          .n_special = 2};
        cleanup_rules_change struct rules_change c = {0};

        assert_int_equal(rules_change_find(&before, &after, &c), 0);
        assert_int_equal(c.n_gone, 1);
        assert_int_equal(c.gone[0], 7);
        assert_int_equal(c.n_put, 3);
        assert_int_equal(c.put[0].dev, 5);
        assert_int_equal(c.put[1].dev, 9);
        assert_int_equal(c.put[1].root.state, 4);
        assert_int_equal(c.put[2].dev, LSM_ROOT_PROC);
}

static void nothing(void **state) {
        struct rules_place list[] = {{7, {.state = 1}}, {3, {.state = 2}}};
        const struct rules_roots r = {.list = list, .n = 2}, none = {0};
        cleanup_rules_change struct rules_change same = {0}, all = {0}, empty = {0};

        assert_int_equal(rules_change_find(&r, &r, &same), 0);
        assert_int_equal(same.n_gone + same.n_put, 0);
        assert_int_equal(rules_change_find(&r, &none, &all), 0);
        assert_int_equal(all.n_gone, 2);
        assert_int_equal(all.n_put, 0);
        assert_int_equal(rules_change_find(&none, &none, &empty), 0);
        assert_int_equal(empty.n_gone + empty.n_put, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(differences), cmocka_unit_test(nothing)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
