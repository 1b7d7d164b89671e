/* SPDX-License-Identifier: Apache-2.0 */
/* Names for the numbers in events: a wrong one would send an operator to the wrong policy, and a big table fill the reporter. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "event_names.h"
#include "fileio.h"
#include "folder.h"
#include "loader.h"

#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define MEMBER(path) "{'path':'" path "','length':10,'sha256':'" ZERO "'}"
#define POLICY(name) "{'name':'" name "','object':'objects/" name ".bpf.o','plain':false,'mode':'enforce','scope':{},'maps':[],"
#define PROGRAM(hook) "{'name':'p_" hook "','hook':'" hook "'}"

/* Hooks in another order than the plan's. (Single quotes, so that it can be read.) */
static const char *const document[] = {
        "{'_type':'lsm-bundle','format':1,'abi':1,'name':'baseline','version':'1.4.0','release':42,'policies':[",
        POLICY("shadow") "'programs':[" PROGRAM("socket_create") "," PROGRAM("file_open") "]},",
        POLICY("exec") "'programs':[" PROGRAM("bprm_check_security") "]}",
        "],'requires':{'hooks':[],'helpers':[],'features':[]},",
        "'provenance':{'commit':'','compiler':'clang','date':0,'sources':[]},'members':[",
        MEMBER("selftests.json") "," MEMBER("objects/exec.bpf.o") "," MEMBER("objects/shadow.bpf.o") "]}",
};

static void canonical(struct buf *ret) {
        cleanup_buf struct buf text = {0};
        cleanup_json json_t *j = NULL;
        struct err err = {0};

        for (size_t i = 0; i < ARRAY_SIZE(document); i++)
                buf_printf(&text, "%s", document[i]);
        for (char *p = text.data; (p = strchr(p, '\''));)
                *p = '"';
        if (json_parse(text.data, text.len, &j, &err) < 0 || json_canonical(j, ret, &err) < 0)
                fail_msg("%s", err.msg);
}

static struct manifest *manifest_make(void) {
        cleanup_buf struct buf b = {0};
        struct manifest *m = NULL;
        struct err err = {0};

        canonical(&b);
        if (manifest_parse(b.data, b.len, &m, &err) < 0)
                fail_msg("%s", err.msg);
        return m;
}

static void parse(struct event_names *t, const char *text) {
        struct err err = {0};

        if (event_names_parse(t, text, strlen(text), &err) < 0)
                fail_msg("%s: %s", text, err.msg);
}

static void assert_sample(const struct event_names *t) {
        uint32_t n = bundle_number("baseline");

        assert_string_equal(event_names_bundle(t, n), "baseline");
        assert_string_equal(event_names_version(t, n, 42), "1.4.0");
        assert_string_equal(event_names_policy(t, n, 42, 0), "shadow");
        assert_string_equal(event_names_policy(t, n, 42, 1), "exec");
        assert_null(event_names_policy(t, n, 42, 2));
        /* as plan_make() sorts them, which is what programs report */
        assert_string_equal(event_names_hook(t, n, 42, 0), "bprm_check_security");
        assert_string_equal(event_names_hook(t, n, 42, 1), "file_open");
        assert_string_equal(event_names_hook(t, n, 42, 2), "socket_create");
        assert_null(event_names_hook(t, n, 42, 3));
        assert_null(event_names_hook(t, n, 42, UINT32_MAX));
}

static void test_from_manifest(void **state) {
        cleanup_event_names struct event_names t = {0};
        cleanup_manifest struct manifest *m = manifest_make();

        assert_int_equal(event_names_add(&t, m, NULL), 0);
        assert_sample(&t);
        assert_int_equal(event_names_add(&t, m, NULL), 0);
        assert_int_equal(t.n, 1);
        assert_sample(&t);
}

static void test_unknown(void **state) {
        cleanup_event_names struct event_names t = {0};
        cleanup_manifest struct manifest *m = manifest_make();
        uint32_t n = bundle_number("baseline");

        assert_null(event_names_bundle(&t, n));
        assert_null(event_names_policy(&t, n, 42, 0));
        assert_int_equal(event_names_add(&t, m, NULL), 0);
        assert_null(event_names_bundle(&t, n + 1));
        assert_string_equal(event_names_bundle(&t, n), "baseline");
        assert_null(event_names_version(&t, n, 41));
        assert_null(event_names_policy(&t, n, 43, 0));
        assert_null(event_names_hook(&t, n + 1, 42, 0));
}

