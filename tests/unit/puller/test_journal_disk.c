/* SPDX-License-Identifier: Apache-2.0 */
/* The journal on a disk that fails, and in a crash: at any moment it says what was true before or what is true now, never a third
 * thing. */
#include "journal_fixture.h"

#include <signal.h>
#include <sys/resource.h>

/* ---- disks that fail ------------------------------------------------------------------------------------------------ */

/* On a disk with `files` files and some free bytes: saved, or not saved and all as it was. Returns whether it was saved. */
static bool save_or_keep(int fd, const struct journal *old, const struct journal *new) {
        struct journal got;
        struct err err = {};
        int r = journal_save(fd, new, &err);

        CHILD_ASSERT(r == 0 || err.msg[0]);
        CHILD_ASSERT(journal_load(fd, "baseline", &got, NULL) == 0);
        CHILD_ASSERT(got.attempts == (r == 0 ? new->attempts : old->attempts));
        CHILD_ASSERT(entries(fd, "journal") == 1);
        return r == 0;
}

/* What a child does in a state directory at `path`, where it may mount and limit what it likes, with a journal and the one after. */
typedef void (*child_fn)(const char *path, const struct journal *old, const struct journal *new);

static void in_child(void **state, child_fn fn) {
        struct journal old = full(STEP_STAGING), new = full(STEP_FLIPPING);
        pid_t pid = fork();

        new.attempts = 3;
        if (pid == 0) {
                fn(((struct place *)*state)->path, &old, &new);
                _exit(0);
        }
        child_verdict(pid);
}

static void full_child(const char *path, const struct journal *old, const struct journal *new) {
        int fd = own_tmpfs(path, 1 << 20, 64);
        char page[4096] = {0};
        int fill;

        CHILD_ASSERT(journal_save(fd, old, NULL) == 0);
        own_tmpfs_resize(path, 64 * 1024, 64);
        fill = openat(fd, "fill", O_WRONLY | O_CREAT, 0600);
        while (write(fill, page, sizeof(page)) > 0) {
        }
        CHILD_ASSERT(errno == ENOSPC);
        CHILD_ASSERT(!save_or_keep(fd, old, new));
        CHILD_ASSERT(ftruncate(fill, 0) == 0);
        CHILD_ASSERT(save_or_keep(fd, old, new)); /* space again: it goes on */
}

static void disk_full(void **state) {
        in_child(state, full_child);
}

static void no_inodes_child(const char *path, const struct journal *old, const struct journal *new) {
        int fd = own_tmpfs(path, 0, 16);

        CHILD_ASSERT(journal_save(fd, old, NULL) == 0);
        for (char name[] = "a"; mkdirat(fd, name, 0700) == 0; name[0]++) {
        }
        CHILD_ASSERT(errno == ENOSPC);
        CHILD_ASSERT(!save_or_keep(fd, old, new));
}

static void no_inodes(void **state) {
        in_child(state, no_inodes_child);
}

static void read_only_child(const char *path, const struct journal *old, const struct journal *new) {
        struct rollback_page *page;
        int fd = own_tmpfs(path, 0, 0);

        CHILD_ASSERT(journal_save(fd, old, NULL) == 0);
        CHILD_ASSERT(mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
        CHILD_ASSERT(!save_or_keep(fd, old, new));
        CHILD_ASSERT(journal_delete(fd, "baseline", NULL) == -EROFS);
        CHILD_ASSERT(rollback_page_map(fd, &page, NULL) == -EROFS);
}

static void read_only(void **state) {
        in_child(state, read_only_child);
}

/* Writes that stop in the middle of the file. */
static void short_writes_child(const char *path, const struct journal *old, const struct journal *new) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        rlim_t at = 0;

        CHILD_ASSERT(journal_save(fd, old, NULL) == 0);
        signal(SIGXFSZ, SIG_IGN);
        for (;; at += 50) {
                CHILD_ASSERT(setrlimit(RLIMIT_FSIZE, &(struct rlimit){at, RLIM_INFINITY}) == 0);
                if (save_or_keep(fd, old, new))
                        break;
        }
        CHILD_ASSERT(at > 500); /* it did fail, and often */
}

static void short_writes(void **state) {
        in_child(state, short_writes_child);
}

/* ---- crashes -------------------------------------------------------------------------------------------------------- */

