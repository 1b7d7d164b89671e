/* SPDX-License-Identifier: Apache-2.0 */
/* The probe's cgroup: what is in it is decided by a generation that is not in force yet. Nothing else may ever be there. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "buf.h"
#include "child.h"
#include "probe_cgroup.h"

#define S 1000000000LL

/* A place for cgroups, or a visible skip: below this process's own cgroup, where this machine lets us. */
static int cgroup_setup(void **state) {
        cleanup_free char *dir = NULL;
        char own[PATH_MAX];

        *state = NULL;
        if (cgroup_own(own, NULL) < 0 || asprintf(&dir, "%s/test-lsmpull-%d", own, getpid()) < 0)
                return 0;
        if (mkdir(dir, 0755) == 0)
                *state = steal_pointer(dir);
        return 0;
}

static int cgroup_teardown(void **state) {
        cleanup_free char *dir = *state;

        return dir ? rmdir(dir) : 0;
}

/* 1 when pid is in the cgroup of this name. */
static bool is_in(pid_t pid, const char *name) {
        cleanup_buf struct buf b = {};
        char path[64];
        FILE *f;
        int c;

        snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
        f = fopen(path, "re");
        assert_non_null(f);
        while ((c = fgetc(f)) != EOF)
                assert_int_equal(buf_append(&b, &(char){c}, 1), 0);
        fclose(f);
        return strstr(b.data, name);
}

static void the_cgroup_is_made_and_removed(void **state) {
        struct probe_cgroup cg = PROBE_CGROUP_INIT, other = PROBE_CGROUP_INIT;
        struct err err = {};
        struct stat st;
        char path[PATH_MAX];

        probe_cgroup_close(&cg);
        if (!*state)
                skip();
        if (probe_cgroup_open(*state, &cg, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(fstat(cg.fd, &st), 0);
        assert_true(cg.id == st.st_ino); /* on 64 bits a cgroup's inode number is its id */
        strcpy(path, cg.path);
        assert_int_equal(access(path, F_OK), 0);

        assert_int_equal(probe_cgroup_open(*state, &other, &err), -EBUSY);
        assert_int_equal(err.reason, REASON_BUSY);
        assert_int_equal(other.fd, -1);

        probe_cgroup_close(&cg);
        assert_int_equal(cg.fd, -1);
        assert_int_equal(access(path, F_OK), -1);
        probe_cgroup_close(&cg);

        assert_int_equal(probe_cgroup_open("/absent", &cg, &err), -ENOENT);
        assert_int_equal(cg.fd, -1);
}

static void a_child_starts_in_it(void **state) {
        cleanup_probe_cgroup struct probe_cgroup cg = PROBE_CGROUP_INIT;
        struct child c = CHILD_INIT;
        struct err err = {};

        if (!*state)
                skip();
        assert_int_equal(probe_cgroup_open(*state, &cg, &err), 0);
        assert_int_equal(child_spawn(&(struct child_spec){.role = "@wait", .cgroup = cg.fd}, &c, &err), 0);
        assert_true(is_in(c.pid, PROBE_CGROUP_NAME));
        child_kill(&c);
}

/* What the probe has started goes with it: here a process that ignores all that can be ignored. */
static void closing_kills_what_is_left(void **state) {
        struct probe_cgroup cg = PROBE_CGROUP_INIT;
        struct child c = CHILD_INIT;
        struct err err = {};
        char path[PATH_MAX];
        int status;

        if (!*state)
                skip();
        assert_int_equal(probe_cgroup_open(*state, &cg, &err), 0);
        strcpy(path, cg.path);
        assert_int_equal(child_spawn(&(struct child_spec){.role = "@wait", .cgroup = cg.fd}, &c, &err), 0);
        probe_cgroup_close(&cg);
        assert_int_equal(child_wait(&c, &waiter_plain, monotonic_ns() + 5 * S, &status), 0);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        child_kill(&c);
        assert_int_equal(access(path, F_OK), -1);
}

/* An agent that was killed leaves its cgroup, and perhaps a probe in it. */
static void a_leftover_cgroup_is_taken_over_empty(void **state) {
        struct probe_cgroup cg = PROBE_CGROUP_INIT;
        struct child c = CHILD_INIT;
        struct err err = {};
        uint64_t id;
        int status;

        if (!*state)
                skip();
        assert_int_equal(probe_cgroup_open(*state, &cg, &err), 0);
        id = cg.id;
        assert_int_equal(child_spawn(&(struct child_spec){.role = "@wait", .cgroup = cg.fd}, &c, &err), 0);
        assert_true(is_in(c.pid, PROBE_CGROUP_NAME));
        close(cg.fd);

        cg = PROBE_CGROUP_INIT;
        assert_int_equal(probe_cgroup_open(*state, &cg, &err), 0);
        assert_true(cg.id == id);
        assert_int_equal(child_wait(&c, &waiter_plain, monotonic_ns() + 5 * S, &status), 0);
        assert_true(WIFSIGNALED(status));
        child_kill(&c);
        probe_cgroup_close(&cg);
}

/* In which scopes a cgroup is, is remembered by its id: so another test needs another id. */
static void a_renewed_one_is_another(void **state) {
        struct probe_cgroup cg = PROBE_CGROUP_INIT;
        struct child c = CHILD_INIT;
        struct err err = {};
        char path[PATH_MAX], below[PATH_MAX + 8];
        uint64_t id;

        if (!*state)
                skip();
        assert_int_equal(probe_cgroup_open(*state, &cg, &err), 0);
        id = cg.id;
        strcpy(path, cg.path);
        assert_int_equal(child_spawn(&(struct child_spec){.role = "@wait", .cgroup = cg.fd}, &c, &err), 0);
        assert_int_equal(probe_cgroup_renew(&cg, &err), 0);
        child_kill(&c);
        assert_true(cg.id != id);
        assert_string_equal(cg.path, path);

        /* One that cannot be replaced is not used again under the old id. */
        snprintf(below, sizeof(below), "%s/below", path);
        assert_int_equal(mkdir(below, 0755), 0);
        assert_true(probe_cgroup_renew(&cg, &err) < 0);
        assert_int_equal(cg.fd, -1);
        assert_int_equal(rmdir(below), 0);
        assert_int_equal(rmdir(path), 0);
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_cgroup_is_made_and_removed, cgroup_setup, cgroup_teardown),
                cmocka_unit_test_setup_teardown(a_child_starts_in_it, cgroup_setup, cgroup_teardown),
                cmocka_unit_test_setup_teardown(closing_kills_what_is_left, cgroup_setup, cgroup_teardown),
                cmocka_unit_test_setup_teardown(a_leftover_cgroup_is_taken_over_empty, cgroup_setup, cgroup_teardown),
                cmocka_unit_test_setup_teardown(a_renewed_one_is_another, cgroup_setup, cgroup_teardown),
        };

        if (argc > 1 && streq(argv[1], "@wait")) {
                signal(SIGTERM, SIG_IGN);
                return pause();
        }
        return cmocka_run_group_tests(tests, NULL, NULL);
}