static void test_there_and_back(void **state) {
        cleanup_event_names struct event_names t = {0}, back = {0};
        cleanup_manifest struct manifest *m = manifest_make();
        cleanup_buf struct buf b = {0};
        struct err err = {0};

        assert_int_equal(event_names_add(&t, m, NULL), 0);
        parse(&t, "[{\"bundle\":\"web\",\"version\":\"0.1.0\",\"release\":7,\"policies\":[],\"hooks\":[]}]");
        assert_int_equal(event_names_format(&t, &b, &err), 0);
        parse(&back, b.data);
        assert_int_equal(back.n, 2);
        assert_int_equal(back.bytes, t.bytes);
        assert_sample(&back);
        assert_string_equal(event_names_bundle(&back, bundle_number("web")), "web");
}

static void test_replaces(void **state) {
        cleanup_event_names struct event_names t = {0};
        uint32_t n = bundle_number("web");

        parse(&t, "[{\"bundle\":\"web\",\"version\":\"0.1.0\",\"release\":7,\"policies\":[\"a\"],\"hooks\":[]}]");
        parse(&t, "[{\"bundle\":\"web\",\"version\":\"0.1.0\",\"release\":8,\"policies\":[\"b\"],\"hooks\":[]}]");
        parse(&t, "[{\"bundle\":\"web\",\"version\":\"0.2.0\",\"release\":7,\"policies\":[\"c\"],\"hooks\":[]}]");
        assert_int_equal(t.n, 2);
        assert_string_equal(event_names_policy(&t, n, 7, 0), "c");
        assert_string_equal(event_names_version(&t, n, 7), "0.2.0");
        assert_string_equal(event_names_policy(&t, n, 8, 0), "b");
}

/* A year of releases: the newest are known, and memory does not grow. */
static void test_bounded_by_number(void **state) {
        cleanup_event_names struct event_names t = {0};
        uint32_t n = bundle_number("web");

        for (int i = 1; i <= 3 * EVENT_NAMES_MAX; i++) {
                char text[128];

                snprintf(text, sizeof(text),
                         "[{\"bundle\":\"web\",\"version\":\"0.1.0\",\"release\":%d,\"policies\":[\"a\"],\"hooks\":[]}]", i);
                parse(&t, text);
        }
        assert_int_equal(t.n, EVENT_NAMES_MAX);
        assert_non_null(event_names_version(&t, n, 3 * EVENT_NAMES_MAX));
        assert_non_null(event_names_version(&t, n, 2 * EVENT_NAMES_MAX + 1));
        assert_null(event_names_version(&t, n, 2 * EVENT_NAMES_MAX));
}

static void test_bounded_by_size(void **state) {
        cleanup_event_names struct event_names t = {0};
        uint32_t n = bundle_number("web");

        for (int i = 1; i <= EVENT_NAMES_MAX; i++) {
                cleanup_buf struct buf b = {0};

                buf_printf(&b, "[{\"bundle\":\"web\",\"version\":\"0.1.0\",\"release\":%d,\"policies\":[],\"hooks\":[\"h\"", i);
                for (int j = 0; j < 1000; j++)
                        buf_printf(&b, ",\"hook_%055d\"", j);
                buf_printf(&b, "]}]");
                parse(&t, b.data);
                assert_true(t.bytes <= EVENT_NAMES_BYTES_MAX);
        }
        assert_in_range(t.n, 2, EVENT_NAMES_MAX - 1);
        assert_string_equal(event_names_hook(&t, n, EVENT_NAMES_MAX, 0), "h");
        assert_null(event_names_hook(&t, n, 1, 0));
}

static void test_refuses(void **state) {
#define ENTRY(bundle, version, release, policies, hooks) \
        "[{\"bundle\":" bundle ",\"version\":" version ",\"release\":" release ",\"policies\":" policies ",\"hooks\":" hooks "}]"
        static const char *const bad[] = {
                "",
                "{}",
                "[1]",
                "[{}]",
                "[] []",
                ENTRY("\"We b\"", "\"1.0.0\"", "1", "[]", "[]"),
                ENTRY("\"../web\"", "\"1.0.0\"", "1", "[]", "[]"),
                ENTRY("7", "\"1.0.0\"", "1", "[]", "[]"),
                ENTRY("\"web\"", "\"1\\u001b\"", "1", "[]", "[]"),
                ENTRY("\"web\"", "\"latest\"", "1", "[]", "[]"),
                ENTRY("\"web\"", "\"1.0.0\"", "-1", "[]", "[]"),
                ENTRY("\"web\"", "\"1.0.0\"", "9007199254740992", "[]", "[]"),
                ENTRY("\"web\"", "\"1.0.0\"", "1", "{}", "[]"),
                ENTRY("\"web\"", "\"1.0.0\"", "1", "[\"a\",7]", "[]"),
                ENTRY("\"web\"", "\"1.0.0\"", "1", "[\"a b\"]", "[]"),
                ENTRY("\"web\"", "\"1.0.0\"", "1", "[]", "[\"file-open\"]"),
                ENTRY("\"web\"", "\"1.0.0\"", "1", "[]", "[null]"),
        };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                cleanup_event_names struct event_names t = {0};
                struct err err = {0};

                parse(&t, ENTRY("\"kept\"", "\"1.0.0\"", "1", "[]", "[]"));
                if (event_names_parse(&t, bad[i], strlen(bad[i]), &err) >= 0)
                        fail_msg("taken: %s", bad[i]);
                assert_true(err.reason == REASON_MALFORMED && err.msg[0]);
                assert_int_equal(t.n, 1);
                assert_non_null(event_names_bundle(&t, bundle_number("kept")));
        }
}

