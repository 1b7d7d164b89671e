/* SPDX-License-Identifier: Apache-2.0 */
/* Quarantine: what has failed here is not tried again, and what was not its fault, or failed elsewhere, is. */
#include "state_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>

#include "json.h"
#include "quarantine.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

static void load(int fd, struct quarantine *q) {
        struct err err = {};

        quarantine_done(q);
        if (quarantine_load(fd, q, &err) < 0)
                fail_msg("%s", err.msg);
}

static void add_and_find(void **state) {
        cleanup_quarantine struct quarantine q = {};
        const struct quarantine_entry *e;
        uint64_t now = (uint64_t)time(NULL);
        int fd = state_fd(state);
        struct utsname u;
        struct stat st;

        uname(&u);
        load(fd, &q);
        assert_int_equal(q.n, 0);
        assert_null(quarantine_find(&q, HEX_A));
        assert_false(exists(fd, "quarantine.json")); /* looking makes nothing */

        assert_int_equal(quarantine_add(fd, "baseline", HEX_A, 42, "selftest-failed", "shadow: not\ndenied", NULL), 0);
        assert_int_equal(quarantine_add(fd, "web", HEX_B, 7, "verifier-rejected", NULL, NULL), 0);
        load(fd, &q);
        assert_int_equal(q.n, 2);
        e = quarantine_find(&q, HEX_A);
        assert_non_null(e);
        assert_string_equal(e->bundle, "baseline");
        assert_int_equal(e->release, 42);
        assert_string_equal(e->reason, "selftest-failed");
        assert_string_equal(e->message, "shadow: not denied");
        assert_string_equal(e->kernel, u.release);
        assert_string_equal(e->agent, LSM_VERSION);
        assert_true(e->since >= now && e->since <= now + 60);
        assert_null(quarantine_find(&q, HEX_C));
        assert_int_equal(fstatat(fd, "quarantine.json", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
}

static void same_key_is_replaced(void **state) {
        cleanup_quarantine struct quarantine q = {};
        int fd = state_fd(state);

        assert_int_equal(quarantine_add(fd, "b", HEX_A, 1, "selftest-failed", "first", NULL), 0);
        assert_int_equal(quarantine_add(fd, "b", HEX_B, 2, "health-failed", "", NULL), 0);
        assert_int_equal(quarantine_add(fd, "b", HEX_A, 1, "health-failed", "second", NULL), 0);
        load(fd, &q);
        assert_int_equal(q.n, 2);
        assert_string_equal(quarantine_find(&q, HEX_A)->message, "second");
        /* The operator's word is a key of its own: it must still hold when the kernel's changes. */
        assert_int_equal(quarantine_add(fd, "b", HEX_A, 1, "operator", "third", NULL), 0);
        load(fd, &q);
        assert_int_equal(q.n, 3);
        assert_string_equal(quarantine_find(&q, HEX_A)->reason, "operator");
}

/* One entry as another kernel or another agent wrote it. */
static void entry_put(int fd, const char *kernel, const char *agent, const char *reason) {
        cleanup_buf struct buf b = {};

        assert_int_equal(
                buf_printf(&b,
                           "{\"_type\":\"lsm-quarantine\",\"format\":1,\"entries\":[{\"bundle\":\"b\",\"content\":\"" HEX_A
                           "\",\"release\":5,\"kernel\":\"%s\",\"agent\":\"%s\",\"reason\":\"%s\",\"message\":\"\","
                           "\"since\":1700000000}]}\n",
                           kernel, agent, reason),
                0);
        file_put(fd, "quarantine.json", b.data, b.len);
}

static void other_kernels_and_agents(void **state) {
        cleanup_quarantine struct quarantine q = {};
        int fd = state_fd(state);
        struct utsname u;

        uname(&u);
        entry_put(fd, u.release, LSM_VERSION, "selftest-failed");
        load(fd, &q);
        assert_non_null(quarantine_find(&q, HEX_A));
        entry_put(fd, "5.0.0-other", LSM_VERSION, "selftest-failed");
        load(fd, &q);
        assert_null(quarantine_find(&q, HEX_A)); /* a new kernel deserves a new try */
        entry_put(fd, u.release, "0.0.1", "selftest-failed");
        load(fd, &q);
        assert_null(quarantine_find(&q, HEX_A));
        entry_put(fd, "", "", "operator");
        load(fd, &q);
        assert_non_null(quarantine_find(&q, HEX_A));

        entry_put(fd, "5.0.0-other", LSM_VERSION, "selftest-failed");
        assert_int_equal(quarantine_add(fd, "b", HEX_A, 5, "health-failed", "", NULL), 0);
        load(fd, &q);
        assert_int_equal(q.n, 2); /* what another kernel found out is kept */
        assert_string_equal(quarantine_find(&q, HEX_A)->reason, "health-failed");
}

static void forgetting(void **state) {
        cleanup_quarantine struct quarantine q = {};
        int fd = state_fd(state);

        assert_int_equal(quarantine_forget(fd, NULL, NULL), 0);
        assert_false(exists(fd, "quarantine.json"));
        assert_int_equal(quarantine_add(fd, "a", HEX_A, 1, "operator", "", NULL), 0);
        assert_int_equal(quarantine_add(fd, "b", HEX_B, 2, "health-failed", "", NULL), 0);
        assert_int_equal(quarantine_add(fd, "a", HEX_C, 3, "health-failed", "", NULL), 0);
        assert_int_equal(quarantine_forget(fd, "nobody", NULL), 0);
        assert_int_equal(quarantine_forget(fd, "a", NULL), 2);
        load(fd, &q);
        assert_int_equal(q.n, 1);
        assert_non_null(quarantine_find(&q, HEX_B));
        assert_int_equal(quarantine_add(fd, "a", HEX_A, 1, "operator", "", NULL), 0);
        assert_int_equal(quarantine_forget(fd, NULL, NULL), 2);
        load(fd, &q);
        assert_int_equal(q.n, 0);
}

static void bounded(void **state) {
        cleanup_quarantine struct quarantine q = {};
        cleanup_json json_t *list = json_array();
        cleanup_buf struct buf b = {};
        int fd = state_fd(state);
        char hex[SHA256_HEX];
        struct err err;

        for (int i = 0; i < QUARANTINE_MAX; i++) {
                snprintf(hex, sizeof(hex), "%064x", i);
                json_array_append_new(list,
                                      json_pack("{ss ss si ss ss ss ss si}", "bundle", "b", "content", hex, "release", i,
                                                "kernel", "", "agent", "", "reason", "operator", "message", "", "since", i));
        }
        cleanup_json json_t *doc = json_pack("{ss si sO}", "_type", "lsm-quarantine", "format", 1, "entries", list);
        assert_int_equal(json_canonical(doc, &b, NULL), 0);
        file_put(fd, "quarantine.json", b.data, b.len);
        assert_int_equal(quarantine_add(fd, "b", HEX_A, 1, "operator", "", NULL), 0);
        load(fd, &q);
        assert_int_equal(q.n, QUARANTINE_MAX);
        snprintf(hex, sizeof(hex), "%064x", 0);
        assert_null(quarantine_find(&q, hex)); /* the oldest made room */
        snprintf(hex, sizeof(hex), "%064x", 1);
        assert_non_null(quarantine_find(&q, hex));
        assert_non_null(quarantine_find(&q, HEX_A));

        json_array_append(list, json_array_get(list, 0));
        b.len = 0;
        assert_int_equal(json_canonical(doc, &b, NULL), 0);
        file_put(fd, "quarantine.json", b.data, b.len);
        assert_true(quarantine_load(fd, &q, &err) < 0);
        assert_int_equal(err.reason, REASON_TOO_LARGE);
}

static void not_added(void **state) {
        int fd = state_fd(state);
        struct err err;

        assert_int_equal(quarantine_add(fd, "../x", HEX_A, 1, "operator", "", &err), -EINVAL);
        assert_int_equal(quarantine_add(fd, "", HEX_A, 1, "operator", "", &err), -EINVAL);
        assert_int_equal(quarantine_add(fd, "b", "abc", 1, "operator", "", &err), -EINVAL);
        assert_int_equal(quarantine_add(fd, "b", HEX_A "a", 1, "operator", "", &err), -EINVAL);
        assert_int_equal(quarantine_add(fd, "b", HEX_A, UINT64_MAX, "operator", "", &err), -EINVAL);
        assert_int_equal(quarantine_add(fd, "b", HEX_A, 1, "", "", &err), -EINVAL);
        assert_int_equal(entries(fd, "."), 0);
}

/* A verifier's log is longer than an entry, and not text. */
static void long_messages(void **state) {
        cleanup_quarantine struct quarantine q = {};
        int fd = state_fd(state);
        char text[3000];

        memset(text, '\xe2', sizeof(text) - 1);
        text[sizeof(text) - 1] = 0;
        assert_int_equal(quarantine_add(fd, "b", HEX_A, 1, "verifier-rejected", text, NULL), 0);
        load(fd, &q);
        assert_int_equal(strlen(q.entries[0].message), sizeof(q.entries[0].message) - 1);
        assert_int_equal(strspn(q.entries[0].message, "?"), sizeof(q.entries[0].message) - 1);
}

static void damaged(void **state) {
        static const struct {
                const char *text;
                enum reason reason;
        } cases[] = {
                {"", REASON_MALFORMED},
                {"[]", REASON_MALFORMED},
                {"{\"_type\":\"lsm-quarantine\",\"format\":1", REASON_MALFORMED},
                {"{\"_type\":\"lsm-quarantine\",\"format\":1}", REASON_MALFORMED},
                {"{\"_type\":\"lsm-quarantine\",\"format\":9,\"entries\":[]}", REASON_UNSUPPORTED_FORMAT},
                {"{\"_type\":\"lsm-journal\",\"format\":1,\"entries\":[]}", REASON_WRONG_TYPE},
                {"{\"_type\":\"lsm-quarantine\",\"format\":1,\"entries\":{}}", REASON_MALFORMED},
                {"{\"_type\":\"lsm-quarantine\",\"format\":1,\"entries\":[7]}", REASON_MALFORMED},
                {"{\"_type\":\"lsm-quarantine\",\"format\":1,\"entries\":[{}]}", REASON_MALFORMED},
                {"{\"_type\":\"lsm-quarantine\",\"format\":1,\"entries\":[{\"bundle\":\"b\",\"content\":\"x\",\"release\":1,"
                 "\"kernel\":\"\",\"agent\":\"\",\"reason\":\"operator\",\"message\":\"\",\"since\":1}]}",
                 REASON_MALFORMED},
                {"{\"_type\":\"lsm-quarantine\",\"format\":1,\"entries\":[{\"bundle\":\"b\",\"content\":\"" HEX_A
                 "\",\"release\":1,\"kernel\":\"\",\"agent\":\"\",\"reason\":\"\",\"message\":\"\",\"since\":1}]}",
                 REASON_MALFORMED},
                {"{\"_type\":\"lsm-quarantine\",\"format\":1,\"entries\":[{\"bundle\":\"b\",\"content\":\"" HEX_A
                 "\",\"release\":-1,\"kernel\":\"\",\"agent\":\"\",\"reason\":\"operator\",\"message\":\"\",\"since\":1}]}",
                 REASON_MALFORMED},
        };
        int fd = state_fd(state);

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct quarantine q = {.n = 99};
                cleanup_buf struct buf b = {};
                struct err err = {};

                file_put(fd, "quarantine.json", cases[i].text, strlen(cases[i].text));
                if (quarantine_load(fd, &q, &err) >= 0 || err.reason != cases[i].reason || !strstr(err.msg, "quarantine.json"))
                        fail_msg("%s: '%s': %s", cases[i].text, reason_word(err.reason), err.msg);
                assert_int_equal(q.n, 99);
                /* It must not be taken for an empty one, and overwritten. */
                assert_true(quarantine_add(fd, "b", HEX_A, 1, "operator", "", &err) < 0);
                assert_true(quarantine_forget(fd, NULL, &err) < 0);
                file_get(fd, "quarantine.json", &b);
                assert_string_equal(b.data ? b.data : "", cases[i].text);
        }
}

static void links_are_not_followed(void **state) {
        struct quarantine q = {};
        int fd = state_fd(state);
        struct err err;

        entry_put(fd, "", "", "operator");
        assert_int_equal(renameat(fd, "quarantine.json", fd, "elsewhere"), 0);
        assert_int_equal(symlinkat("elsewhere", fd, "quarantine.json"), 0);
        assert_int_equal(quarantine_load(fd, &q, &err), -EBADMSG);
        assert_int_equal(err.reason, REASON_NOT_A_FILE);
}

static void short_writes(void **state) {
        int fd = state_fd(state);
        pid_t pid;

        assert_int_equal(quarantine_add(fd, "b", HEX_A, 1, "operator", "", NULL), 0);
        pid = fork();
        if (pid == 0) {
                rlim_t at = 0;
                int r;

                signal(SIGXFSZ, SIG_IGN);
                do {
                        cleanup_quarantine struct quarantine q = {};

                        CHILD_ASSERT(setrlimit(RLIMIT_FSIZE, &(struct rlimit){at, RLIM_INFINITY}) == 0);
                        r = quarantine_add(fd, "b", HEX_B, 2, "operator", "", NULL);
                        CHILD_ASSERT(quarantine_load(fd, &q, NULL) == 0);
                        CHILD_ASSERT(q.n == (r == 0 ? 2 : 1));
                        CHILD_ASSERT(entries(fd, ".") == 1);
                        at += 40;
                } while (r < 0);
                CHILD_ASSERT(at > 200);
                _exit(0);
        }
        child_verdict(pid);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, place_make, place_remove)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(add_and_find),
                TEST(same_key_is_replaced),
                TEST(other_kernels_and_agents),
                TEST(forgetting),
                TEST(bounded),
                TEST(not_added),
                TEST(long_messages),
                TEST(damaged),
                TEST(links_are_not_followed),
                TEST(short_writes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
