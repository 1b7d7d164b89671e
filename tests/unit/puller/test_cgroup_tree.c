/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of cgroups by reading their hierarchy. Any folders do: their ids are their inodes' numbers. */
#include "../lib/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "cgroup_tree.h"

#define LATER (INT64_MAX / 2)

struct hierarchy {
        char dir[64];
        struct cgroup_tree tree;
};

static int setup(void **state) {
        struct hierarchy *h = calloc(1, sizeof(*h));

        assert_non_null(h);
        snprintf(h->dir, sizeof(h->dir), "%s/test_cgroup_tree.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        assert_non_null(mkdtemp(h->dir));
        h->tree = CGROUP_TREE_INIT;
        h->tree.dir = open(h->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(h->tree.dir >= 0);
        *state = h;
        return 0;
}

static int teardown(void **state) {
        struct hierarchy *h = *state;
        char command[128];

        cgroup_tree_done(&h->tree);
        snprintf(command, sizeof(command), "rm -rf '%s'", h->dir);
        assert_int_equal(system(command), 0);
        free(h);
        return 0;
}

static uint64_t id_of(const struct hierarchy *h, const char *path) {
        struct stat st;

        assert_int_equal(fstatat(h->tree.dir, path, &st, 0), 0);
        return st.st_ino;
}

static uint64_t make(const struct hierarchy *h, const char *path) {
        assert_int_equal(mkdirat(h->tree.dir, path, 0755), 0);
        return id_of(h, path);
}

static void paths(void **state) {
        struct hierarchy *h = *state;
        uint64_t a = make(h, "a"), b = make(h, "a/b.slice"), c = make(h, "a/b.slice/docker-1.scope");
        int fd = openat(h->tree.dir, "a/cgroup.procs", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        close(fd);
        assert_int_equal(symlinkat("a", h->tree.dir, "link"), 0);
        assert_string_equal(cgroup_tree_path(&h->tree, id_of(h, ".")), "/");
        assert_string_equal(cgroup_tree_path(&h->tree, a), "/a");
        assert_string_equal(cgroup_tree_path(&h->tree, b), "/a/b.slice");
        assert_string_equal(cgroup_tree_path(&h->tree, c), "/a/b.slice/docker-1.scope");
        assert_int_equal(h->tree.n, 4);
        assert_null(cgroup_tree_path(&h->tree, id_of(h, "a/cgroup.procs")));
        assert_null(cgroup_tree_path(&h->tree, 0));
}

/* What is known is not read again, what is not only when it is due. */
static void changes(void **state) {
        struct hierarchy *h = *state;
        uint64_t a = make(h, "a"), b;

        assert_string_equal(cgroup_tree_path(&h->tree, a), "/a");
        b = make(h, "b");
        h->tree.due = LATER;
        assert_null(cgroup_tree_path(&h->tree, b));
        assert_int_equal(unlinkat(h->tree.dir, "a", AT_REMOVEDIR), 0);
        assert_string_equal(cgroup_tree_path(&h->tree, a), "/a"); /* it was, when it was read */
        h->tree.due = 0;
        assert_string_equal(cgroup_tree_path(&h->tree, b), "/b");
        assert_true(h->tree.due > 0);
        h->tree.due = LATER;
        assert_null(cgroup_tree_path(&h->tree, a));
}

static void none(void **state) {
        struct cgroup_tree t = CGROUP_TREE_INIT;

        assert_null(cgroup_tree_path(&t, 1));
        cgroup_tree_done(&t);
}

/* One folder with too many in it, and what is beside it. */
static void too_many(void **state) {
        struct hierarchy *h = *state;
        uint64_t beside, below, deep;
        char path[64];

        make(h, "many");
        for (int i = 0; i < CGROUP_TREE_MAX + 10; i++) {
                snprintf(path, sizeof(path), "many/%d", i);
                assert_int_equal(mkdirat(h->tree.dir, path, 0755), 0);
        }
        beside = make(h, "beside");
        below = make(h, "beside/below");
        deep = make(h, "many/0/deep");
        assert_string_equal(cgroup_tree_path(&h->tree, beside), "/beside");
        assert_int_equal(h->tree.n, CGROUP_TREE_MAX);
        h->tree.due = LATER;
        assert_null(cgroup_tree_path(&h->tree, deep));
        /* Of the same level, the order is the folder's. */
        assert_true(!cgroup_tree_path(&h->tree, below) || streq(cgroup_tree_path(&h->tree, below), "/beside/below"));
}

static void too_long(void **state) {
        struct hierarchy *h = *state;
        char path[CGROUP_TREE_PATH + 256] = "";
        uint64_t fits = 0;

        for (size_t i = 0; i < 6; i++) { /* 200 bytes each, and a slash */
                size_t n = strlen(path);

                memset(path + n, 'x', 200);
                path[n + 200] = '\0';
                if (i < 5)
                        fits = make(h, path);
                else
                        make(h, path);
                strcat(path, "/");
        }
        assert_int_equal(strlen(cgroup_tree_path(&h->tree, fits)), 5 * 201);
        h->tree.due = 0;
        path[strlen(path) - 1] = '\0';
        assert_null(cgroup_tree_path(&h->tree, id_of(h, path)));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(paths, setup, teardown),
                cmocka_unit_test_setup_teardown(changes, setup, teardown),
                cmocka_unit_test(none),
                cmocka_unit_test_setup_teardown(too_many, setup, teardown),
                cmocka_unit_test_setup_teardown(too_long, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