static void test_refuses_too_many(void **state) {
        cleanup_event_names struct event_names t = {0};
        cleanup_buf struct buf b = {0};
        struct err err = {0};

        buf_printf(&b, "[{\"bundle\":\"web\",\"version\":\"1.0.0\",\"release\":1,\"hooks\":[],\"policies\":[\"a\"");
        for (int i = 0; i < POLICIES_MAX; i++)
                buf_printf(&b, ",\"a\"");
        buf_printf(&b, "]}]");
        assert_true(event_names_parse(&t, b.data, b.len, &err) < 0);
        assert_int_equal(t.n, 0);
}

/* ---- from journals and the store ---- */

struct state_dir {
        char path[64];
        int fd;
        char content[SHA256_HEX];
};

static void state_make(struct state_dir *s) {
        cleanup_manifest struct manifest *m = manifest_make();
        cleanup_fd int store = -1, folder = -1;
        cleanup_buf struct buf b = {0};

        snprintf(s->path, sizeof(s->path), "/tmp/test_event_names.XXXXXX");
        assert_non_null(mkdtemp(s->path));
        s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        memcpy(s->content, m->content_hex, sizeof(s->content));
        store = folder_open(s->fd, "store", true, NULL);
        folder = folder_open(store, s->content, true, NULL);
        assert_true(folder >= 0);
        canonical(&b);
        assert_int_equal(file_create(folder, "signed", 0600, b.data, b.len, NULL), 0);
}

static void state_remove(struct state_dir *s) {
        char *base = strrchr(s->path, '/');

        close(s->fd);
        *base = '\0';
        s->fd = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(folder_remove(s->fd, base + 1, NULL), 0);
        close(s->fd);
}

static struct journal_gen generation(const char *content_hex) {
        struct journal_gen g = {.present = true, .version = "1.4.0", .release = 42, .slot = 1, .since = 1};

        memcpy(g.content_hex, content_hex, sizeof(g.content_hex));
        return g;
}

static void test_from_store(void **state) {
        struct journal j = {.bundle = "baseline", .boot_id = "00000000-0000-0000-0000-000000000000"};
        cleanup_event_names struct event_names t = {0};
        struct state_dir s;
        struct err err = {0};

        state_make(&s);
        assert_int_equal(event_names_load(&t, s.fd, &err), 0); /* a node that has never had a bundle */
        assert_int_equal(t.n, 0);
        j.confirmed = generation(s.content);
        if (journal_save(s.fd, &j, &err) < 0)
                fail_msg("%s", err.msg);
        assert_int_equal(event_names_load(&t, s.fd, &err), 0);
        assert_sample(&t);
        state_remove(&s);
}

/* What is not there or damaged hides nothing of the rest. */
static void test_from_damaged_store(void **state) {
        struct journal j = {.bundle = "baseline", .boot_id = "00000000-0000-0000-0000-000000000000"};
        cleanup_event_names struct event_names t = {0};
        cleanup_fd int other = -1, store = -1;
        struct state_dir s;
        struct err err = {0};

        state_make(&s);
        store = folder_open(s.fd, "store", false, NULL);
        other = folder_open(store, ZERO, true, NULL);
        assert_int_equal(file_create(other, "signed", 0600, "{}", 2, NULL), 0);
        j.previous = generation(ZERO); /* its bytes are others than it is called by */
        j.confirmed = generation(s.content);
        assert_int_equal(event_names_add_journal(&t, s.fd, &j, &err), -EBADMSG);
        assert_int_equal(err.reason, REASON_DIGEST_MISMATCH);
        assert_sample(&t);
        j.previous.content_hex[0] = '1';
        assert_int_equal(event_names_add_journal(&t, s.fd, &j, &err), -ENOENT);
        memcpy(j.previous.content_hex, "../../", 6);
        assert_int_equal(event_names_add_journal(&t, s.fd, &j, &err), -EBADMSG);
        state_remove(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_from_manifest),     cmocka_unit_test(test_unknown),
                cmocka_unit_test(test_there_and_back),    cmocka_unit_test(test_replaces),
                cmocka_unit_test(test_bounded_by_number), cmocka_unit_test(test_bounded_by_size),
                cmocka_unit_test(test_refuses),           cmocka_unit_test(test_refuses_too_many),
                cmocka_unit_test(test_from_store),        cmocka_unit_test(test_from_damaged_store),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
