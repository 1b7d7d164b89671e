/* SPDX-License-Identifier: Apache-2.0 */
/* What a container runtime tells its hook: kept, forgotten, bounded; and what it should not say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "container_names.h"
#include "fileio.h"
#include "util.h"

static char run_dir[64];

/* As /run is: nothing is written to a disk. */
static int setup(void **state) {
        snprintf(run_dir, sizeof(run_dir), "%s/test_container_names.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        return mkdtemp(run_dir) ? 0 : -1;
}

static int teardown(void **state) {
        char command[128];

        snprintf(command, sizeof(command), "rm -rf '%s'", run_dir);
        return system(command);
}

static int take(const char *state) {
        return container_names_take(run_dir, state, strlen(state), NULL);
}

static void is_called(const char *id, const char *want) {
        cleanup_json json_t *names = container_names_of(run_dir, id, strlen(id));
        cleanup_buf struct buf text = {};

        assert_true((names != NULL) == (want != NULL));
        if (!want)
                return;
        assert_int_equal(json_canonical(names, &text, NULL), 0);
        assert_string_equal(text.data, want);
}

/* annotations: the inside of an object. */
static int state_take(const char *id, const char *status, long pid, const char *annotations) {
        cleanup_buf struct buf b = {};

        assert_true(buf_printf(&b,
                               "{\"ociVersion\":\"1.0.2\",\"id\":\"%s\",\"status\":\"%s\",\"pid\":%ld,\"bundle\":\"/b\","
                               "\"annotations\":{%s}}",
                               id, status, pid, annotations) >= 0);
        return container_names_take(run_dir, b.data, b.len, NULL);
}

#define CRI                                                                                           \
        "\"io.kubernetes.cri.container-name\":\"web\",\"io.kubernetes.cri.sandbox-name\":\"shop-1\"," \
        "\"io.kubernetes.cri.sandbox-namespace\":\"prod\",\"text\":\"two\\nlines\""

static void kept_and_forgotten(void **state) {
        is_called("abc", NULL);
        assert_int_equal(state_take("abc", "created", getpid(), CRI), 0);
        is_called("abc", "{\"name\":\"web\",\"namespace\":\"prod\",\"pod\":\"shop-1\"}");
        is_called("ab", NULL);
        assert_int_equal(state_take("abc", "stopped", 0, CRI), 0);
        is_called("abc", NULL);
        assert_int_equal(state_take("abc", "stopped", 0, ""), 0); /* twice is no harm */
}

static void of_cri_o_and_without_a_pod(void **state) {
        assert_int_equal(
                state_take("o", "creating", getpid(), "\"io.kubernetes.container.name\":\"db\",\"io.kubernetes.pod.name\":\"p\""),
                0);
        is_called("o", "{\"name\":\"db\",\"pod\":\"p\"}");
        assert_int_equal(state_take("o", "created", getpid(), ""), 0); /* another one with this id, which nobody has named */
        is_called("o", NULL);
}

static void names_that_are_none(void **state) {
        char text[600], long_name[400] = "";

        memset(long_name, 'x', 254);
        snprintf(text, sizeof(text), "\"io.kubernetes.container.name\":\"%s\",\"io.kubernetes.pod.name\":\"p\"", long_name);
        assert_int_equal(state_take("n", "created", getpid(), text), 0);
        is_called("n", "{\"pod\":\"p\"}");
        long_name[253] = '\0';
        snprintf(text, sizeof(text), "\"io.kubernetes.container.name\":\"%s\"", long_name);
        assert_int_equal(state_take("n", "created", getpid(), text), 0);
        snprintf(text, sizeof(text), "{\"name\":\"%s\"}", long_name);
        is_called("n", text);
        for (size_t i = 0; i < 4; i++) {
                static const char *const bad[] = {"a\\u001b[31m", "a\\nb", "\\u0085", ""};

                snprintf(text, sizeof(text), "\"io.kubernetes.container.name\":\"%s\"", bad[i]);
                assert_int_equal(state_take("n", "created", getpid(), text), 0);
                is_called("n", NULL);
        }
        assert_int_equal(state_take("n", "created", getpid(), "\"io.kubernetes.container.name\":7"), 0);
        is_called("n", NULL);
}

static void states_that_are_none(void **state) {
        static const char *const bad[] = {
                "",
                "[]",
                "{}",
                "{\"id\":\"x\"}",
                "{\"id\":7,\"status\":\"created\"}",
                "{\"id\":\"\",\"status\":\"created\"}",
                "{\"id\":\"..\",\"status\":\"created\"}",
                "{\"id\":\".hidden\",\"status\":\"created\"}",
                "{\"id\":\"a/b\",\"status\":\"created\"}",
                "{\"id\":\"../../etc/cron.d/x\",\"status\":\"stopped\"}",
                "{\"id\":\"x\",\"status\":\"created\"} more",
                "{\"id\":\"x\",\"id\":\"y\",\"status\":\"created\"}",
        };
        char *deep = malloc(100001);

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_int_equal(take(bad[i]), -EBADMSG);
        memset(deep, '[', 100000);
        deep[100000] = '\0';
        assert_int_equal(take(deep), -EBADMSG);
        free(deep);
        assert_int_equal(take("{\"id\":\"y\",\"status\":\"created\",\"annotations\":[1]}"), 0); /* of no names */
        is_called("y", NULL);
}

static void ids_of_events(void **state) {
        assert_int_equal(state_take("real", "created", getpid(), CRI), 0);
        is_called("../containers/real", NULL);
        is_called("", NULL);
        is_called(".", NULL);
        assert_null(container_names_of(run_dir, "real\0x", 6));
        assert_null(container_names_of("/nowhere", "real", 4));
}

/* What somebody else has put there is no record. */
static void records_that_are_none(void **state) {
        char path[128];
        int fd;

        snprintf(path, sizeof(path), "%s/containers/real", run_dir);
        fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
        assert_true(fd >= 0 && write(fd, "{\"name\":\"\x1b[31m\"}", 16) == 16);
        close(fd);
        is_called("real", NULL);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(mkdir(path, 0755), 0);
        is_called("real", NULL);
        assert_int_equal(rmdir(path), 0);
        assert_int_equal(symlink("/etc/passwd", path), 0);
        is_called("real", NULL);
        assert_int_equal(unlink(path), 0);
}

static void bounded(void **state) {
        char id[32];

        for (int i = 0; i < CONTAINER_NAMES_MAX; i++) {
                snprintf(id, sizeof(id), "many-%d", i);
                assert_int_equal(state_take(id, "created", i % 2 ? getpid() : 0, CRI), 0);
        }
        /* Half of them have no process. */
        assert_int_equal(state_take("one-more", "created", getpid(), CRI), 0);
        is_called("one-more", "{\"name\":\"web\",\"namespace\":\"prod\",\"pod\":\"shop-1\"}");
        is_called("many-0", NULL);
        is_called("many-1", "{\"name\":\"web\",\"namespace\":\"prod\",\"pod\":\"shop-1\"}");
        for (int i = 0; i < CONTAINER_NAMES_MAX / 2 - 1; i++) {
                snprintf(id, sizeof(id), "more-%d", i);
                assert_int_equal(state_take(id, "created", getpid(), CRI), 0);
        }
        assert_int_equal(state_take("too-many", "created", getpid(), CRI), -ENOSPC);
        is_called("too-many", NULL);
        assert_int_equal(state_take("many-1", "stopped", 0, ""), 0);
        assert_int_equal(state_take("too-many", "created", getpid(), CRI), 0);
}

static void without_an_agent(void **state) {
        static const char text[] = "{\"id\":\"x\",\"status\":\"created\",\"annotations\":{\"io.kubernetes.pod.name\":\"p\"}}";

        assert_int_equal(container_names_take("/nowhere/at/all", text, sizeof(text) - 1, NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(kept_and_forgotten),
                cmocka_unit_test(of_cri_o_and_without_a_pod),
                cmocka_unit_test(names_that_are_none),
                cmocka_unit_test(states_that_are_none),
                cmocka_unit_test(ids_of_events),
                cmocka_unit_test(records_that_are_none),
                cmocka_unit_test(bounded),
                cmocka_unit_test(without_an_agent),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
