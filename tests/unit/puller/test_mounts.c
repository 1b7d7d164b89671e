/* SPDX-License-Identifier: Apache-2.0 */
/* The mount table: names are chosen by whoever may mount, and what is mounted over must not count as being there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "buf.h"
#include "mounts.h"

#define ROOT "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"

static struct mounts parsed(const char *text) {
        struct mounts m = {0};

        assert_int_equal(mounts_parse(text, strlen(text), &m), 0);
        return m;
}

static void assert_mount(const struct mounts *m, size_t i, const char *path, uint32_t dev, bool whole, bool seen) {
        assert_true(i < m->n);
        assert_string_equal(m->list[i].path, path);
        assert_int_equal(m->list[i].dev, dev);
        assert_int_equal(m->list[i].whole, whole);
        if (m->list[i].seen != seen)
                fail_msg("'%s' is %s", path, seen ? "not seen" : "seen");
}

static void as_nodes_have_it(void **state) {
        cleanup_mounts struct mounts m = parsed(ROOT "21 20 0:21 / /proc rw,nosuid shared:5 - proc proc rw\n"
                                                     "22 20 0:33 /@home /home rw - btrfs /dev/sdb rw,subvol=/@home\n"
                                                     "23 22 259:1048575 / /home/disk rw master:1 propagate_from:2 - xfs x rw\n");

        assert_int_equal(m.n, 4);
        assert_int_equal(m.unreadable, 0);
        assert_mount(&m, 0, "", 8u << 20 | 1, true, true);
        assert_mount(&m, 1, "/proc", 21, true, true);
        assert_mount(&m, 2, "/home", 33, false, true);
        assert_mount(&m, 3, "/home/disk", 259u << 20 | 1048575, true, true);
}

static void escapes(void **state) {
        cleanup_mounts struct mounts m = parsed(ROOT "21 20 0:1 / /a\\040b\\011\\012\\134 rw - tmpfs x rw\n"
                                                     "22 20 0:2 /x\\040y /b\\043\\303\\251 rw - tmpfs x rw\n"
                                                     "23 20 0:3 / /21\\04020\\0408:1\\040x rw - tmpfs x rw\n");

        assert_int_equal(m.n, 4);
        assert_mount(&m, 1, "/a b\t\n\\", 1, true, true);
        assert_mount(&m, 2, "/b#\xc3\xa9", 2, false, true);
        assert_mount(&m, 3, "/21 20 8:1 x", 3, true, true);
}

static void left_out(void **state) {
        static const char *const lines[] = {
                "21 20 0:1 / /a\\000 rw - t x rw",
                "21 20 0:1 / /a\\4 rw - t x rw",
                "21 20 0:1 / /a\\777 rw - t x rw",
                "21 20 0:1 / /a\\089 rw - t x rw",
                "21 20 0:1 / /a\\ rw - t x rw",
                "21 20 0:1 / a rw - t x rw",
                "21 20 0:1 / /a//deleted rw - t x rw",
                "21 20 0:1 / // rw - t x rw",
                "21 20 0:1 / /a/ rw - t x rw",
                "21 20 4096:1 / /a rw - t x rw",
                "21 20 0:1048576 / /a rw - t x rw",
                "21 20 0 / /a rw - t x rw",
                "21 20 0:1x / /a rw - t x rw",
                "x 20 0:1 / /a rw - t x rw",
                "21 9999999999 0:1 / /a rw - t x rw",
                "21 20 0:1 / /a",
                "21 20 0:1 /",
                "21",
                "21 20 -1:1 / /a rw - t x rw",
        };

        for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
                cleanup_buf struct buf text = {0};
                cleanup_mounts struct mounts m = {0};

                assert_int_equal(buf_printf(&text, "%s%s\n30 20 0:9 / /after rw - t x rw\n", ROOT, lines[i]), 0);
                assert_int_equal(mounts_parse(text.data, text.len, &m), 0);
                if (m.n != 2 || m.unreadable != 1)
                        fail_msg("%s: %zu mounts, %zu unreadable", lines[i], m.n, m.unreadable);
                assert_mount(&m, 1, "/after", 9, true, true);
        }
}

static void nothing_at_all(void **state) {
        cleanup_mounts struct mounts m = parsed("");

        assert_int_equal(m.n + m.unreadable, 0);
}

static void mounted_over(void **state) {
        cleanup_mounts struct mounts m = parsed(ROOT "21 20 0:1 / /a/b rw - t x rw\n"   /* then /a was mounted over it */
                                                     "22 21 0:2 / /a/b/c rw - t x rw\n" /* and what is on it is gone with it */
                                                     "23 20 0:3 / /a rw - t x rw\n"
                                                     "24 23 0:4 / /a/b rw - t x rw\n"   /* on the new one */
                                                     "25 20 0:5 / /ab rw - t x rw\n"    /* only begins like it */
                                                     "26 20 0:6 / /twice rw - t x rw\n" /* the same place twice */
                                                     "27 26 0:7 / /twice rw - t x rw\n"
                                                     "28 26 0:8 / /twice/x rw - t x rw\n" /* on the lower one */
                                                     "29 27 0:9 / /twice/y rw - t x rw\n");

        assert_mount(&m, 1, "/a/b", 1, true, false);
        assert_mount(&m, 2, "/a/b/c", 2, true, false);
        assert_mount(&m, 3, "/a", 3, true, true);
        assert_mount(&m, 4, "/a/b", 4, true, true);
        assert_mount(&m, 5, "/ab", 5, true, true);
        assert_mount(&m, 6, "/twice", 6, true, false);
        assert_mount(&m, 7, "/twice", 7, true, true);
        assert_mount(&m, 8, "/twice/x", 8, true, false);
        assert_mount(&m, 9, "/twice/y", 9, true, true);
}

