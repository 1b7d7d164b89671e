/* SPDX-License-Identifier: Apache-2.0 */
#include "../lib/unit.h"

#include "repo_keys.h"
#include "repo_release.h"
#include "repo_time.h"

static int parse(enum repo_role role, const char *text, struct repo_doc *ret, enum reason *reason) {
        struct err err = {};
        int e = repo_doc_parse(role, text, strlen(text), ret, &err);

        *reason = err.reason;
        return e;
}

#define DOC(body) "{\"signatures\":[],\"signed\":{" body "}}"
#define GOOD "\"_type\":\"targets\",\"spec_version\":\"1.0.34\",\"version\":3,\"expires\":\"2026-11-22T08:00:00Z\""

static void test_parse(void **state) {
        cleanup_repo_doc struct repo_doc doc = {};
        enum reason reason;

        assert_int_equal(parse(ROLE_BUNDLES, DOC(GOOD), &doc, &reason), 0);
        assert_int_equal(doc.version, 3);
        assert_int_equal(doc.expires, 1795334400);
}

static void test_parse_refused(void **state) {
        static const struct {
                const char *text;
                enum reason reason;
        } bad[] = {
                {DOC("\"_type\":\"root\",\"spec_version\":\"1.0.34\",\"version\":3,\"expires\":\"2026-11-22T08:00:00Z\""),
                 REASON_WRONG_TYPE},
                {DOC("\"_type\":\"targets\",\"spec_version\":\"2.0\",\"version\":3,\"expires\":\"2026-11-22T08:00:00Z\""),
                 REASON_UNSUPPORTED_FORMAT},
                {DOC("\"_type\":\"targets\",\"spec_version\":\"1.0\",\"version\":0,\"expires\":\"2026-11-22T08:00:00Z\""),
                 REASON_MALFORMED},
                {DOC("\"_type\":\"targets\",\"spec_version\":\"1.0\",\"version\":3.5,\"expires\":\"2026-11-22T08:00:00Z\""),
                 REASON_MALFORMED},
                {DOC("\"_type\":\"targets\",\"spec_version\":\"1.0\",\"version\":3,\"expires\":\"2026-11-22T08:00:00+01:00\""),
                 REASON_MALFORMED},
                {DOC("\"_type\":\"targets\",\"spec_version\":\"1.0\",\"version\":3"), REASON_MALFORMED},
                {"{\"signed\":{" GOOD "}}", REASON_MALFORMED},
                {"{\"signatures\":[]}", REASON_MALFORMED},
                {"[]", REASON_MALFORMED},
                {"", REASON_MALFORMED},
        };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                cleanup_repo_doc struct repo_doc doc = {};
                enum reason reason;

                if (parse(ROLE_BUNDLES, bad[i].text, &doc, &reason) == 0 || reason != bad[i].reason)
                        fail_msg("%zu: '%s', and '%s' is right", i, reason_word(reason), reason_word(bad[i].reason));
                assert_null(doc.body);
        }
}

static void test_seal(void **state) {
        cleanup_repo_doc struct repo_doc doc = {}, again = {};
        struct err err = {};

        assert_int_equal(repo_doc_new(ROLE_ROLLOUTS, &doc, &err), 0);
        assert_int_equal(repo_doc_seal(&doc, 7, 1795334400, &err), 0);
        assert_int_equal(repo_doc_write(&doc, &err), 0);
        assert_int_equal(repo_doc_parse(ROLE_ROLLOUTS, doc.file.data, doc.file.len, &again, &err), 0);
        assert_int_equal(again.version, 7);
        assert_int_equal(again.expires, 1795334400);
        assert_true(repo_doc_equal(&doc, &again));
        assert_int_equal(repo_doc_seal(&again, 8, 1795334400, &err), 0);
        assert_false(repo_doc_equal(&doc, &again));
}

/* ---- keys ------------------------------------------------------------------------------------------------------------- */

