/* SPDX-License-Identifier: Apache-2.0 */
/* The store: a node boots from it without a network. What the disk returns is a release that was accepted here, or nothing. */
#include "store_fixture.h"

static void round_trip(void **state) {
        static const char *const files[] = {"signed", "signatures", "receipt.json", "member/0000", "member/0004"};
        size_t before = open_fds();
        int fd = state_fd(state);
        char hex[SHA256_HEX], other[SHA256_HEX], path[128];
        struct stat st;

        put(fd, &made.bundle, hex);
        put(fd, &made.other, other);
        get_equal(fd, hex, &made.bundle);
        get_equal(fd, other, &made.other);
        assert_int_equal(entries(fd, "store"), 2);
        assert_int_equal(entries(fd, PATH(hex, "")), 4);
        assert_int_equal(entries(fd, PATH(hex, "member")), MEMBERS);
        assert_int_equal(fstatat(fd, "store", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        assert_int_equal(fstatat(fd, PATH(hex, "member"), &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                assert_int_equal(fstatat(fd, PATH(hex, files[i]), &st, 0), 0);
                assert_int_equal(st.st_mode & 07777, 0600);
        }
        assert_int_equal(open_fds(), before);
}

static void nothing_there(void **state) {
        static const char *const names[] = {"",
                                            ".",
                                            "..",
                                            "../store",
                                            "abc",
                                            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeF",
                                            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"};
        struct release rel = RELEASE_INIT;
        char hex[SHA256_HEX], absent[SHA256_HEX];
        int fd = state_fd(state);
        struct err err;

        memset(absent, 'a', sizeof(absent) - 1);
        absent[sizeof(absent) - 1] = 0;
        assert_int_equal(store_get(fd, absent, &rel, NULL, &err), -ENOENT);
        assert_int_equal(store_remove(fd, absent, &err), 0);
        put(fd, &made.bundle, hex);
        assert_int_equal(store_get(fd, absent, &rel, NULL, &err), -ENOENT);
        assert_int_equal(store_remove(fd, absent, &err), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                assert_int_equal(store_get(fd, names[i], &rel, NULL, &err), -EINVAL);
                assert_int_equal(store_remove(fd, names[i], &err), -EINVAL);
        }
        get_equal(fd, hex, &made.bundle);
}

/* More keys than had to sign, and a source that somebody wrote odd things into. */
static void receipts(void **state) {
        cleanup_release struct release rel = RELEASE_INIT, got = RELEASE_INIT;
        cleanup_receipt struct receipt r = {}, back = {};
        int fd = state_fd(state);

        release_make(&rel, &made.bundle, 0, 2);
        receipt_make(&r, 0, 3, 2);
        free(r.source);
        r.source = strdup("/tmp/a\nb\x1b[0m");
        assert_int_equal(store_put(fd, &rel, &r, NULL), 0);
        assert_int_equal(store_get(fd, rel.manifest->content_hex, &got, &back, NULL), 0);
        assert_int_equal(back.ring.n, 3);
        assert_int_equal(back.threshold, 2);
        assert_string_equal(back.source, "/tmp/a b [0m");
        for (size_t i = 0; i < 3; i++)
                assert_string_equal(back.ring.keys[i].id_hex, r.ring.keys[i].id_hex);
        assert_int_equal(got.report.n_valid, 2);
        assert_false(got.report.valid[2]);
}

static void receipts_refused(void **state) {
        cleanup_release struct release rel = RELEASE_INIT;
        int fd = state_fd(state);
        static const struct { size_t n, threshold; } cases[] = {{0, 0}, {0, 1}, {2, 0}, {2, 3}};

        release_make(&rel, &made.bundle, 0, 2);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_receipt struct receipt r = {};
                struct err err = {};

                receipt_make(&r, 0, cases[i].n, cases[i].threshold);
                assert_true(store_put(fd, &rel, &r, &err) < 0);
                assert_int_equal(err.reason, REASON_MALFORMED);
        }
        assert_int_equal(entries(fd, "."), 0);
}

/* ---- writing again, removing ---------------------------------------------------------------------------------------- */

static void kept_when_good_replaced_when_bad(void **state) {
        cleanup_release struct release rel = RELEASE_INIT;
        cleanup_receipt struct receipt r = {};
        int fd = state_fd(state);
        char hex[SHA256_HEX], path[128];
        struct stat before, after;

        put(fd, &made.bundle, hex);
        assert_int_equal(fstatat(fd, PATH(hex, "signed"), &before, 0), 0);
        put(fd, &made.bundle, hex);
        assert_int_equal(fstatat(fd, path, &after, 0), 0);
        assert_int_equal(before.st_ino, after.st_ino);

        file_put(fd, PATH(hex, "member/0001"), "damaged", 7);
        file_put(fd, PATH(hex, "extra"), "", 0);
        put(fd, &made.bundle, hex);
        get_equal(fd, hex, &made.bundle);
        assert_int_equal(entries(fd, "store"), 1);
        assert_int_equal(entries(fd, "."), 1);

        assert_int_equal(unlinkat(fd, PATH(hex, "receipt.json"), 0), 0); /* an empty shell of it, as another program may leave */
        put(fd, &made.bundle, hex);
        get_equal(fd, hex, &made.bundle);
}

static void removing(void **state) {
        int fd = state_fd(state);
        char hex[SHA256_HEX], other[SHA256_HEX], path[128];

        put(fd, &made.bundle, hex);
        put(fd, &made.other, other);
        assert_int_equal(mkdirat(fd, "outside", 0700), 0);
        file_put(fd, "outside/precious", "p", 1);
        assert_int_equal(symlinkat("../../outside", fd, PATH(hex, "link")), 0);
        assert_int_equal(symlinkat("../../../outside/precious", fd, PATH(hex, "member/link")), 0);
        assert_int_equal(store_remove(fd, hex, NULL), 0);
        assert_int_equal(entries(fd, "store"), 1);
        assert_true(exists(fd, "outside/precious"));
        get_equal(fd, other, &made.other);
        assert_int_equal(store_remove(fd, hex, NULL), 0);
}

static void collecting(void **state) {
        int fd = state_fd(state);
        char hex[SHA256_HEX], other[SHA256_HEX], path[128];
        const char *keep[] = {other};

        assert_int_equal(store_collect(fd, NULL, 0, NULL), 0); /* nothing there at all */
        put(fd, &made.bundle, hex);
        put(fd, &made.other, other);
        assert_int_equal(mkdirat(fd, "store/.new-0123456789abcdef", 0700), 0);
        assert_int_equal(mkdirat(fd, "store/.new-0123456789abcdef/member", 0700), 0);
        file_put(fd, "store/.new-0123456789abcdef/member/0000", "half", 4);
        assert_int_equal(mkdirat(fd, "store/.old-0123456789abcdef", 0700), 0);
        assert_int_equal(mkdirat(fd, "outside", 0700), 0);
        file_put(fd, "outside/precious", "p", 1);
        assert_int_equal(symlinkat("../outside", fd, "store/.old-fedcba9876543210"), 0);
        assert_int_equal(mkdirat(fd, "store/lost+found", 0700), 0);
        file_put(fd, "store/README", "", 0);
        assert_int_equal(mkdirat(fd, "journal", 0700), 0);
        file_put(fd, "journal/.baseline.json.0123456789abcdef", "half", 4);
        file_put(fd, "journal/baseline.json", "whole", 5);
        file_put(fd, ".quarantine.json.0123456789abcdef", "half", 4);
        file_put(fd, ".quarantine.json.0123456789ABCDEF", "not ours", 8);
        file_put(fd, ".0123456789abcdef", "not ours", 8);
        file_put(fd, "quarantine.json", "whole", 5);

        assert_int_equal(store_collect(fd, keep, 1, NULL), 0);
        assert_int_equal(entries(fd, "store"), 3);
        assert_true(exists(fd, PATH(other, "signed")));
        assert_true(exists(fd, "store/lost+found"));
        assert_true(exists(fd, "store/README"));
        assert_true(exists(fd, "outside/precious"));
        assert_int_equal(entries(fd, "journal"), 1);
        assert_true(exists(fd, "quarantine.json"));
        assert_true(exists(fd, ".quarantine.json.0123456789ABCDEF"));
        assert_true(exists(fd, ".0123456789abcdef"));
        assert_false(exists(fd, ".quarantine.json.0123456789abcdef"));
        get_equal(fd, other, &made.other);
        assert_int_equal(store_collect(fd, NULL, 0, NULL), 0);
        assert_int_equal(entries(fd, "store"), 2);
}

/* One that cannot be removed does not keep the others from going. */
static void collecting_goes_on(void **state) {
        const char *path = ((struct place *)*state)->path;
        pid_t pid = fork();

        if (pid == 0) {
                int fd = own_tmpfs(path, 1 << 20, 64);
                struct err err = {};
                char mount_at[128];

                CHILD_ASSERT(mkdirat(fd, "store", 0700) == 0 && mkdirat(fd, "store/.new-0", 0700) == 0 &&
                             mkdirat(fd, "store/.new-0/other", 0700) == 0 && mkdirat(fd, "store/.old-1", 0700) == 0);
                file_put(fd, ".x.0123456789abcdef", "", 0);
                snprintf(mount_at, sizeof(mount_at), "%s/store/.new-0/other", path);
                CHILD_ASSERT(mount("other", mount_at, "tmpfs", 0, NULL) == 0);
                file_put(fd, "store/.new-0/other/precious", "", 0);
                CHILD_ASSERT(store_collect(fd, NULL, 0, &err) == -EXDEV);
                CHILD_ASSERT(strstr(err.msg, ".new-0"));
                CHILD_ASSERT(exists(fd, "store/.new-0/other/precious")); /* another file system's */
                CHILD_ASSERT(!exists(fd, "store/.old-1"));
                CHILD_ASSERT(!exists(fd, ".x.0123456789abcdef"));
                _exit(0);
        }
        child_verdict(pid);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(round_trip),
                TEST(nothing_there),
                TEST(receipts),
                TEST(receipts_refused),
                TEST(kept_when_good_replaced_when_bad),
                TEST(removing),
                TEST(collecting),
                TEST(collecting_goes_on),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
