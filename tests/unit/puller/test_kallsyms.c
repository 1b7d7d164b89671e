/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that a program in the kernel will read from: a wrong one is worse than none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fileio.h"
#include "folder.h"
#include "kallsyms.h"

#include <fcntl.h>
#include <sys/stat.h>

static struct kernel_symbol found[] = {{"rename_lock"}, {"mount_lock"}};

static int find_in(const char *text, size_t n) {
        cleanup_fd int fd = memfd_sealed("kallsyms", text, n, NULL);
        int r;

        assert_true(fd >= 0);
        r = kallsyms_find(fd, found, ARRAY_SIZE(found));
        return r;
}

static void assert_found(const char *text, uint64_t renames, uint64_t mounts) {
        assert_int_equal(find_in(text, strlen(text)), 0);
        assert_int_equal(found[0].address, renames);
        assert_int_equal(found[1].address, mounts);
}

static void as_kernels_have_it(void **state) {
        assert_found("0000000000000000 A fixed_percpu_data\n"
                     "ffffffff81000000 T _text\n"
                     "ffffffff82a06a40 D mount_lock\n"
                     "ffffffff82a07a80 D rename_lock\n"
                     "ffffffffc0000000 t helper\t[ext4]\n",
                     0xffffffff82a07a80, 0xffffffff82a06a40);
        assert_found("ffffffff82a06a40 B mount_lock\nffffffff82a07a80 R rename_lock\n", 0xffffffff82a07a80, 0xffffffff82a06a40);
        assert_found("ffffffffb8609800 T rename_lock\nffffffffb8609880 T mount_lock\n", 0xffffffffb8609800, 0xffffffffb8609880);
}

static void what_is_not_meant(void **state) {
        assert_found("ffffffffc0001000 D rename_lock\t[module]\nffffffffc0002000 D mount_lock [module]\n", 0, 0);
        assert_found("ffffffff81000000 d rename_lock\nffffffff81000001 t mount_lock\n", 0, 0);
        assert_found("ffffffff81000000 D rename_lock_key\nffffffff81000001 D my_mount_lock\n", 0, 0);
        assert_found("ffffffff81000000 D rename_lock", 0, 0); /* cut off: it may go on */
        assert_found("ffffffff81000000 D rename_lock\nffffffff81000008 D rename_lock\n", 0xffffffff81000000, 0);
        assert_found("rename_lock\n\n D rename_lock\nxyz D mount_lock\n", 0, 0);
        assert_found("", 0, 0);
}

static void not_shown(void **state) {
        assert_found("0000000000000000 T _text\n0000000000000000 D mount_lock\n0000000000000000 D rename_lock\n", 0, 0);
}

/* Symbols on both sides of every place where a read may end. */
static void across_reads(void **state) {
        static const char last[] = "ffffffff82a07a80 D rename_lock\nffffffff82a06a40 D mount_lock\n";

        for (size_t pad = 65536 - 80; pad < 65536 + 20; pad++) {
                cleanup_buf struct buf text = {0};

                while (text.len + 60 < pad)
                        assert_int_equal(buf_printf(&text, "ffffffff81000000 t something\n"), 0);
                assert_int_equal(buf_printf(&text, "ffffffff81000000 t %0*d\n", (int)(pad - text.len - 20), 0), 0);
                assert_int_equal(text.len, pad);
                assert_int_equal(buf_append(&text, last, sizeof(last) - 1), 0);
                assert_found(text.data, 0xffffffff82a07a80, 0xffffffff82a06a40);
        }
}

static void no_end_of_a_line(void **state) {
        cleanup_buf struct buf text = {0};

        while (text.len < 200000)
                assert_int_equal(buf_printf(&text, "ffffffff81000000 D rename_lock "), 0);
        assert_int_equal(find_in(text.data, text.len), -EBADMSG);
}

static void both_or_none(void **state) {
        char root[] = "/tmp/test_kallsyms.XXXXXX", path[128];
        cleanup_fd int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct lsm_rules_kernel locks;
        FILE *f;

        assert_non_null(mkdtemp(root));
        kallsyms_rules_locks(root, &locks);
        assert_int_equal(locks.rename_lock | locks.mount_lock, 0);
        snprintf(path, sizeof(path), "%s/proc", root);
        assert_int_equal(mkdir(path, 0755), 0);
        snprintf(path, sizeof(path), "%s/proc/kallsyms", root);
        f = fopen(path, "w");
        assert_non_null(f);
        fputs("ffffffff82a07a80 D rename_lock\n", f);
        fflush(f);
        kallsyms_rules_locks(root, &locks);
        assert_int_equal(locks.rename_lock | locks.mount_lock, 0);
        fputs("ffffffff82a06a40 D mount_lock\n", f);
        fclose(f);
        kallsyms_rules_locks(root, &locks);
        assert_int_equal(locks.rename_lock, 0xffffffff82a07a80);
        assert_int_equal(locks.mount_lock, 0xffffffff82a06a40);
        assert_int_equal(folder_remove(tmp, root + strlen("/tmp/"), NULL), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(as_kernels_have_it), cmocka_unit_test(what_is_not_meant), cmocka_unit_test(not_shown),
                cmocka_unit_test(across_reads),       cmocka_unit_test(no_end_of_a_line),  cmocka_unit_test(both_or_none),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
