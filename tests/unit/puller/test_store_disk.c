/* SPDX-License-Identifier: Apache-2.0 */
/* The store on a disk that fails: stored whole, or not at all and without a trace. */
#include "store_fixture.h"

/* Stored whole, or not at all and without a trace. Returns whether it was stored. */
static bool put_or_nothing(int fd, const struct release *rel, const struct receipt *receipt) {
        cleanup_release struct release got = RELEASE_INIT;
        size_t before = open_fds();
        struct err err = {};
        int r = store_put(fd, rel, receipt, &err);

        CHILD_ASSERT(open_fds() == before);
        if (r == 0) {
                CHILD_ASSERT(store_get(fd, rel->manifest->content_hex, &got, NULL, NULL) == 0);
                return true;
        }
        CHILD_ASSERT(err.msg[0]);
        CHILD_ASSERT(store_get(fd, rel->manifest->content_hex, &got, NULL, NULL) == -ENOENT);
        CHILD_ASSERT(entries(fd, "store") == 0);
        return false;
}

/* What a child does with a release and its receipt, in a state directory at `path`, where it may mount and limit what it likes. */
typedef void (*child_fn)(const char *path, const struct release *rel, const struct receipt *r);

static void in_child(void **state, child_fn fn) {
        cleanup_release struct release rel = RELEASE_INIT;
        cleanup_receipt struct receipt r = {};
        pid_t pid;

        release_make(&rel, &made.bundle, 0, 2);
        receipt_make(&r, 0, 2, 2);
        pid = fork();
        if (pid == 0) {
                fn(((struct place *)*state)->path, &rel, &r);
                _exit(0);
        }
        child_verdict(pid);
}

static void full_child(const char *path, const struct release *rel, const struct receipt *r) {
        int fd = own_tmpfs(path, 1 << 20, 64);
        unsigned pages, files;

        for (pages = 1;; pages++) {
                own_tmpfs_resize(path, pages * 4096UL, 64);
                if (put_or_nothing(fd, rel, r))
                        break;
        }
        CHILD_ASSERT(pages > 3 * SOURCE_LEN / 4096);
        CHILD_ASSERT(store_remove(fd, rel->manifest->content_hex, NULL) == 0);
        CHILD_ASSERT(unlinkat(fd, "store", AT_REMOVEDIR) == 0);
        for (files = 2;; files++) {
                own_tmpfs_resize(path, 1 << 20, files);
                if (put_or_nothing(fd, rel, r))
                        break;
        }
        CHILD_ASSERT(files > MEMBERS + 4);
}

static void disk_full(void **state) {
        in_child(state, full_child);
}

static void read_only_child(const char *path, const struct release *rel, const struct receipt *r) {
        int fd = own_tmpfs(path, 4 << 20, 64);
        cleanup_release struct release got = RELEASE_INIT;

        CHILD_ASSERT(mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
        CHILD_ASSERT(!put_or_nothing(fd, rel, r));
        CHILD_ASSERT(mount(NULL, path, NULL, MS_REMOUNT, NULL) == 0);
        CHILD_ASSERT(put_or_nothing(fd, rel, r));
        CHILD_ASSERT(mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
        CHILD_ASSERT(store_put(fd, rel, r, NULL) == 0); /* it is there */
        CHILD_ASSERT(store_remove(fd, rel->manifest->content_hex, NULL) == -EROFS);
        CHILD_ASSERT(store_get(fd, rel->manifest->content_hex, &got, NULL, NULL) == 0); /* boots from it all the same */
}

static void read_only(void **state) {
        in_child(state, read_only_child);
}

static void short_writes_child(const char *path, const struct release *rel, const struct receipt *r) {
        static const rlim_t limits[] = {0, 1, 39, 40, 4999, 69999};
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        signal(SIGXFSZ, SIG_IGN);
        for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
                CHILD_ASSERT(setrlimit(RLIMIT_FSIZE, &(struct rlimit){limits[i], RLIM_INFINITY}) == 0);
                CHILD_ASSERT(store_put(fd, rel, r, NULL) < 0);
                CHILD_ASSERT(entries(fd, "store") == 0);
        }
        CHILD_ASSERT(setrlimit(RLIMIT_FSIZE, &(struct rlimit){SOURCE_LEN, RLIM_INFINITY}) == 0);
        CHILD_ASSERT(put_or_nothing(fd, rel, r));
}

static void short_writes(void **state) {
        in_child(state, short_writes_child);
}

/* Under strace, this program stores once more what the parent has put at PATH/from, at PATH/to. */
static int role_copy(const char *path) {
        struct release rel = RELEASE_INIT;
        struct receipt r = {};
        int base = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
            from = openat(base, "from", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
            to = openat(base, "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int fd = openat(from, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fdopendir(fd);

        for (struct dirent *e; (e = readdir(d));)
                if (strlen(e->d_name) == SHA256_HEX - 1 && store_get(from, e->d_name, &rel, &r, NULL) < 0)
                        return 2;
        if (!rel.manifest)
                return 3;
        return store_put(to, &rel, &r, NULL) == 0 ? 0 : 1;
}

static void each_call(void **state, const char *what, bool killed) {
        static const char *const calls[] = {"fsync", "mkdirat", "renameat", "renameat2", "fchmod"};
        const char *path = ((struct place *)*state)->path;
        cleanup_fd int from = -1, to = -1;
        char hex[SHA256_HEX], command[128];
        unsigned hits = 0;

        assert_int_equal(mkdirat(state_fd(state), "from", 0700), 0);
        from = openat(state_fd(state), "from", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        put(from, &made.bundle, hex);
        for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
                for (unsigned when = 1;; when++) {
                        cleanup_release struct release got = RELEASE_INIT;
                        int status, r;

                        snprintf(command, sizeof(command), "rm -rf '%s/to'", path);
                        assert_int_equal(system(command), 0);
                        assert_int_equal(mkdirat(state_fd(state), "to", 0700), 0);
                        close_p(&to);
                        to = openat(state_fd(state), "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                        status = run_injected(calls[i], what, when, "@copy", path);
                        if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
                                skip();
                        r = store_get(to, hex, &got, NULL, NULL);
                        assert_true(r == 0 || r == -ENOENT); /* whole, or not at all */
                        if (killed ? !WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0) {
                                assert_int_equal(status, 0);
                                assert_int_equal(r, 0);
                                assert_true(when > 1); /* store_put() does make this call */
                                break;
                        }
                        hits++;
                        /* What is left is swept away, and the same release can then be stored. */
                        assert_int_equal(store_collect(to, (const char *[]){hex}, r == 0, NULL), 0);
                        assert_int_equal(entries(to, "store"), r == 0);
                        if (!killed)
                                assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
                        put(to, &made.bundle, hex);
                        get_equal(to, hex, &made.bundle);
                }
        assert_true(hits >= 20);
}

static void killed_at_each_call(void **state) {
        if (!strace_works())
                skip();
        each_call(state, "signal=KILL", true);
}

static void each_call_fails(void **state) {
        if (!strace_works())
                skip();
        each_call(state, "error=EIO", false);
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                TEST(disk_full), TEST(read_only), TEST(short_writes), TEST(killed_at_each_call), TEST(each_call_fails),
        };

        if (argc == 3 && streq(argv[1], "@copy"))
                return role_copy(argv[2]);
        return cmocka_run_group_tests(tests, setup, teardown);
}
