/* SPDX-License-Identifier: Apache-2.0 */
/* The store on a hostile disk: whatever was changed on it, what comes back is a release that was accepted here, or nothing. */
#include "store_fixture.h"

static void refused(int fd, const char *hex, enum reason want, const char *what) {
        struct release rel = RELEASE_INIT, none = RELEASE_INIT;
        struct receipt r = {.threshold = 99};
        size_t before = open_fds();
        struct err err = {};
        int res = store_get(fd, hex, &rel, &r, &err);

        if (res >= 0 || err.reason != want || !err.msg[0])
                fail_msg("%s: %d, '%s': %s; expected '%s'", what, res, reason_word(err.reason), err.msg, reason_word(want));
        if (res == -ENOENT) /* that would read as "no such release", and not as damage */
                fail_msg("%s: -ENOENT", what);
        assert_memory_equal(&rel, &none, sizeof(rel));
        assert_int_equal(r.threshold, 99);
        assert_int_equal(open_fds(), before);
}

static void files_flipped_and_cut(void **state) {
        static const struct {
                const char *name;
                enum reason flipped;
        } files[] = {{"signed", REASON_BAD_SIGNATURE},
                     {"member/0000", REASON_DIGEST_MISMATCH},
                     {"member/0001", REASON_DIGEST_MISMATCH},
                     {"member/0004", REASON_DIGEST_MISMATCH}};
        int fd = state_fd(state);
        char hex[SHA256_HEX], path[128];

        put(fd, &made.bundle, hex);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                bool member = strncmp(files[i].name, "member", 6) == 0;
                cleanup_buf struct buf b = {};
                size_t places[3];

                file_get(fd, PATH(hex, files[i].name), &b);
                places[0] = 0;
                places[1] = b.len / 2;
                places[2] = b.len - 1;
                for (size_t k = 0; k < 3; k++) {
                        b.data[places[k]] ^= 1;
                        file_put(fd, path, b.data, b.len);
                        refused(fd, hex, files[i].flipped, path);
                        b.data[places[k]] ^= 1;
                        file_put(fd, path, b.data, places[k]);
                        refused(fd, hex, member ? REASON_LENGTH_MISMATCH : REASON_BAD_SIGNATURE, path);
                }
                assert_int_equal(buf_append(&b, "x", 1), 0);
                file_put(fd, path, b.data, b.len);
                refused(fd, hex, member ? REASON_LENGTH_MISMATCH : REASON_BAD_SIGNATURE, path);
                file_put(fd, path, b.data, b.len - 1);
                get_equal(fd, hex, &made.bundle);
        }
}

static void signatures_damaged(void **state) {
        cleanup_buf struct buf b = {}, many = {};
        int fd = state_fd(state);
        char hex[SHA256_HEX], path[128];

        put(fd, &made.bundle, hex);
        file_get(fd, PATH(hex, "signatures"), &b);
        assert_int_equal(b.len, 2 * RECORD);
        file_put(fd, path, b.data, b.len - 1);
        refused(fd, hex, REASON_TRUNCATED, "cut");
        file_put(fd, path, b.data, 0);
        refused(fd, hex, REASON_UNKNOWN_KEY, "none");
        file_put(fd, path, b.data, RECORD);
        refused(fd, hex, REASON_THRESHOLD_NOT_MET, "one of two");
        memcpy(b.data + RECORD, b.data, RECORD);
        file_put(fd, path, b.data, b.len);
        refused(fd, hex, REASON_THRESHOLD_NOT_MET, "one of them twice");
        b.data[RECORD + 40] ^= 1;
        b.data[40] ^= 1;
        file_put(fd, path, b.data, b.len);
        refused(fd, hex, REASON_BAD_SIGNATURE, "flipped");
        b.data[SHA256_SIZE] = 1;
        b.data[SHA256_SIZE + 1] = 4; /* 1025 */
        file_put(fd, path, b.data, b.len);
        refused(fd, hex, REASON_MALFORMED, "longer than its record");
        for (size_t i = 0; i < SIGNATURES_MAX + 1; i++)
                assert_int_equal(buf_append(&many, b.data, RECORD), 0);
        file_put(fd, path, many.data, many.len);
        refused(fd, hex, REASON_TOO_LARGE, "too many");
}

