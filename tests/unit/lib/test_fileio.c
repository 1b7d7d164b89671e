/* SPDX-License-Identifier: Apache-2.0 */
/* Files: a cap that holds, a replacement that is whole or did not happen, memory that nobody can change any more. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fileio.h"
#include "unit.h"

struct folder {
        char path[64];
        int fd;
};

static int setup(void **state) {
        struct folder *f = calloc(1, sizeof(*f));

        strcpy(f->path, "/tmp/test_fileio.XXXXXX");
        if (!mkdtemp(f->path))
                return -1;
        f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *state = f;
        return f->fd < 0 ? -1 : 0;
}

/* The files in it, hidden ones included. */
static size_t count(const struct folder *f) {
        DIR *d = opendir(f->path);
        struct dirent *e;
        size_t n = 0;

        assert_non_null(d);
        while ((e = readdir(d)))
                n += !streq(e->d_name, ".") && !streq(e->d_name, "..");
        closedir(d);
        return n;
}

static int teardown(void **state) {
        struct folder *f = *state;
        DIR *d = opendir(f->path);
        struct dirent *e;

        while ((e = readdir(d)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        if (unlinkat(f->fd, e->d_name, 0) < 0)
                                unlinkat(f->fd, e->d_name, AT_REMOVEDIR);
        closedir(d);
        close(f->fd);
        rmdir(f->path);
        free(f);
        return 0;
}

static void test_read_cap(void **state) {
        struct folder *f = *state;
        cleanup_buf struct buf b = {};
        struct err err = {};

        assert_done(file_replace(f->fd, "x", 0600, "0123456789", 10, &err), err);
        assert_done(file_read(f->fd, "x", 10, &b, &err), err);
        assert_int_equal(b.len, 10);
        assert_string_equal(b.data, "0123456789");
        assert_done(file_read(f->fd, "x", SIZE_MAX, &b, &err), err);
        assert_int_equal(b.len, 10);
        assert_refused(file_read(f->fd, "x", 9, &b, &err), err, REASON_TOO_LARGE);
        assert_refused(file_read(f->fd, "x", 0, &b, &err), err, REASON_TOO_LARGE);
        assert_string_equal(b.data, "0123456789"); /* untouched */
        assert_int_equal(file_read(f->fd, "none", 10, &b, &err), -ENOENT);
        assert_int_equal(file_read(f->fd, ".", 10, &b, &err), -EISDIR);
        assert_done(file_replace(f->fd, "empty", 0600, "", 0, &err), err);
        assert_done(file_read(f->fd, "empty", 0, &b, &err), err);
        assert_int_equal(b.len, 0);
}

/* A pipe gives what it has in pieces, and its length is not known before. */
static void test_read_pipe(void **state) {
        cleanup_buf struct buf b = {};
        struct err err = {};
        char block[30000];
        int fds[2];

        memset(block, 'x', sizeof(block));
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(fd_write_all(fds[1], block, sizeof(block)), 0);
        close(fds[1]);
        assert_done(fd_read_all(fds[0], 30000, &b, &err), err);
        assert_int_equal(b.len, 30000);
        close(fds[0]);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(fd_write_all(fds[1], block, sizeof(block)), 0);
        assert_refused(fd_read_all(fds[0], 29999, &b, &err), err, REASON_TOO_LARGE);
        close(fds[0]);
        close(fds[1]);
        assert_int_equal(fd_read_all(-1, 10, &b, &err), -EBADF);
}

static void test_replace(void **state) {
        struct folder *f = *state;
        cleanup_buf struct buf b = {};
        struct err err = {};
        struct stat st;
        mode_t mask = umask(077);

        assert_done(file_replace(f->fd, "x", 0644, "old", 3, &err), err);
        assert_done(file_replace(f->fd, "x", 0644, "new!", 4, &err), err);
        umask(mask);
        assert_done(file_read(f->fd, "x", 10, &b, &err), err);
        assert_string_equal(b.data, "new!");
        assert_int_equal(fstatat(f->fd, "x", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0644); /* whatever the umask */
        assert_int_equal(count(f), 1);
}

static void test_replace_by_path(void **state) {
        struct folder *f = *state;
        struct err err = {};
        char path[128];

        assert_int_equal(mkdirat(f->fd, "sub", 0700), 0);
        assert_done(file_replace(f->fd, "sub/x", 0600, "1", 1, &err), err);
        assert_int_equal(faccessat(f->fd, "sub/x", F_OK, 0), 0);
        snprintf(path, sizeof(path), "%s/sub/x", f->path);
        assert_done(file_replace(AT_FDCWD, path, 0600, "22", 2, &err), err);
        assert_int_equal(unlinkat(f->fd, "sub/x", 0), 0);
}

static void test_replace_fails_clean(void **state) {
        struct folder *f = *state;
        struct err err = {};

        assert_int_equal(mkdirat(f->fd, "dir", 0700), 0);
        assert_int_equal(file_replace(f->fd, "dir", 0600, "x", 1, &err), -EISDIR);
        assert_int_equal(file_replace(f->fd, "no/x", 0600, "x", 1, &err), -ENOENT);
        assert_int_equal(file_replace(f->fd, "dir/", 0600, "x", 1, &err), -EISDIR);
        assert_int_equal(file_replace(f->fd, "..", 0600, "x", 1, &err), -EISDIR);
        assert_int_equal(file_replace(f->fd, "", 0600, "x", 1, &err), -EISDIR);
        assert_int_equal(count(f), 1); /* the folder: no temporary file is left */
}

/* A private key is never written over. */
static void test_create_is_exclusive(void **state) {
        struct folder *f = *state;
        cleanup_buf struct buf b = {};
        struct err err = {};
        struct stat st;

        assert_done(file_create(f->fd, "key", 0600, "first", 5, &err), err);
        assert_int_equal(file_create(f->fd, "key", 0600, "second", 6, &err), -EEXIST);
        assert_done(file_read(f->fd, "key", 10, &b, &err), err);
        assert_string_equal(b.data, "first");
        assert_int_equal(fstatat(f->fd, "key", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(st.st_nlink, 1);
        assert_int_equal(symlinkat("elsewhere", f->fd, "link"), 0);
        assert_int_equal(file_create(f->fd, "link", 0600, "x", 1, &err), -EEXIST);
        assert_int_equal(faccessat(f->fd, "elsewhere", F_OK, 0), -1);
        assert_int_equal(count(f), 2);
}

static void test_memfd(void **state) {
        cleanup_buf struct buf b = {};
        struct err err = {};
        cleanup_fd int fd = memfd_sealed("x", "content", 7, &err);

        assert_true(fd >= 0);
        assert_done(memfd_check_sealed(fd, &err), err);
        assert_done(fd_read_all(fd, 100, &b, &err), err); /* stands at its beginning */
        assert_string_equal(b.data, "content");
        assert_int_equal(pwrite(fd, "X", 1, 0), -1);
        assert_int_equal(ftruncate(fd, 0), -1);
        assert_int_equal(ftruncate(fd, 100), -1);
        assert_ptr_equal(mmap(NULL, 7, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

/* What is not sealed can change after it was verified. */
static void test_memfd_refused(void **state) {
        struct folder *f = *state;
        struct err err = {};
        static const int seals[] = {0,
                                    F_SEAL_WRITE,
                                    F_SEAL_WRITE | F_SEAL_GROW,
                                    F_SEAL_GROW | F_SEAL_SHRINK,
                                    F_SEAL_FUTURE_WRITE | F_SEAL_GROW | F_SEAL_SHRINK,
                                    F_SEAL_WRITE | F_SEAL_SHRINK};
        int fd, fds[2];

        for (size_t i = 0; i < ARRAY_SIZE(seals); i++) {
                fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
                assert_true(fd >= 0);
                assert_int_equal(fcntl(fd, F_ADD_SEALS, seals[i]), 0);
                assert_refused(memfd_check_sealed(fd, &err), err, REASON_MALFORMED);
                close(fd);
        }
        assert_done(file_replace(f->fd, "x", 0600, "x", 1, &err), err);
        fd = openat(f->fd, "x", O_RDONLY | O_CLOEXEC);
        assert_refused(memfd_check_sealed(fd, &err), err, REASON_MALFORMED);
        close(fd);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_refused(memfd_check_sealed(fds[0], &err), err, REASON_MALFORMED);
        close(fds[0]);
        close(fds[1]);
        assert_int_equal(memfd_check_sealed(-1, &err), -EBADF);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_read_cap, setup, teardown),
                cmocka_unit_test(test_read_pipe),
                cmocka_unit_test_setup_teardown(test_replace, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replace_by_path, setup, teardown),
                cmocka_unit_test_setup_teardown(test_replace_fails_clean, setup, teardown),
                cmocka_unit_test_setup_teardown(test_create_is_exclusive, setup, teardown),
                cmocka_unit_test(test_memfd),
                cmocka_unit_test_setup_teardown(test_memfd_refused, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
