/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: after a crash at any moment it says what was true before or what is true now, never a third thing. */
#include "state_fixture.h"

#include <linux/types.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "folder.h"
#include "journal.h"
#include "json.h"
#include "lsm_abi.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define BOOT "01234567-89ab-cdef-0123-456789abcdef"

/* Every field set, and each to another value. */
static struct journal full(enum journal_step step) {
        struct journal j = {
                .bundle = "baseline",
                .boot_id = BOOT,
                .confirmed = {true, HEX_A, "1.4.0", 42, 1, 1700000001},
                .previous = {true, HEX_B, "1.3.0-rc.1+b", 41, 2, 1700000002, true},
                .staged = {true, HEX_C, "2.0.0", 43, 3, 1700000003},
                .step = step,
                .attempts = 2,
                .left_reason = "health-failed",
                .left_message = "12 denials, 10 allowed",
                .left_content = HEX_B,
                .left_release = 40,
                .highest_release = 44,
                .removed = true,
                .seen = {{43, HEX_C}, {41, HEX_B}},
                .n_seen = 2,
        };

        return j;
}

static void assert_gen_equal(const struct journal_gen *a, const struct journal_gen *b) {
        assert_int_equal(a->present, b->present);
        assert_string_equal(a->content_hex, b->content_hex);
        assert_string_equal(a->version, b->version);
        assert_int_equal(a->release, b->release);
        assert_int_equal(a->slot, b->slot);
        assert_int_equal(a->since, b->since);
        assert_int_equal(a->audit, b->audit);
}

static void assert_journal_equal(const struct journal *a, const struct journal *b) {
        assert_string_equal(a->bundle, b->bundle);
        assert_string_equal(a->boot_id, b->boot_id);
        assert_gen_equal(&a->confirmed, &b->confirmed);
        assert_gen_equal(&a->previous, &b->previous);
        assert_gen_equal(&a->staged, &b->staged);
        assert_int_equal(a->step, b->step);
        assert_int_equal(a->attempts, b->attempts);
        assert_string_equal(a->left_reason, b->left_reason);
        assert_string_equal(a->left_message, b->left_message);
        assert_string_equal(a->left_content, b->left_content);
        assert_int_equal(a->left_release, b->left_release);
        assert_int_equal(a->highest_release, b->highest_release);
        assert_int_equal(a->removed, b->removed);
        assert_int_equal(a->n_seen, b->n_seen);
        for (size_t i = 0; i < a->n_seen; i++) {
                assert_int_equal(a->seen[i].release, b->seen[i].release);
                assert_string_equal(a->seen[i].content_hex, b->seen[i].content_hex);
        }
}

