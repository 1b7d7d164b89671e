/* SPDX-License-Identifier: Apache-2.0 */
/* Which cgroups are gone: what the agent forgets. A look that fails is no answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "event_cgroup.h"

static void nowhere(void **state) {
        const struct cgroup_mount none = {.fd = -1};

        assert_int_equal(cgroup_gone(&none, 1), -ENOENT);
}

static void there_and_gone(void **state) {
        cleanup_cgroup_mount struct cgroup_mount m = cgroup_mount_open();
        int r = m.fd < 0 ? -ENOENT : cgroup_gone(&m, 1); /* the root's id */

        if (r < 0) /* no cgroup v2 here, or no right to look */
                skip();
        assert_int_equal(r, 0);
        assert_int_equal(cgroup_gone(&m, UINT64_MAX >> 1), 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(nowhere), cmocka_unit_test(there_and_gone)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
