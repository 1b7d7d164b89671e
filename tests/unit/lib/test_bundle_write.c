/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: the same bytes for the same input, readable by lib/ and by others, and a signature added without touching the rest. */
#include <fcntl.h>
#include <locale.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "bundle_fixture.h"
#include "fileio.h"

#define MTIME 1700000000

/* The archive in a memory file, and its bytes. */
static int write_archive(const struct fixture *f, struct buf *ret, struct err *err) {
        cleanup_fd int fd = memfd_create("x", MFD_CLOEXEC);
        int r;

        assert_true(fd >= 0);
        r = bundle_write(fd, &f->env, f->members, MEMBERS, MTIME, err);
        if (r < 0)
                return r;
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        return fd_read_all(fd, 1 << 20, ret, err);
}

static int memory_fd(const struct buf *b) {
        int fd = memfd_create("x", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, b->data, b->len), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        return fd;
}

static int read_signed(const struct fixture *f, const struct buf *archive, size_t threshold, struct err *err) {
        const struct bundle_trust trust = {.ring = &f->ring, .threshold = threshold};
        const struct bundle_sink none = {};
        cleanup_fd int fd = memory_fd(archive);

        return bundle_read_fd(fd, &trust, NULL, &none, NULL, err);
}

static void test_round_trip(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf a = {};
        struct err err = {};

        assert_done(write_archive(f, &a, &err), err);
        assert_done(read_signed(f, &a, 1, &err), err);
        a.data[a.len - 1] ^= 1;
        assert_true(read_signed(f, &a, 1, &err) < 0);
}

/* Nothing of the builder's surroundings may be in the bytes. */
static void test_reproducible(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf a = {}, b = {};
        mode_t mask = umask(0777);
        struct err err = {};

        assert_done(write_archive(f, &a, &err), err);
        umask(mask);
        assert_int_equal(setenv("TZ", "Asia/Kathmandu", 1), 0);
        tzset();
        setlocale(LC_ALL, "C.UTF-8");
        assert_done(write_archive(f, &b, &err), err);
        setlocale(LC_ALL, "C");
        unsetenv("TZ");
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.data, b.data, a.len);
}

/* As others see it: two frames that state their sizes, a tar that ends in two zero blocks and no owner in it. */
static void test_form(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf a = {}, tar = {}, first = {};
        unsigned long long sizes[2];
        struct err err = {};
        size_t n, off = 0;

        assert_done(write_archive(f, &a, &err), err);
        for (int i = 0; i < 2; i++) {
                sizes[i] = ZSTD_getFrameContentSize(a.data + off, a.len - off);
                assert_true(sizes[i] < 1 << 20);
                off += ZSTD_findFrameCompressedSize(a.data + off, a.len - off);
        }
        assert_int_equal(off, a.len);
        assert_int_equal(buf_reserve(&tar, sizes[0] + sizes[1]), 0);
        n = ZSTD_decompress(tar.data, sizes[0] + sizes[1], a.data, a.len);
        assert_int_equal(n, sizes[0] + sizes[1]);
        manifest_tar(&f->env, &first);
        assert_int_equal(sizes[0], first.len);
        assert_string_equal(tar.data, "manifest.json");
        assert_memory_equal(tar.data + 512, first.data + 512, first.len - 512);
        assert_string_equal(tar.data + sizes[0], "selftests.json");
        for (size_t i = 0; i < 1024; i++)
                assert_int_equal(tar.data[n - 1 - i], 0);
        assert_memory_equal(tar.data + 100,
                            "000644 \0"
                            "000000 \0"
                            "000000 \0",
                            24);
        assert_int_equal(strtoul(tar.data + 136, NULL, 8), MTIME);
        assert_int_equal(tar.data[265], 0); /* names of owner and group */
        assert_int_equal(tar.data[297], 0);
}

/* Bit rot is found even in what is not signed. What still passes is a bit that means nothing to zstd: every byte is the same. */
static void test_damage(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf a = {}, good = {}, bad = {};
        struct err err = {};
        size_t n, passed = 0;

        assert_done(write_archive(f, &a, &err), err);
        assert_int_equal(buf_reserve(&good, 1 << 20), 0);
        assert_int_equal(buf_reserve(&bad, 1 << 20), 0);
        n = ZSTD_decompress(good.data, 1 << 20, a.data, a.len);
        assert_false(ZSTD_isError(n));
        for (size_t i = 0; i < a.len; i++) {
                a.data[i] ^= (char)(1 << i % 8);
                if (read_signed(f, &a, 1, &err) >= 0) {
                        passed++;
                        assert_int_equal(ZSTD_decompress(bad.data, 1 << 20, a.data, a.len), n);
                        assert_memory_equal(good.data, bad.data, n);
                }
                a.data[i] ^= (char)(1 << i % 8);
        }
        assert_true(passed < a.len / 100);
}