/* The role of this program under strace: one save over an older journal. */
static int role_save(const char *path) {
        struct journal j = full(STEP_FLIPPING);
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        j.attempts = 3;
        return fd >= 0 && journal_save(fd, &j, NULL) == 0 ? 0 : 1;
}

/* System calls of a save, each in turn failing or being the last. These are calls that a program's start does not make.
 * Returns how many were hit. */
static unsigned each_call(void **state, const char *what, bool killed) {
        static const char *const calls[] = {"write", "fchmod", "fsync", "renameat"};
        const char *path = ((struct place *)*state)->path;
        struct journal old = full(STEP_STAGING), got;
        unsigned hits = 0;

        for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
                for (unsigned when = 1;; when++) {
                        int status;
                        bool hit;

                        assert_int_equal(journal_save(state_fd(state), &old, NULL), 0);
                        status = run_injected(calls[i], what, when, "@save", path);
                        if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
                                skip();
                        assert_int_equal(journal_load(state_fd(state), "baseline", &got, NULL), 0);
                        assert_true(got.attempts == 2 || got.attempts == 3);
                        hit = killed ? WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) != 0;
                        if (!killed && hit &&
                            !streq(calls[i], "fsync")) /* before it had its name; the last fsync() comes after */
                                assert_int_equal(got.attempts, 2);
                        if (!hit) {
                                assert_int_equal(status, 0);
                                break;
                        }
                        hits++;
                }
        return hits;
}

static void killed_at_each_call(void **state) {
        if (!strace_works())
                skip();
        assert_int_equal(each_call(state, "signal=KILL", true), 5); /* two fsync(): the file, the folder */
}

static void each_call_fails(void **state) {
        if (!strace_works())
                skip();
        assert_int_equal(each_call(state, "error=EIO", false), 5);
        assert_int_equal(entries(state_fd(state), "journal"), 1); /* nothing was left behind */
}

#ifdef LSM_FAULTS
static int save_with(void **state, const char *variable, const char *point, enum journal_step step, unsigned saves, pid_t *ret) {
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                struct journal j = full(step);

                setenv(variable, point, 1);
                for (j.attempts = 3; saves > 0; saves--, j.attempts++)
                        CHILD_ASSERT(journal_save(state_fd(state), &j, NULL) == 0);
                _exit(0);
        }
        assert_true(pid > 0);
        assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        *ret = pid;
        return status;
}
#endif

static void fault_points(void **state) {
#ifdef LSM_FAULTS
        static const char *const when[] = {"before", "after"};
        struct journal old = full(STEP_NONE), got;
        char point[64];
        int status;
        pid_t pid;

        for (enum journal_step step = STEP_NONE; step <= STEP_CONFIRMING; step++)
                for (unsigned after = 0; after < 2; after++) {
                        assert_int_equal(journal_save(state_fd(state), &old, NULL), 0);
                        snprintf(point, sizeof(point), "journal:%s:%s", journal_step_word(step), when[after]);
                        status = save_with(state, "LSM_FAULT", point, step, 1, &pid);
                        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
                        assert_int_equal(journal_load(state_fd(state), "baseline", &got, NULL), 0);
                        assert_int_equal(got.attempts, after ? 3 : 2);
                }
        /* The third time, and not the first two. */
        assert_int_equal(journal_save(state_fd(state), &old, NULL), 0);
        status = save_with(state, "LSM_FAULT", "journal:pending:before:3", STEP_PENDING, 5, &pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(journal_load(state_fd(state), "baseline", &got, NULL), 0);
        assert_int_equal(got.attempts, 4);
        /* Another point's name is not ours. */
        status = save_with(state, "LSM_FAULT", "journal:pending", STEP_PENDING, 1, &pid);
        assert_int_equal(status, 0);
        status = save_with(state, "LSM_FAULT", "journal:pending:before:2x", STEP_PENDING, 3, &pid);
        assert_int_equal(status, 0);
        /* Stopped, and going on. */
        status = save_with(state, "LSM_FAULT_STOP", "journal:flipping:before", STEP_FLIPPING, 1, &pid);
        assert_true(WIFSTOPPED(status));
        kill(pid, SIGCONT);
        child_verdict(pid);
#else
        skip(); /* make VARIANT=faults check-unit */
#endif
}

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                TEST(disk_full),           TEST(no_inodes),       TEST(read_only),    TEST(short_writes),
                TEST(killed_at_each_call), TEST(each_call_fails), TEST(fault_points),
        };

        if (argc == 3 && streq(argv[1], "@save"))
                return role_save(argv[2]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
