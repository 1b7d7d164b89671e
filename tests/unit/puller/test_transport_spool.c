/* SPDX-License-Identifier: Apache-2.0 */
/* The download that was not finished: what is gone on with, and what is not. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "fileio.h"
#include "transport_spool.h"

#define MAX 1000

static int setup(void **state) {
        char path[] = "/tmp/test-spool-XXXXXX";
        int *fd = malloc(sizeof(*fd));

        assert_non_null(mkdtemp(path));
        *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(*fd >= 0);
        *state = fd;
        return 0;
}

static int teardown(void **state) {
        int *fd = *state;
        char link[64], path[64];
        ssize_t n;

        unlinkat(*fd, "partial", 0);
        unlinkat(*fd, "partial.of", 0);
        snprintf(link, sizeof(link), "/proc/self/fd/%d", *fd);
        n = readlink(link, path, sizeof(path) - 1);
        assert_true(n > 0);
        path[n] = 0;
        assert_int_equal(rmdir(path), 0); /* nothing else was left */
        close(*fd);
        free(fd);
        return 0;
}

static bool exists(int spool, const char *name) {
        return faccessat(spool, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* As if a download of `path` had broken off after "abc". */
static void leave(int spool, const char *path, const char *validator) {
        struct partial p;

        assert_int_equal(partial_open(&p, spool, path, MAX, NULL), 0);
        assert_int_equal(partial_begin(&p, false, validator, NULL), 0);
        assert_int_equal(partial_append(&p, "abc", 3, NULL), 0);
        partial_close(&p);
}

static void opens_with(int spool, const char *path, uint64_t max, const char *validator, uint64_t size) {
        struct partial p;

        assert_int_equal(partial_open(&p, spool, path, max, NULL), 0);
        assert_string_equal(p.validator, validator);
        assert_int_equal(p.size, size);
        partial_close(&p);
}

static void test_goes_on(void **state) {
        int spool = *(int *)*state, fd;
        cleanup_buf struct buf b = {};
        struct partial p;

        leave(spool, "targets/a", "\"v\"");
        assert_int_equal(partial_open(&p, spool, "targets/a", MAX, NULL), 0);
        assert_string_equal(p.validator, "\"v\"");
        assert_int_equal(p.size, 3);
        assert_int_equal(partial_begin(&p, true, "\"v\"", NULL), 0);
        assert_int_equal(partial_append(&p, "def", 3, NULL), 0);
        assert_int_equal(partial_take(&p, &fd, NULL), 0);
        partial_close(&p);
        assert_int_equal(fd_read_all(fd, MAX, &b, NULL), 0);
        assert_string_equal(b.data, "abcdef");
        close(fd);
        assert_false(exists(spool, "partial"));
        assert_false(exists(spool, "partial.of"));
}

/* The server has another file by now, and sends all of it. */
static void test_begins_anew(void **state) {
        int spool = *(int *)*state, fd;
        cleanup_buf struct buf b = {};
        struct partial p;

        leave(spool, "targets/a", "\"v\"");
        assert_int_equal(partial_open(&p, spool, "targets/a", MAX, NULL), 0);
        assert_int_equal(partial_begin(&p, false, "\"w\"", NULL), 0);
        assert_int_equal(partial_append(&p, "xy", 2, NULL), 0);
        assert_int_equal(partial_take(&p, &fd, NULL), 0);
        partial_close(&p);
        assert_int_equal(fd_read_all(fd, MAX, &b, NULL), 0);
        assert_string_equal(b.data, "xy");
        close(fd);
}

static void test_of_another_path(void **state) {
        int spool = *(int *)*state;

        leave(spool, "targets/a", "\"v\"");
        opens_with(spool, "targets/b", MAX, "", 0);
        leave(spool, "targets/a", "\"v\"");
        opens_with(spool, "targets/aa", MAX, "", 0);
        leave(spool, "targets/aa", "\"v\"");
        opens_with(spool, "targets/a", MAX, "", 0);
}

static void test_too_long(void **state) {
        int spool = *(int *)*state;

        leave(spool, "targets/a", "\"v\"");
        opens_with(spool, "targets/a", 3, "\"v\"", 3);
        leave(spool, "targets/a", "\"v\"");
        opens_with(spool, "targets/a", 2, "", 0);
}

/* Nothing to ask the server by: it is not kept. */
static void test_without_validator(void **state) {
        int spool = *(int *)*state;

        leave(spool, "targets/a", "");
        assert_false(exists(spool, "partial"));
        assert_false(exists(spool, "partial.of"));
}

static void test_damaged_label(void **state) {
        static const char *const labels[] = {"",
                                             "targets/a",
                                             "targets/a\n",
                                             "targets/a\n\"v\"",
                                             "targets/a\n\"v\"\nmore\n",
                                             "targets/a\n\n",
                                             "targets/a\n\"\x01\"\n",
                                             "targets/a\n\"v\r\nX-Evil: 1\"\n",
                                             "\n\"v\"\n"};
        int spool = *(int *)*state;
        char *long_one = NULL;

        for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
                leave(spool, "targets/a", "\"v\"");
                assert_int_equal(file_replace(spool, "partial.of", 0600, labels[i], strlen(labels[i]), NULL), 0);
                opens_with(spool, "targets/a", MAX, "", 0);
        }
        leave(spool, "targets/a", "\"v\"");
        assert_true(asprintf(&long_one, "targets/a\n%0300d\n", 1) > 0);
        assert_int_equal(file_replace(spool, "partial.of", 0600, long_one, strlen(long_one), NULL), 0);
        opens_with(spool, "targets/a", MAX, "", 0);
        free(long_one);
}

/* What is put there instead of a file is not written to. */
static void test_link(void **state) {
        int spool = *(int *)*state;
        struct partial p;

        assert_int_equal(symlinkat("/tmp/test-spool-victim", spool, "partial"), 0);
        if (partial_open(&p, spool, "targets/a", MAX, NULL) == 0)
                partial_close(&p);
        assert_int_not_equal(access("/tmp/test-spool-victim", F_OK), 0);
        unlinkat(spool, "partial", 0);
}

static void test_in_memory(void **state) {
        cleanup_buf struct buf b = {};
        struct partial p;
        int fd;

        assert_int_equal(partial_open(&p, -1, "targets/a", MAX, NULL), 0);
        assert_int_equal(partial_begin(&p, false, "\"v\"", NULL), 0);
        assert_int_equal(partial_append(&p, "abc", 3, NULL), 0);
        assert_int_equal(partial_restart(&p, NULL), 0);
        assert_int_equal(p.size, 0);
        assert_int_equal(partial_append(&p, "xy", 2, NULL), 0);
        assert_int_equal(partial_take(&p, &fd, NULL), 0);
        partial_close(&p);
        assert_int_equal(fd_read_all(fd, MAX, &b, NULL), 0);
        assert_string_equal(b.data, "xy");
        close(fd);
}

int main(void) {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
        const struct CMUnitTest tests[] = {
                T(test_goes_on),       T(test_begins_anew), T(test_of_another_path), T(test_too_long), T(test_without_validator),
                T(test_damaged_label), T(test_link),        T(test_in_memory),
        };
#undef T

        return cmocka_run_group_tests(tests, NULL, NULL);
}