static void ring_make(struct keyring *ring, size_t n) {
        for (size_t i = 0; i < n; i++) {
                cleanup_privkey struct privkey *key = NULL;
                uint8_t raw[32];

                assert_int_equal(privkey_generate(&key, NULL), 0);
                assert_int_equal(pubkey_raw(privkey_public(key), raw), 0);
                assert_int_equal(keyring_add_raw(ring, raw, NULL), 0);
        }
}

static void test_keys(void **state) {
        cleanup_keyring struct keyring three = {}, two = {};
        cleanup_role_keys struct role_keys keys = {}, again = {};
        cleanup_json json_t *targets = json_object();
        struct err err = {};

        ring_make(&three, 3);
        ring_make(&two, 2);
        assert_int_equal(role_delegate(targets, "bundles", &err), 0);
        assert_int_equal(role_delegate(targets, "rollouts", &err), 0);
        assert_int_equal(role_keys_write(targets, "bundles", &three, 2, &err), 0);
        assert_int_equal(role_keys_write(targets, "rollouts", &two, 1, &err), 0);
        assert_int_equal(role_keys_read(targets, "bundles", &keys, &err), 0);
        assert_int_equal(keys.threshold, 2);
        assert_int_equal(keys.ring.n, 3);
        assert_true(role_keys_has(&keys, &three.keys[1]));
        assert_false(role_keys_has(&keys, &two.keys[0]));
        assert_int_equal(json_object_size(json_object_get(json_object_get(targets, "delegations"), "keys")), 5);

        /* What no role uses is not kept; what one still uses is. */
        assert_int_equal(role_keys_write(targets, "bundles", &two, 2, &err), 0);
        assert_int_equal(json_object_size(json_object_get(json_object_get(targets, "delegations"), "keys")), 2);
        assert_int_equal(role_keys_read(targets, "rollouts", &again, &err), 0);
        assert_int_equal(again.ring.n, 2);
        assert_int_equal(role_keys_read(targets, "snapshot", &again, &err), -ENOENT);
        assert_int_equal(role_keys_write(targets, "bundles", &two, 3, &err), -EINVAL);
        assert_int_equal(err.reason, REASON_USAGE);
}

/* One key under two ids is one key. */
static void test_keys_material(void **state) {
        cleanup_keyring struct keyring ring = {};
        cleanup_role_keys struct role_keys keys = {};
        cleanup_json json_t *targets = json_object();
        json_t *delegations, *described, *ids;
        struct err err = {};

        ring_make(&ring, 1);
        assert_int_equal(role_delegate(targets, "bundles", &err), 0);
        assert_int_equal(role_keys_write(targets, "bundles", &ring, 1, &err), 0);
        delegations = json_object_get(targets, "delegations");
        described = json_object_get(delegations, "keys");
        ids = json_object_get(json_array_get(json_object_get(delegations, "roles"), 0), "keyids");
        assert_int_equal(json_object_set(described, "0000000000000000000000000000000000000000000000000000000000000000",
                                         json_object_get(described, ring.keys[0].id_hex)),
                         0);
        assert_int_equal(
                json_array_append_new(ids, json_string("0000000000000000000000000000000000000000000000000000000000000000")), 0);
        assert_int_equal(role_keys_read(targets, "bundles", &keys, &err), 0);
        assert_int_equal(keys.n_listed, 2);
        assert_int_equal(keys.ring.n, 1);
}

/* ---- releases --------------------------------------------------------------------------------------------------------- */

static void entry_add(struct repo_doc *doc, const char *target, const char *bundle, const char *version, int release, int floor) {
        char content[SHA256_HEX];

        memset(content, 'a', sizeof(content) - 1);
        content[sizeof(content) - 1] = '\0';
        json_object_set_new(json_object_get(doc->body, "targets"), target,
                            json_pack("{s:{s:s, s:s, s:s, s:i, s:i}}", "custom", "bundle", bundle, "version", version, "content",
                                      content, "release", release, "floor", floor));
}

static void doc_make(struct repo_doc *doc) {
        assert_int_equal(repo_doc_new(ROLE_BUNDLES, doc, NULL), 0);
        json_object_set_new(doc->body, "targets", json_object());
}

