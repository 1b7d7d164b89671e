/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: what is written is what is read, and what was damaged, is foreign or hostile is not read. */
#include "journal_fixture.h"

#include <linux/types.h>

#include "folder.h"
#include "json.h"
#include "lsm_abi.h"

static void assert_gen_equal(const struct journal_gen *a, const struct journal_gen *b) {
        assert_int_equal(a->present, b->present);
        assert_string_equal(a->content_hex, b->content_hex);
        assert_string_equal(a->version, b->version);
        assert_int_equal(a->release, b->release);
        assert_int_equal(a->slot, b->slot);
        assert_int_equal(a->since, b->since);
        assert_int_equal(a->audit, b->audit);
        assert_string_equal(a->lowered, b->lowered);
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
                {"\"audit\":true", "\"audit\":true,\"lowered\":[]", REASON_MALFORMED},
                {"\"audit\":true", "\"audit\":true,\"lowered\":\"a\\nb\"", REASON_MALFORMED},
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

int main(void) {
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
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