static void receipt_damaged(void **state) {
        static const struct {
                const char *find, *with;
                enum reason reason;
        } cases[] = {
                {"\"threshold\":2", "\"threshold\":0", REASON_MALFORMED},
                {"\"threshold\":2", "\"threshold\":3", REASON_MALFORMED},
                {"\"threshold\":2", "\"threshold\":-1", REASON_MALFORMED},
                {"\"threshold\":2", "\"threshold\":4294967297", REASON_MALFORMED},
                {"\"threshold\":2", "\"threshold\":true", REASON_MALFORMED},
                {"\"threshold\":2", "\"threshold\":2,\"threshold\":1", REASON_MALFORMED},
                {",\"threshold\":2", "", REASON_MALFORMED},
                {"\"keys\":[", "\"keys\":[],\"x\":[", REASON_MALFORMED},
                {"\"keys\":[", "\"keys\":[7,", REASON_MALFORMED},
                {"\"keys\":[", "\"keys\":{},\"x\":[", REASON_MALFORMED},
                {"\"keys\":[\"M", "\"keys\":[\"", REASON_MALFORMED},
                {"\"keys\":[\"M", "\"keys\":[\"\",\"M", REASON_MALFORMED},
                {"\"keys\":[\"M", "\"keys\":[\"-----BEGIN PUBLIC KEY-----\",\"M", REASON_MALFORMED},
                {"\"keys\":[\"M", "\"keys\":[\"/etc/passwd\",\"M", REASON_MALFORMED},
                {"\"_type\":\"lsm-receipt\"", "\"_type\":\"lsm-journal\"", REASON_WRONG_TYPE},
                {"\"format\":1", "\"format\":2", REASON_UNSUPPORTED_FORMAT},
                {"\"source\":\"", "\"source\":7,\"x\":\"", REASON_MALFORMED},
                {"\"accepted\":1", "\"accepted\":-1", REASON_MALFORMED},
                {"}\n", "", REASON_MALFORMED},
                {"}\n", "}}", REASON_MALFORMED},
        };
        cleanup_buf struct buf good = {};
        int fd = state_fd(state);
        char hex[SHA256_HEX], path[128];

        put(fd, &made.bundle, hex);
        file_get(fd, PATH(hex, "receipt.json"), &good);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const char *at = strstr(good.data, cases[i].find);
                cleanup_buf struct buf b = {};

                if (!at)
                        fail_msg("no %s in %s", cases[i].find, good.data);
                assert_int_equal(
                        buf_printf(&b, "%.*s%s%s", (int)(at - good.data), good.data, cases[i].with, at + strlen(cases[i].find)),
                        0);
                file_put(fd, path, b.data, b.len);
                refused(fd, hex, cases[i].reason, b.data);
        }
        file_put(fd, path, "", 0);
        refused(fd, hex, REASON_MALFORMED, "empty receipt");
        file_put(fd, path, good.data, good.len);
        get_equal(fd, hex, &made.bundle);
}

/* Somebody else's keys do not make somebody else's signatures good. */
static void receipt_of_another(void **state) {
        cleanup_buf struct buf theirs = {}, ours = {};
        int fd = state_fd(state);
        char hex[SHA256_HEX], other[SHA256_HEX], path[128];

        put(fd, &made.bundle, hex);
        put(fd, &made.other, other);
        file_get(fd, PATH(other, "receipt.json"), &theirs);
        file_put(fd, PATH(hex, "receipt.json"), theirs.data, theirs.len);
        refused(fd, hex, REASON_UNKNOWN_KEY, "another's receipt");
        get_equal(fd, other, &made.other);
}

/* A genuine, older release under the name of the one in force: a downgrade by renaming. */
static void swapped_folders(void **state) {
        int fd = state_fd(state);
        char hex[SHA256_HEX], other[SHA256_HEX], a[128], b[128];

        put(fd, &made.bundle, hex);
        put(fd, &made.other, other);
        snprintf(a, sizeof(a), "store/%s", hex);
        snprintf(b, sizeof(b), "store/%s", other);
        assert_int_equal(renameat(fd, a, fd, "store/x"), 0);
        assert_int_equal(renameat(fd, b, fd, a), 0);
        assert_int_equal(renameat(fd, "store/x", fd, b), 0);
        refused(fd, hex, REASON_DIGEST_MISMATCH, "swapped");
        refused(fd, other, REASON_DIGEST_MISMATCH, "swapped");
}