static void test_releases(void **state) {
        cleanup_repo_doc struct repo_doc doc = {};
        cleanup_releases struct releases r = {};
        const struct release *found;
        struct err err = {};

        doc_make(&doc);
        entry_add(&doc, "bundles/b-1.0.0.tar.zst", "b", "1.0.0", 10, 5);
        entry_add(&doc, "bundles/a-1.10.0.tar.zst", "a", "1.10.0", 10, 9);
        entry_add(&doc, "bundles/a-1.9.0.tar.zst", "a", "1.9.0", 9, 9);
        entry_add(&doc, "bundles/a-1.8.0.tar.zst", "a", "1.8.0", 8, 9);
        json_object_set_new(json_object_get(doc.body, "targets"), "else.txt", json_object());
        assert_int_equal(releases_read(&doc, &r, &err), 0);
        assert_int_equal(r.n, 4);
        assert_int_equal(release_newest(&r, "a")->release, 10);
        assert_int_equal(release_floor(&r, "a"), 9);
        assert_int_equal(release_floor(&r, "c"), 0);
        assert_null(release_newest(&r, "c"));
        assert_int_equal(release_may_run(&r, "a", 9, &found, &err), 0);
        assert_string_equal(found->version, "1.9.0");
        assert_int_not_equal(release_may_run(&r, "a", 8, &found, &err), 0);
        assert_int_equal(err.reason, REASON_RELEASE_TOO_OLD);
        assert_int_not_equal(release_may_run(&r, "a", 7, &found, &err), 0);
        assert_int_equal(err.reason, REASON_UNKNOWN_TARGET);
}

static void test_releases_refused(void **state) {
        static const struct {
                const char *target, *bundle, *version;
                int release, floor;
                enum reason reason;
        } bad[] = {
                {"bundles/a-1.0.0.tar.zst", "b", "1.0.0", 1, 0, REASON_MALFORMED},
                {"bundles/a-1.0.0.tar.zst", "a", "1.0.1", 1, 0, REASON_MALFORMED},
                {"bundles/../a-1.0.0.tar.zst", "../a", "1.0.0", 1, 0, REASON_MALFORMED},
                {"bundles/a-x.tar.zst", "a", "x", 1, 0, REASON_MALFORMED},
                {"bundles/a-1.0.0.tar.zst", "a", "1.0.0", 0, 0, REASON_MALFORMED},
                {"bundles/a-1.0.0.tar.zst", "a", "1.0.0", 1, -1, REASON_MALFORMED},
                {"bundles/a-2.0.0.tar.zst", "a", "2.0.0", 2, 0, REASON_RELEASE_REUSED}, /* as the one that is there */
        };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                cleanup_repo_doc struct repo_doc doc = {};
                cleanup_releases struct releases r = {};
                struct err err = {};

                doc_make(&doc);
                entry_add(&doc, "bundles/a-0.1.0.tar.zst", "a", "0.1.0", 2, 0);
                entry_add(&doc, bad[i].target, bad[i].bundle, bad[i].version, bad[i].release, bad[i].floor);
                if (releases_read(&doc, &r, &err) == 0 || err.reason != bad[i].reason)
                        fail_msg("%s: '%s'", bad[i].target, reason_word(err.reason));
        }
}

static void test_durations(void **state) {
        static const struct {
                int64_t s;
                const char *text;
        } cases[] = {{0, "0 s"},         {59, "59 s"},         {60, "1 min"},
                     {3599, "59 min"},   {3600, "1 h 0 min"},  {86399, "23 h 59 min"},
                     {86400, "1 d 0 h"}, {10 * 86400, "10 d"}, {-90, "1 min"}};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[DURATION_TEXT];

                duration_show(cases[i].s, text);
                assert_string_equal(text, cases[i].text);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_parse_refused),
                cmocka_unit_test(test_seal),
                cmocka_unit_test(test_keys),
                cmocka_unit_test(test_keys_material),
                cmocka_unit_test(test_releases),
                cmocka_unit_test(test_releases_refused),
                cmocka_unit_test(test_durations),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