static void round_trip(void **state) {
        struct journal none = {.bundle = "b"}, got;
        struct err err;
        struct stat st;

        assert_int_equal(journal_load(state_fd(state), "baseline", &got, &err), -ENOENT);
        for (enum journal_step step = STEP_NONE; step <= STEP_CONFIRMING; step++) {
                struct journal j = full(step);

                assert_int_equal(journal_save(state_fd(state), &j, &err), 0);
                assert_int_equal(journal_load(state_fd(state), "baseline", &got, &err), 0);
                assert_journal_equal(&got, &j);
        }
        assert_int_equal(journal_save(state_fd(state), &none, &err), 0);
        assert_int_equal(journal_load(state_fd(state), "b", &got, &err), 0);
        assert_journal_equal(&got, &none);
        assert_int_equal(journal_load(state_fd(state), "c", &got, &err), -ENOENT);

        assert_int_equal(fstatat(state_fd(state), "journal", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        assert_int_equal(fstatat(state_fd(state), "journal/b.json", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(entries(state_fd(state), "journal"), 2);
}

/* What a release number stood for is what it stands for; when there is no more room, the lowest numbers go. */
static void seen_releases(void **state) {
        struct journal j = {.bundle = "b"}, got;
        struct err err;

        assert_null(journal_seen(&j, 7));
        for (uint64_t i = 1; i <= JOURNAL_SEEN_MAX; i++)
                journal_see(&j, i * 2, HEX_A);
        journal_see(&j, 8, HEX_B);
        assert_string_equal(journal_seen(&j, 8), HEX_A);
        journal_see(&j, 1, HEX_B); /* below all that are kept */
        assert_null(journal_seen(&j, 1));
        assert_string_equal(journal_seen(&j, 2), HEX_A);
        journal_see(&j, 9, HEX_C);
        assert_string_equal(journal_seen(&j, 9), HEX_C);
        assert_null(journal_seen(&j, 2));
        assert_int_equal(j.n_seen, JOURNAL_SEEN_MAX);
        for (size_t i = 1; i < j.n_seen; i++)
                assert_true(j.seen[i - 1].release > j.seen[i].release);
        assert_int_equal(journal_save(state_fd(state), &j, &err), 0);
        assert_int_equal(journal_load(state_fd(state), "b", &got, &err), 0);
        assert_journal_equal(&got, &j);
}

/* The longest that a manifest may hold; the least and the most that a number may be. */
static void limits(void **state) {
        struct journal j = full(STEP_PENDING), got;
        struct err err;

        memset(j.bundle, 'n', 63);
        j.bundle[63] = 0;
        strcpy(j.confirmed.version, "1.0.0-");
        memset(j.confirmed.version + 6, 'a', 121);
        j.confirmed.version[127] = 0;
        memset(j.left_message, 'm', sizeof(j.left_message) - 1);
        memset(j.left_reason, 'r', sizeof(j.left_reason) - 1);
        j.confirmed.release = j.left_release = j.highest_release = JSON_INT_MAX;
        j.attempts = UINT32_MAX;
        j.staged.slot = LSM_SLOTS - 1;
        j.previous.release = 0;
        if (journal_save(state_fd(state), &j, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(journal_load(state_fd(state), j.bundle, &got, &err), 0);
        assert_journal_equal(&got, &j);
}

/* A verifier's log has line breaks; a task can call itself anything. Neither may make the journal unreadable. */
static void texts_are_cleaned(void **state) {
        struct journal j = full(STEP_NONE), got;

        strcpy(j.left_message, "line 1\nline 2\t\x1b[31m \xc2\x85 \xff\xfe \xed\xa0\x80 \xc0\xaf end \xe2\x82\xac \xe2\x82");
        assert_int_equal(journal_save(state_fd(state), &j, NULL), 0);
        assert_int_equal(journal_load(state_fd(state), "baseline", &got, NULL), 0);
        assert_string_equal(got.left_message, "line 1 line 2  [31m   ?? ??? ?? end \xe2\x82\xac ??");
}

static void not_written(void **state) {
        struct journal j, got;
        struct err err;

#define BAD(change)                                                                         \
        do {                                                                                \
                j = full(STEP_PENDING);                                                     \
                change;                                                                     \
                assert_int_equal(journal_save(state_fd(state), &j, &err), -EINVAL);         \
                assert_true(err.msg[0]);                                                    \
                assert_int_equal(journal_load(state_fd(state), "baseline", &got, &err), 0); \
                assert_int_equal(got.highest_release, 7);                                   \
        } while (0)

        j = full(STEP_NONE);
        j.highest_release = 7;
        assert_int_equal(journal_save(state_fd(state), &j, &err), 0);
        BAD(strcpy(j.bundle, "../etc"));
        BAD(strcpy(j.bundle, ""));
        BAD(strcpy(j.bundle, "Baseline"));
        BAD(strcpy(j.boot_id, "0123"));
        BAD(j.confirmed.content_hex[0] = 'A');
        BAD(j.previous.content_hex[63] = 0);
        BAD(strcpy(j.staged.version, "1.0"));
        BAD(j.staged.slot = LSM_SLOTS);
        BAD(j.staged.present = false);
        BAD(j.step = 77);
        BAD(j.highest_release = JSON_INT_MAX + 1);
        BAD(j.confirmed.since = UINT64_MAX);
        BAD(strcpy(j.left_content, "x"));
        assert_int_equal(entries(state_fd(state), "journal"), 1);
        assert_int_equal(entries(state_fd(state), "."), 1);
}

static void hostile_names(void **state) {
        static const char *const names[] = {"", ".", "..", "../x", "a/b", "-a", "A", "a.json"};
        struct journal got;
        struct err err;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                assert_int_equal(journal_load(state_fd(state), names[i], &got, &err), -EINVAL);
                assert_int_equal(journal_delete(state_fd(state), names[i], &err), -EINVAL);
        }
}

/* The text of a good journal with one piece replaced. */
static void damage(int fd, const char *find, const char *with) {
        cleanup_buf struct buf b = {}, out = {};
        struct journal j = full(STEP_PENDING);
        char *at;

        assert_int_equal(journal_save(fd, &j, NULL), 0);
        file_get(fd, "journal/baseline.json", &b);
        at = strstr(b.data, find);
        if (!at)
                fail_msg("no %s in %s", find, b.data);
        *at = 0;
        assert_int_equal(buf_printf(&out, "%s%s%s", b.data, with, at + strlen(find)), 0);
        file_put(fd, "journal/baseline.json", out.data, out.len);
}

static void damaged(void **state) {
        static const struct {
                const char *find, *with;
                enum reason reason;
        } cases[] = {
                {"{", "", REASON_MALFORMED},
                {"}\n", "", REASON_MALFORMED},
                {"}\n", "}x", REASON_MALFORMED},
                {"\"_type\":\"lsm-journal\"", "\"_type\":\"lsm-quarantine\"", REASON_WRONG_TYPE},
                {"\"_type\":\"lsm-journal\",", "", REASON_MALFORMED},
                {"\"format\":1", "\"format\":2", REASON_UNSUPPORTED_FORMAT},
                {"\"format\":1", "\"format\":\"1\"", REASON_MALFORMED},
                {"\"bundle\":\"baseline\"", "\"bundle\":\"other\"", REASON_WRONG_BUNDLE},
                {"\"bundle\":\"baseline\"", "\"bundle\":7", REASON_MALFORMED},
                {"\"boot_id\":\"0123", "\"boot_id\":\"zzzz", REASON_MALFORMED},
                {"\"step\":\"pending\"", "\"step\":\"flying\"", REASON_MALFORMED},
                {"\"step\":\"pending\"", "\"step\":4", REASON_MALFORMED},
                {"\"staged\":", "\"stages\":", REASON_MALFORMED},
                {"\"slot\":1", "\"slot\":4", REASON_MALFORMED},
                {"\"slot\":1", "\"slot\":-1", REASON_MALFORMED},
                {"\"release\":42", "\"release\":9007199254740992", REASON_MALFORMED},
                {"\"release\":42", "\"release\":42.0", REASON_MALFORMED},
                {"\"version\":\"1.4.0\"", "\"version\":\"1.4\"", REASON_MALFORMED},
                {"\"attempts\":2", "\"attempts\":4294967296", REASON_MALFORMED},
                {"\"attempts\":2", "\"attempts\":2,\"attempts\":3", REASON_MALFORMED},
                {"\"removed\":true", "\"removed\":1", REASON_MALFORMED},
                {"\"removed\":true", "\"removed\":null", REASON_MALFORMED},
                {"\"confirmed\":{", "\"confirmed\":[{}],\"x\":{", REASON_MALFORMED},
                {"\"audit\":true", "\"audit\":1", REASON_MALFORMED},
                {"\"left\":{", "\"left\":0,\"x\":{", REASON_MALFORMED},
                {"\"content\":\"aaaa", "\"content\":\"AAAA", REASON_MALFORMED},
                {"\"content\":\"aaaa", "\"content\":\"aaa", REASON_MALFORMED},
                {"\"seen\":[", "\"seen\":{},\"x\":[", REASON_MALFORMED},
                {"\"release\":43}", "\"release\":-1}", REASON_MALFORMED},
                {"\"message\":\"12", "\"message\":\"12\\n", REASON_MALFORMED},
        };
        size_t before = open_fds();

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_buf struct buf was = {}, is = {};
                struct journal got = {.attempts = 99};
                struct err err = {};

                damage(state_fd(state), cases[i].find, cases[i].with);
                file_get(state_fd(state), "journal/baseline.json", &was);
                if (journal_load(state_fd(state), "baseline", &got, &err) >= 0 || err.reason != cases[i].reason)
                        fail_msg("%s -> %s: '%s': %s", cases[i].find, cases[i].with, reason_word(err.reason), err.msg);
                assert_non_null(strstr(err.msg, "journal: baseline.json: "));
                assert_int_equal(got.attempts, 99);
                file_get(state_fd(state), "journal/baseline.json", &is); /* left for somebody to look at */
                assert_string_equal(was.data, is.data);
        }
        assert_int_equal(open_fds(), before);
}

/* An older program's reader must not stumble over what a newer one adds within one format. */
static void unknown_members_are_ignored(void **state) {
        struct journal got;

        damage(state_fd(state), "\"removed\":true", "\"removed\":true,\"ring\":{\"name\":\"canary\"}");
        assert_int_equal(journal_load(state_fd(state), "baseline", &got, NULL), 0);
        assert_true(got.removed);
}

static void not_a_journal_file(void **state) {
        int fd = state_fd(state);
        struct journal j = full(STEP_NONE), got;
        struct err err;

        assert_int_equal(journal_save(fd, &j, NULL), 0);
        assert_int_equal(renameat(fd, "journal/baseline.json", fd, "elsewhere"), 0);
        assert_int_equal(symlinkat("../elsewhere", fd, "journal/baseline.json"), 0);
        assert_int_equal(journal_load(fd, "baseline", &got, &err), -EBADMSG);
        assert_int_equal(err.reason, REASON_NOT_A_FILE);
        /* Saving replaces the link, and not what it points at. */
        j.attempts = 9;
        assert_int_equal(journal_save(fd, &j, NULL), 0);
        assert_int_equal(journal_load(fd, "baseline", &got, &err), 0);
        assert_int_equal(got.attempts, 9);
        assert_int_equal(renameat(fd, "elsewhere", fd, "journal/baseline.json"), 0);
        assert_int_equal(journal_load(fd, "baseline", &got, &err), 0);
        assert_int_equal(got.attempts, 2);

        assert_int_equal(unlinkat(fd, "journal/baseline.json", 0), 0);
        assert_int_equal(mkfifoat(fd, "journal/baseline.json", 0600), 0); /* must not be waited for */
        assert_int_equal(journal_load(fd, "baseline", &got, &err), -EBADMSG);
        assert_int_equal(unlinkat(fd, "journal/baseline.json", 0), 0);
        assert_int_equal(mkdirat(fd, "journal/baseline.json", 0700), 0);
        assert_int_equal(journal_load(fd, "baseline", &got, &err), -EBADMSG);
        assert_true(journal_save(fd, &j, &err) < 0);
        assert_int_equal(entries(fd, "journal"), 1);
        assert_int_equal(unlinkat(fd, "journal/baseline.json", AT_REMOVEDIR), 0);

        assert_int_equal(renameat(fd, "journal", fd, "real"), 0);
        assert_int_equal(symlinkat("real", fd, "journal"), 0);
        assert_int_equal(journal_load(fd, "baseline", &got, &err), -EBADMSG);
        assert_int_equal(journal_save(fd, &j, &err), -EBADMSG);
        assert_int_equal(err.reason, REASON_NOT_A_FILE);
        assert_int_equal(entries(fd, "real"), 0);
}

static void too_long(void **state) {
        cleanup_free char *big = malloc(1 << 20);
        struct journal j = full(STEP_NONE), got;
        struct err err;

        assert_int_equal(journal_save(state_fd(state), &j, NULL), 0);
        memset(big, ' ', 1 << 20);
        file_put(state_fd(state), "journal/baseline.json", big, 1 << 20);
        assert_true(journal_load(state_fd(state), "baseline", &got, &err) < 0);
        assert_int_equal(err.reason, REASON_TOO_LARGE);
}

static void listing_and_deleting(void **state) {
        static const char *const names[] = {"zeta", "alpha", "m-1"};
        int fd = state_fd(state);
        struct journal j = full(STEP_NONE);
        char **list;
        size_t n;

        assert_int_equal(journal_list(fd, &list, &n, NULL), 0);
        assert_int_equal(n, 0);
        free(list);
        assert_int_equal(journal_delete(fd, "alpha", NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                strcpy(j.bundle, names[i]);
                assert_int_equal(journal_save(fd, &j, NULL), 0);
        }
        file_put(fd, "journal/.alpha.json.0123456789abcdef", "cut off", 7);
        file_put(fd, "journal/README", "", 0);
        file_put(fd, "journal/-x.json", "", 0);
        file_put(fd, "journal/.json", "", 0);
        assert_int_equal(journal_list(fd, &list, &n, NULL), 0);
        assert_int_equal(n, 3);
        assert_string_equal(list[0], "alpha");
        assert_string_equal(list[1], "m-1");
        assert_string_equal(list[2], "zeta");
        for (size_t i = 0; i < n; i++)
                free(list[i]);
        free(list);
        assert_int_equal(journal_delete(fd, "m-1", NULL), 0);
        assert_int_equal(journal_delete(fd, "m-1", NULL), 0);
        assert_false(exists(fd, "journal/m-1.json"));
        assert_true(exists(fd, "journal/zeta.json"));
}

static void boot_id(void **state) {
        char a[37], b[37];

        assert_int_equal(boot_id_read(a, NULL), 0);
        assert_int_equal(boot_id_read(b, NULL), 0);
        assert_int_equal(strlen(a), 36);
        assert_string_equal(a, b);
}

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

static void disk_full(void **state) {
        struct journal old = full(STEP_STAGING), new = full(STEP_FLIPPING);
        const char *path = ((struct place *)*state)->path;
        pid_t pid = fork();

        new.attempts = 3;
        if (pid == 0) {
                int fd = own_tmpfs(path, 1 << 20, 64);
                char page[4096] = {0};
                int fill;

                CHILD_ASSERT(journal_save(fd, &old, NULL) == 0);
                own_tmpfs_resize(path, 64 * 1024, 64);
                fill = openat(fd, "fill", O_WRONLY | O_CREAT, 0600);
                while (write(fill, page, sizeof(page)) > 0) {
                }
                CHILD_ASSERT(errno == ENOSPC);
                CHILD_ASSERT(!save_or_keep(fd, &old, &new));
                CHILD_ASSERT(ftruncate(fill, 0) == 0);
                CHILD_ASSERT(save_or_keep(fd, &old, &new)); /* space again: it goes on */
                _exit(0);
        }
        child_verdict(pid);
}

static void no_inodes(void **state) {
        struct journal old = full(STEP_STAGING), new = full(STEP_FLIPPING);
        const char *path = ((struct place *)*state)->path;
        pid_t pid = fork();

        new.attempts = 3;
        if (pid == 0) {
                int fd = own_tmpfs(path, 0, 16);

                CHILD_ASSERT(journal_save(fd, &old, NULL) == 0);
                for (char name[] = "a"; mkdirat(fd, name, 0700) == 0; name[0]++) {
                }
                CHILD_ASSERT(errno == ENOSPC);
                CHILD_ASSERT(!save_or_keep(fd, &old, &new));
                _exit(0);
        }
        child_verdict(pid);
}

static void read_only(void **state) {
        struct journal old = full(STEP_STAGING), new = full(STEP_FLIPPING);
        const char *path = ((struct place *)*state)->path;
        pid_t pid = fork();

        new.attempts = 3;
        if (pid == 0) {
                struct rollback_page *page;
                int fd = own_tmpfs(path, 0, 0);

                CHILD_ASSERT(journal_save(fd, &old, NULL) == 0);
                CHILD_ASSERT(mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
                CHILD_ASSERT(!save_or_keep(fd, &old, &new));
                CHILD_ASSERT(journal_delete(fd, "baseline", NULL) == -EROFS);
                CHILD_ASSERT(rollback_page_map(fd, &page, NULL) == -EROFS);
                _exit(0);
        }
        child_verdict(pid);
}

/* Writes that stop in the middle of the file. */
static void short_writes(void **state) {
        struct journal old = full(STEP_STAGING), new = full(STEP_FLIPPING);
        int fd = state_fd(state);
        pid_t pid;

        new.attempts = 3;
        assert_int_equal(journal_save(fd, &old, NULL), 0);
        pid = fork();
        if (pid == 0) {
                rlim_t at = 0;

                signal(SIGXFSZ, SIG_IGN);
                for (;; at += 50) {
                        CHILD_ASSERT(setrlimit(RLIMIT_FSIZE, &(struct rlimit){at, RLIM_INFINITY}) == 0);
                        if (save_or_keep(fd, &old, &new))
                                break;
                }
                CHILD_ASSERT(at > 500); /* it did fail, and often */
                _exit(0);
        }
        child_verdict(pid);
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

/* ---- the rollback page ---------------------------------------------------------------------------------------------- */

static void page_round_trip(void **state) {
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

static void page_too_long_texts(void **state) {
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

static void page_damaged(void **state) {
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
static void page_written_under_full_denial(void **state) {
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

static void page_files(void **state) {
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
static void page_on_full_disk(void **state) {
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, place_make, place_remove)

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                TEST(round_trip),
                TEST(seen_releases),
                TEST(limits),
                TEST(texts_are_cleaned),
                TEST(not_written),
                TEST(hostile_names),
                TEST(damaged),
                TEST(unknown_members_are_ignored),
                TEST(not_a_journal_file),
                TEST(too_long),
                TEST(listing_and_deleting),
                TEST(boot_id),
                TEST(disk_full),
                TEST(no_inodes),
                TEST(read_only),
                TEST(short_writes),
                TEST(killed_at_each_call),
                TEST(each_call_fails),
                TEST(fault_points),
                TEST(page_round_trip),
                TEST(page_too_long_texts),
                TEST(page_damaged),
                TEST(page_written_under_full_denial),
                TEST(page_files),
                TEST(page_on_full_disk),
        };

        if (argc == 3 && streq(argv[1], "@save"))
                return role_save(argv[2]);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