static void test_not_what_the_manifest_lists(void **state) {
        struct fixture *f = *state;
        const struct bundle_member good[MEMBERS] = {f->members[0], f->members[1], f->members[2], f->members[3], f->members[4]};

        for (int kind = 0; kind < 6; kind++) {
                cleanup_fd int fd = memfd_create("x", MFD_CLOEXEC);
                struct bundle_member m[MEMBERS + 1];
                size_t n = MEMBERS;
                struct err err = {};

                memcpy(m, good, sizeof(good));
                m[MEMBERS] = (struct bundle_member){"sources/z", "", 0};
                switch (kind) {
                case 0:
                        n--;
                        break;
                case 1:
                        n++;
                        break;
                case 2:
                        m[1].len--;
                        break;
                case 3:
                        m[0].data = "[]";
                        break;
                case 4:
                        m[3] = good[4];
                        m[4] = good[3];
                        break;
                case 5:
                        m[0].path = "selftests2.json";
                        break;
                }
                assert_refused(bundle_write(fd, &f->env, m, n, MTIME, &err), err, REASON_MALFORMED);
                assert_int_equal(lseek(fd, 0, SEEK_END), 0); /* nothing was written */
        }
}

static void test_write_errors(void **state) {
        struct fixture *f = *state;
        cleanup_fd int full = open("/dev/full", O_WRONLY | O_CLOEXEC), closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
        struct err err = {};

        assert_true(full >= 0 && closed >= 0);
        assert_int_equal(bundle_write(full, &f->env, f->members, MEMBERS, MTIME, &err), -ENOSPC);
        assert_int_equal(bundle_write(closed, &f->env, f->members, MEMBERS, MTIME, &err), -EBADF);
}

static int replace(const struct buf *in, const struct envelope *env, struct buf *ret, struct err *err) {
        cleanup_fd int in_fd = memory_fd(in), out_fd = memfd_create("out", MFD_CLOEXEC);
        int r;

        r = bundle_replace_manifest(in_fd, out_fd, env, err);
        if (r < 0)
                return r;
        assert_int_equal(lseek(out_fd, 0, SEEK_SET), 0);
        return fd_read_all(out_fd, 1 << 20, ret, err);
}

static void test_second_signature(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf one = {}, two = {}, direct = {}, again = {};
        struct err err = {};
        size_t rest;

        assert_done(write_archive(f, &one, &err), err);
        assert_refused(read_signed(f, &one, 2, &err), err, REASON_THRESHOLD_NOT_MET);
        assert_done(envelope_sign(&f->env, f->keys[1], &err), err);
        assert_done(replace(&one, &f->env, &two, &err), err);
        assert_done(read_signed(f, &two, 2, &err), err);
        /* The rest is byte for byte what it was... */
        rest = one.len - ZSTD_findFrameCompressedSize(one.data, one.len);
        assert_true(rest > 500);
        assert_memory_equal(one.data + one.len - rest, two.data + two.len - rest, rest);
        assert_int_equal(ZSTD_findFrameCompressedSize(two.data, two.len), two.len - rest);
        /* ... and the whole is what one signing with both keys would have made. */
        assert_done(write_archive(f, &direct, &err), err);
        assert_int_equal(direct.len, two.len);
        assert_memory_equal(direct.data, two.data, two.len);
        assert_done(replace(&two, &f->env, &again, &err), err);
        assert_int_equal(again.len, two.len);
        assert_memory_equal(again.data, two.data, two.len);
}

/* The rest is not looked at: whoever wants that reads the archive first. */
static void test_replace_copies_what_is_there(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf a = {}, b = {};
        struct err err = {};

        assert_done(write_archive(f, &a, &err), err);
        a.len = ZSTD_findFrameCompressedSize(a.data, a.len);
        assert_int_equal(buf_printf(&a, "anything"), 0);
        for (int i = 0; i < 20000; i++)
                assert_int_equal(buf_append(&a, "0123456789", 10), 0);
        assert_done(replace(&a, &f->env, &b, &err), err);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.data, b.data, a.len);
}

static void test_replace_refused(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf a = {}, b = {}, text = {};
        struct err err = {};
        size_t whole;

        assert_done(write_archive(f, &a, &err), err);
        whole = a.len;
        f->env.bytes.data[f->env.bytes.len - 3] = '1'; /* another version */
        assert_refused(replace(&a, &f->env, &b, &err), err, REASON_MALFORMED);
        f->env.bytes.data[f->env.bytes.len - 3] = '0';
        for (a.len = 0; a.len < ZSTD_findFrameCompressedSize(a.data, whole); a.len += 7)
                assert_refused(replace(&a, &f->env, &b, &err), err, REASON_TRUNCATED);
        assert_int_equal(buf_printf(&text, "hello, this is no archive"), 0);
        assert_refused(replace(&text, &f->env, &b, &err), err, REASON_MALFORMED);
        assert_int_equal(b.len, 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                with_bundle(test_round_trip),
                with_bundle(test_reproducible),
                with_bundle(test_form),
                with_bundle(test_damage),
                with_bundle(test_not_what_the_manifest_lists),
                with_bundle(test_write_errors),
                with_bundle(test_second_signature),
                with_bundle(test_replace_copies_what_is_there),
                with_bundle(test_replace_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
