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

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void what_a_container_is_called(void **state) {
        static const char *const cases[][2] = {
                {"/system.slice/docker-" ID ".scope", ID},
                {"/docker/" ID, ID},
                {"/machine.slice/libpod-ab.scope/container/init", "ab"},
                {"/user.slice/user@7.service/libpod-ab.scope", "ab"},
                {"/kubepods.slice/kubepods-pod1.slice/cri-containerd-4567.scope", "4567"},
                {"/kubepods/besteffort/pod1/" ID, ID},
                {"/kubepods.slice/crio-4567.scope", "4567"},
                {"/machine.slice/machine-web\\x2d1.scope", "web\\x2d1"},
                {"/lxc.payload.web/system.slice", "web"},
                {"/lxc.payload.web/system.slice/docker-" ID ".scope", ID}, /* the innermost */
                {"/a/docker-\x1b[2J\n.scope", "\x1b[2J\n"},                /* whoever prints it escapes it */
                {"/docker-docker-.scope.scope", "docker-.scope"},
        };
        static const char *const none[] = {
                "",
                "/",
                "//",
                "/docker",
                "/docker-.scope",
                "/docker-.scop",
                "/docker-a.scopes",
                "/xdocker-a.scope",
                "/docker-a",
                "/.scope",
                "/docker-.scope/",
                "/libpod-conmon-" ID ".scope",
                "/crio-conmon-a.scope",
                "/lxc.payload.",
                "/docker/" ID "0",
                "/docker/X" ID,
                "/0123",
                "/system.slice/docker.service",
                "/docker-a/b.scope",
                "/0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF",
        };
        const char *name;
        size_t len;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (!cgroup_container(cases[i][0], &name, &len) || len != strlen(cases[i][1]) ||
                    memcmp(name, cases[i][1], len) != 0)
                        fail_msg("%s", cases[i][0]);
        for (size_t i = 0; i < ARRAY_SIZE(none); i++)
                if (cgroup_container(none[i], &name, &len))
                        fail_msg("%s: %.*s", none[i], (int)len, name);
}

int main(void) {
        const struct CMUnitTest tests[] = {cmocka_unit_test(what_a_container_is_called), cmocka_unit_test(nowhere),
                                           cmocka_unit_test(there_and_gone)};

        return cmocka_run_group_tests(tests, NULL, NULL);
}