static void missing_and_extra(void **state) {
        static const char *const files[] = {"signed",      "signatures",  "receipt.json", "member/0000",
                                            "member/0002", "member/0004", "member"};
        static const char *const extra[] = {"member/0005", "member/.hidden", "member/00000", "extra", ".signed", "zzz"};
        int fd = state_fd(state);
        char hex[SHA256_HEX], path[128];

        put(fd, &made.bundle, hex);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                assert_int_equal(renameat(fd, PATH(hex, files[i]), fd, "away"), 0);
                refused(fd, hex, REASON_MISSING_MEMBER, files[i]);
                assert_int_equal(renameat(fd, "away", fd, path), 0);
        }
        for (size_t i = 0; i < ARRAY_SIZE(extra); i++) {
                file_put(fd, PATH(hex, extra[i]), "x", 1);
                refused(fd, hex, REASON_UNLISTED_MEMBER, extra[i]);
                assert_int_equal(unlinkat(fd, path, 0), 0);
        }
        assert_int_equal(renameat(fd, PATH(hex, "member/0002"), fd, "away"), 0);
        char third[128];
        snprintf(third, sizeof(third), "store/%s/member/0003", hex);
        assert_int_equal(renameat(fd, third, fd, path), 0);
        assert_int_equal(renameat(fd, "away", fd, third), 0);
        refused(fd, hex, REASON_DIGEST_MISMATCH, "two members exchanged");
        assert_int_equal(renameat(fd, third, fd, "away"), 0);
        assert_int_equal(renameat(fd, path, fd, third), 0);
        assert_int_equal(renameat(fd, "away", fd, path), 0);
        get_equal(fd, hex, &made.bundle);
}

/* The right bytes, in a place that somebody else may change: not followed. Nor is anything waited for. */
static void links_and_devices(void **state) {
        static const char *const names[] = {"signed", "signatures", "receipt.json", "member/0000", "member/0004", "member"};
        int fd = state_fd(state);
        char hex[SHA256_HEX], path[128], target[256];

        put(fd, &made.bundle, hex);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                assert_int_equal(renameat(fd, PATH(hex, names[i]), fd, "away"), 0);
                snprintf(target, sizeof(target), "%s/away", ((struct place *)*state)->path);
                assert_int_equal(symlinkat(target, fd, path), 0);
                refused(fd, hex, REASON_NOT_A_FILE, names[i]);
                assert_int_equal(unlinkat(fd, path, 0), 0);
                assert_int_equal(mkfifoat(fd, path, 0600), 0);
                refused(fd, hex, REASON_NOT_A_FILE, names[i]);
                assert_int_equal(unlinkat(fd, path, 0), 0);
                if (!streq(names[i], "member")) {
                        assert_int_equal(mkdirat(fd, path, 0700), 0);
                        refused(fd, hex, REASON_NOT_A_FILE, names[i]);
                        assert_int_equal(unlinkat(fd, path, AT_REMOVEDIR), 0);
                }
                assert_int_equal(renameat(fd, "away", fd, path), 0);
        }
        snprintf(path, sizeof(path), "store/%s", hex);
        assert_int_equal(renameat(fd, path, fd, "away"), 0);
        assert_int_equal(symlinkat("../away", fd, path), 0);
        refused(fd, hex, REASON_NOT_A_FILE, "the release's folder");
        assert_int_equal(unlinkat(fd, path, 0), 0);
        assert_int_equal(renameat(fd, "away", fd, path), 0);
        assert_int_equal(renameat(fd, "store", fd, "away"), 0);
        assert_int_equal(symlinkat("away", fd, "store"), 0);
        refused(fd, hex, REASON_NOT_A_FILE, "the store");
        assert_int_equal(store_remove(fd, hex, NULL), -EBADMSG);
        assert_int_equal(store_collect(fd, NULL, 0, NULL), -EBADMSG);
        assert_int_equal(entries(fd, "away"), 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(files_flipped_and_cut), TEST(signatures_damaged), TEST(receipt_damaged),   TEST(receipt_of_another),
                TEST(swapped_folders),       TEST(missing_and_extra),  TEST(links_and_devices),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