/* The kernel's own order: what is above may be listed later. */
static void any_order(void **state) {
        cleanup_mounts struct mounts m = parsed("22 21 0:2 / /a/c rw - t x rw\n"
                                                "21 20 0:1 / /a rw - t x rw\n" ROOT "23 22 0:3 / /a/c/d rw - t x rw\n");

        for (size_t i = 0; i < m.n; i++)
                assert_true(m.list[i].seen);
}

/* A path from the root does not notice what is mounted over the root itself. */
static void over_the_root(void **state) {
        cleanup_mounts struct mounts m = parsed(ROOT "21 20 0:1 / / rw - t x rw\n22 21 0:2 / /a rw - t x rw\n"
                                                     "23 20 0:3 / /b rw - t x rw\n");

        assert_mount(&m, 0, "", 8u << 20 | 1, true, true);
        assert_mount(&m, 1, "", 1, true, false);
        assert_mount(&m, 2, "/a", 2, true, false);
        assert_mount(&m, 3, "/b", 3, true, true);
}

/* Whose root is a folder sees nothing that is mounted where that folder is. */
static void in_a_folder(void **state) {
        cleanup_mounts struct mounts m = parsed("22 21 0:2 / /a rw - t x rw\n23 22 0:3 / /a/b rw - t x rw\n");

        assert_mount(&m, 0, "/a", 2, true, true);
        assert_mount(&m, 1, "/a/b", 3, true, true);
}

static void circles(void **state) {
        cleanup_mounts struct mounts m = parsed("21 22 0:1 / /a rw - t x rw\n22 21 0:2 / /a/b rw - t x rw\n"
                                                "23 23 0:3 / /c rw - t x rw\n21 22 0:4 / /d rw - t x rw\n");

        assert_int_equal(m.n, 4);
        assert_mount(&m, 0, "/a", 1, true, false);
        assert_mount(&m, 2, "/c", 3, true, false);
}

static void very_many(void **state) {
        cleanup_buf struct buf text = {0};
        cleanup_mounts struct mounts m = {0};

        assert_int_equal(buf_printf(&text, "%s", ROOT), 0);
        for (unsigned i = 0; i < 100000; i++) /* each on the one before */
                assert_int_equal(buf_printf(&text, "%u %u 0:%u / /m rw - t x rw\n", 21 + i, 20 + i, i), 0);
        assert_int_equal(mounts_parse(text.data, text.len, &m), 0);
        assert_int_equal(m.n, 100001);
        for (size_t i = 1; i < m.n - 1; i++)
                assert_false(m.list[i].seen);
        assert_true(m.list[m.n - 1].seen);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(as_nodes_have_it), cmocka_unit_test(escapes),      cmocka_unit_test(left_out),
                cmocka_unit_test(nothing_at_all),   cmocka_unit_test(mounted_over), cmocka_unit_test(any_order),
                cmocka_unit_test(over_the_root),    cmocka_unit_test(in_a_folder),  cmocka_unit_test(circles),
                cmocka_unit_test(very_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
