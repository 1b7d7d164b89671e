/* SPDX-License-Identifier: Apache-2.0 */
#include "../lib/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "cache.h"
#include "tmpdir.h"

static const uint8_t key[SHA256_SIZE] = {1, 2, 3}, other[SHA256_SIZE] = {1, 2, 4};

struct fixture {
        struct tmpdir dir;
        struct cache *cache;
        char file[512]; /* of `key` */
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));
        char hex[SHA256_HEX];

        assert_non_null(f);
        f->dir = (struct tmpdir)TMPDIR_INIT;
        assert_int_equal(tmpdir_make(&f->dir, NULL), 0);
        setenv("XDG_CACHE_HOME", f->dir.path, 1);
        f->cache = cache_open();
        assert_non_null(f->cache);
        hex_encode(key, sizeof(key), hex);
        snprintf(f->file, sizeof(f->file), "%s/lsmbundle/%s", f->dir.path, hex);
        cache_put(f->cache, key, "content", 7);
        assert_int_equal(access(f->file, F_OK), 0);
        *state = f;
        return 0;
}

static int teardown(void **state) {
        struct fixture *f = *state;

        cache_free(f->cache);
        tmpdir_done(&f->dir);
        free(f);
        return 0;
}

static bool has(struct fixture *f, const char *want) {
        cleanup_buf struct buf got = {};

        return cache_get(f->cache, key, &got) == 0 && got.len == strlen(want) && memcmp(got.data, want, got.len) == 0;
}

static void test_kept(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf got = {};

        assert_true(has(f, "content"));
        assert_int_equal(cache_get(f->cache, other, &got), -ENOENT);
        cache_put(f->cache, key, "new", 3);
        assert_true(has(f, "new"));
        cache_put(f->cache, key, "", 0);
        assert_true(has(f, ""));
}

static void test_damaged(void **state) {
        struct fixture *f = *state;
        struct stat st;

        assert_int_equal(stat(f->file, &st), 0);
        for (off_t at = 0; at < st.st_size; at++) {
                int fd = open(f->file, O_RDWR);
                char c;

                assert_true(fd >= 0);
                assert_int_equal(pread(fd, &c, 1, at), 1);
                c ^= 1;
                assert_int_equal(pwrite(fd, &c, 1, at), 1);
                assert_false(has(f, "content"));
                c ^= 1;
                assert_int_equal(pwrite(fd, &c, 1, at), 1);
                close(fd);
        }
        assert_true(has(f, "content"));
        for (off_t n = st.st_size - 1; n >= 0; n--) {
                assert_int_equal(truncate(f->file, n), 0);
                assert_false(has(f, "content"));
        }
}

static void test_not_a_file(void **state) {
        struct fixture *f = *state;

        assert_int_equal(unlink(f->file), 0);
        assert_int_equal(mkdir(f->file, 0700), 0);
        assert_false(has(f, "content"));
        cache_put(f->cache, key, "x", 1); /* cannot be written: no matter */
        assert_false(has(f, "x"));
        assert_int_equal(rmdir(f->file), 0);
}

static void test_old_entries_go(void **state) {
        struct fixture *f = *state;
        struct timespec times[2] = {{.tv_sec = time(NULL) - 40 * 24 * 3600}, {.tv_sec = time(NULL) - 40 * 24 * 3600}};

        assert_int_equal(utimensat(AT_FDCWD, f->file, times, 0), 0);
        cache_put(f->cache, other, "y", 1);
        assert_int_equal(access(f->file, F_OK), -1);
}

/* What others can write to is no place for code that will be signed. */
static void test_writable_by_others(void **state) {
        struct fixture *f = *state;
        char dir[512];

        snprintf(dir, sizeof(dir), "%s/lsmbundle", f->dir.path);
        for (unsigned i = 0; i < 2; i++) {
                assert_int_equal(chmod(dir, i == 0 ? 0702 : 0720), 0);
                assert_null(cache_open());
        }
}

static void test_no_home(void **state) {
        cleanup_buf struct buf got = {};

        unsetenv("XDG_CACHE_HOME");
        setenv("HOME", "/nonexistent", 1);
        assert_null(cache_open());
        unsetenv("HOME");
        assert_null(cache_open());
        setenv("XDG_CACHE_HOME", "relative", 1);
        assert_null(cache_open());
        assert_int_equal(cache_get(NULL, key, &got), -ENOENT);
        cache_put(NULL, key, "x", 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_kept, setup, teardown),
                cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
                cmocka_unit_test_setup_teardown(test_not_a_file, setup, teardown),
                cmocka_unit_test_setup_teardown(test_old_entries_go, setup, teardown),
                cmocka_unit_test_setup_teardown(test_writable_by_others, setup, teardown),
                cmocka_unit_test(test_no_home),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
