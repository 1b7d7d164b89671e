/* SPDX-License-Identifier: Apache-2.0 */
/* The rollback page: what may have to be written when a policy denies everything is found again, and nothing else is taken for it. */
#include "journal_fixture.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static void round_trip(void **state) {
        struct rollback_page *page, *again, got;
        struct stat st;

        assert_int_equal(rollback_page_map(state_fd(state), &page, NULL), 0);
        assert_false(rollback_page_read(page, &got));
        rollback_page_write(page, "baseline", HEX_A, 43, "health-failed", "12 denials\nmore \xff");
        assert_true(rollback_page_read(page, &got));
        assert_string_equal(got.bundle, "baseline");
        assert_string_equal(got.content_hex, HEX_A);
        assert_int_equal(got.release, 43);
        assert_string_equal(got.reason, "health-failed");
        assert_string_equal(got.message, "12 denials more ?");

        assert_int_equal(rollback_page_map(state_fd(state), &again, NULL), 0); /* as after a restart */
        assert_true(rollback_page_read(again, &got));
        rollback_page_write(again, "b", HEX_B, 1, "operator", ""); /* nothing of the older one shows through */
        assert_true(rollback_page_read(page, &got));
        assert_string_equal(got.message, "");
        assert_string_equal(got.bundle, "b");
        rollback_page_clear(again);
        assert_false(rollback_page_read(page, &got));

        assert_int_equal(fstatat(state_fd(state), "rollback", &st, 0), 0);
        assert_int_equal(st.st_size, 4096);
        assert_int_equal(st.st_blocks * 512, 4096);
        assert_int_equal(st.st_mode & 07777, 0600);
        munmap(page, 4096);
        munmap(again, 4096);
}

static void too_long_texts(void **state) {
        char text[2000], name[100];
        struct rollback_page *page, got;

        memset(text, 'x', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        memset(name, 'n', sizeof(name) - 1);
        name[sizeof(name) - 1] = 0;
        assert_int_equal(rollback_page_map(state_fd(state), &page, NULL), 0);
        rollback_page_write(page, "baseline", HEX_A, 43, "operator", text);
        assert_true(rollback_page_read(page, &got));
        assert_int_equal(strlen(got.message), sizeof(got.message) - 1);
        rollback_page_write(page, name, HEX_A, 43, "operator", NULL);
        assert_true(rollback_page_read(page, &got));
        assert_int_equal(strlen(got.bundle), 63);
        munmap(page, 4096);
}

static void damaged(void **state) {
        struct rollback_page *page, good, got = {.release = 99};

        assert_int_equal(rollback_page_map(state_fd(state), &page, NULL), 0);
        rollback_page_write(page, "baseline", HEX_A, 43, "operator", "m");
        good = *page;
#define DAMAGED(change)                                       \
        do {                                                  \
                *page = good;                                 \
                change;                                       \
                assert_false(rollback_page_read(page, &got)); \
                assert_int_equal(got.release, 99);            \
        } while (0)
        DAMAGED(page->magic[5] = '2');
        DAMAGED(page->magic[7] = 1);
        DAMAGED(memset(page->bundle, 'a', sizeof(page->bundle)));
        DAMAGED(memset(page->content_hex, 'a', sizeof(page->content_hex)));
        DAMAGED(memset(page->reason, 'a', sizeof(page->reason)));
        DAMAGED(memset(page->message, 'a', sizeof(page->message)));
        DAMAGED(strcpy(page->bundle, "../x"));
        DAMAGED(page->content_hex[3] = 'G');
        DAMAGED(page->content_hex[3] = 0);
        DAMAGED(strcpy(page->reason, "because"));
        DAMAGED(page->reason[0] = 0);
        DAMAGED(page->release = UINT64_MAX);
        DAMAGED(memset(page, 0xff, sizeof(*page)));
        *page = good;
        assert_true(rollback_page_read(page, &got));
        munmap(page, 4096);
}

/* What a policy that denies everything leaves to a process: no allocation, no file, nothing but memory and msync. */
static void written_under_full_denial(void **state) {
        struct rollback_page *page, got;
        pid_t pid;

        assert_int_equal(rollback_page_map(state_fd(state), &page, NULL), 0);
        pid = fork();
        if (pid == 0) {
                scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

                CHILD_ASSERT(filter && seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(msync), 0) == 0 &&
                             seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(exit_group), 0) == 0);
                CHILD_ASSERT(seccomp_load(filter) == 0);
                rollback_page_write(page, "baseline", HEX_C, 44, "health-failed", "everything was denied");
                syscall(SYS_exit_group, 0); /* not _exit(): a sanitizer would put calls of its own before it */
        }
        child_verdict(pid);
        assert_true(rollback_page_read(page, &got));
        assert_string_equal(got.message, "everything was denied");
        munmap(page, 4096);
}

static void files(void **state) {
        struct rollback_page *page, got;
        int fd = state_fd(state);
        char big[9000] = {0};
        struct stat st;
        struct err err;

        file_put(fd, "rollback", "short", 5);
        assert_int_equal(rollback_page_map(fd, &page, &err), 0);
        assert_false(rollback_page_read(page, &got));
        munmap(page, 4096);
        file_put(fd, "rollback", big, sizeof(big));
        assert_int_equal(rollback_page_map(fd, &page, &err), 0);
        assert_int_equal(fstatat(fd, "rollback", &st, 0), 0);
        assert_int_equal(st.st_size, 4096);
        munmap(page, 4096);

        assert_int_equal(unlinkat(fd, "rollback", 0), 0);
        file_put(fd, "victim", "v", 1);
        assert_int_equal(symlinkat("victim", fd, "rollback"), 0);
        assert_int_equal(rollback_page_map(fd, &page, &err), -EBADMSG);
        assert_int_equal(err.reason, REASON_NOT_A_FILE);
        assert_int_equal(fstatat(fd, "victim", &st, 0), 0);
        assert_int_equal(st.st_size, 1);
        assert_int_equal(unlinkat(fd, "rollback", 0), 0);
        assert_int_equal(mkfifoat(fd, "rollback", 0600), 0);
        assert_true(rollback_page_map(fd, &page, &err) < 0);
}

/* A full disk is found out when the page is made, not by a SIGBUS when it is needed. */
static void on_full_disk(void **state) {
        const char *path = ((struct place *)*state)->path;
        pid_t pid = fork();

        if (pid == 0) {
                int fd = own_tmpfs(path, 4096, 0), fill = openat(fd, "fill", O_WRONLY | O_CREAT, 0600);
                struct rollback_page *page, got;
                char byte = 0;

                CHILD_ASSERT(write(fill, &byte, 1) == 1);
                CHILD_ASSERT(rollback_page_map(fd, &page, NULL) == -ENOSPC);
                CHILD_ASSERT(ftruncate(fill, 0) == 0);
                CHILD_ASSERT(rollback_page_map(fd, &page, NULL) == 0);
                CHILD_ASSERT(write(fill, &byte, 1) == -1 && errno == ENOSPC);
                rollback_page_write(page, "baseline", HEX_A, 1, "operator", "on a full disk");
                CHILD_ASSERT(rollback_page_read(page, &got));
                _exit(0);
        }
        child_verdict(pid);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(round_trip), TEST(too_long_texts), TEST(damaged), TEST(written_under_full_denial),
                TEST(files),      TEST(on_full_disk),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
