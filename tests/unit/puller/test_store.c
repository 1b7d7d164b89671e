/* SPDX-License-Identifier: Apache-2.0 */
/* The store: a node boots from it without a network. What the disk returns is a release that was accepted here, or nothing. */
#include "state_fixture.h"

#include <signal.h>
#include <sys/resource.h>

#include "made_bundle.h"
#include "store.h"

#define SOURCES 3
#define MEMBERS (SOURCES + 2)
#define SOURCE_LEN 70000
#define RECORD (SHA256_SIZE + 2 + SIG_MAX)

static struct {
        struct privkey *keys[3];
        struct buf pems[3];
        struct made_bundle bundle, other; /* signed by keys 0 and 1; by key 2 */
} made;

static void receipt_make(struct receipt *r, size_t first, size_t n, size_t threshold) {
        *r = (struct receipt){
                .threshold = threshold, .accepted = 1700000000, .source = strdup("https://example.net/sample.tar.zst")};
        for (size_t i = first; i < first + n; i++)
                assert_int_equal(keyring_add_pem(&r->ring, made.pems[i].data, made.pems[i].len, NULL), 0);
}

static void release_make(struct release *rel, const struct made_bundle *b, size_t first, size_t n) {
        cleanup_receipt struct receipt r = {};
        struct buf bytes = {};
        struct signature *sigs = new_array(b->env.n_sigs, sizeof(*sigs));
        int fds[MEMBERS];
        struct err err;

        receipt_make(&r, first, n, n);
        assert_int_equal(b->n, MEMBERS);
        memcpy(sigs, b->env.sigs, b->env.n_sigs * sizeof(*sigs));
        assert_int_equal(buf_append(&bytes, b->env.bytes.data, b->env.bytes.len), 0);
        for (size_t i = 0; i < MEMBERS; i++)
                fds[i] = memfd_sealed("member", b->members[i].data, b->members[i].len, NULL);
        if (release_verify(&bytes, sigs, b->env.n_sigs, fds, MEMBERS, &(struct bundle_trust){&r.ring, n}, rel, &err) < 0)
                fail_msg("%s", err.msg);
}

static int setup(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(made.keys); i++)
                if (privkey_generate(&made.keys[i], NULL) < 0 ||
                    pubkey_pem(privkey_public(made.keys[i]), &made.pems[i], NULL) < 0)
                        return -1;
        made_bundle_make(&made.bundle, MANIFEST_TYPE, SOURCES, SOURCE_LEN, made.keys, 2);
        made_bundle_make(&made.other, MANIFEST_TYPE, SOURCES, SOURCE_LEN + 1, &made.keys[2], 1);
        return 0;
}

static int teardown(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(made.keys); i++) {
                privkey_free(made.keys[i]);
                buf_done(&made.pems[i]);
        }
        made_bundle_done(&made.bundle);
        made_bundle_done(&made.other);
        return 0;
}

/* Stores one of the two; ret_hex: its content id. */
static void put(int fd, const struct made_bundle *b, char ret_hex[static SHA256_HEX]) {
        cleanup_release struct release rel = RELEASE_INIT;
        cleanup_receipt struct receipt r = {};
        size_t first = b == &made.other ? 2 : 0, n = b == &made.other ? 1 : 2;
        struct err err;

        release_make(&rel, b, first, n);
        receipt_make(&r, first, n, n);
        if (store_put(fd, &rel, &r, &err) < 0)
                fail_msg("%s", err.msg);
        strcpy(ret_hex, rel.manifest->content_hex);
}

/* A release's file or folder, relative to the state folder. */
#define PATH(hex, name) (snprintf(path, sizeof(path), "store/%s/%s", hex, name), path)

static void get_equal(int fd, const char *hex, const struct made_bundle *b) {
        cleanup_release struct release rel = RELEASE_INIT;
        cleanup_receipt struct receipt r = {};
        struct err err;

        if (store_get(fd, hex, &rel, &r, &err) < 0)
                fail_msg("%s", err.msg);
        assert_string_equal(rel.manifest->content_hex, hex);
        assert_int_equal(rel.signed_bytes.len, b->env.bytes.len);
        assert_memory_equal(rel.signed_bytes.data, b->env.bytes.data, b->env.bytes.len);
        assert_int_equal(rel.n_sigs, b->env.n_sigs);
        for (size_t i = 0; i < rel.n_sigs; i++) {
                assert_memory_equal(rel.sigs[i].keyid, b->env.sigs[i].keyid, SHA256_SIZE);
                assert_int_equal(rel.sigs[i].len, b->env.sigs[i].len);
                assert_memory_equal(rel.sigs[i].sig, b->env.sigs[i].sig, rel.sigs[i].len);
        }
        for (size_t i = 0; i < MEMBERS; i++) {
                cleanup_buf struct buf data = {};

                assert_int_equal(fd_read_all(rel.members[i], 1 << 20, &data, NULL), 0);
                assert_int_equal(data.len, b->members[i].len);
                assert_memory_equal(data.data, b->members[i].data, data.len);
                assert_int_equal(memfd_check_sealed(rel.members[i], NULL), 0); /* in memory: the disk may change as it likes */
        }
        assert_int_equal(r.ring.n, rel.report.n_valid);
        assert_int_equal(r.threshold, r.ring.n);
        assert_int_equal(r.accepted, 1700000000);
        assert_string_equal(r.source, "https://example.net/sample.tar.zst");
}

static void round_trip(void **state) {
        static const char *const files[] = {"signed", "signatures", "receipt.json", "member/0000", "member/0004"};
        size_t before = open_fds();
        int fd = state_fd(state);
        char hex[SHA256_HEX], other[SHA256_HEX], path[128];
        struct stat st;

        put(fd, &made.bundle, hex);
        put(fd, &made.other, other);
        get_equal(fd, hex, &made.bundle);
        get_equal(fd, other, &made.other);
        assert_int_equal(entries(fd, "store"), 2);
        assert_int_equal(entries(fd, PATH(hex, "")), 4);
        assert_int_equal(entries(fd, PATH(hex, "member")), MEMBERS);
        assert_int_equal(fstatat(fd, "store", &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        assert_int_equal(fstatat(fd, PATH(hex, "member"), &st, 0), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                assert_int_equal(fstatat(fd, PATH(hex, files[i]), &st, 0), 0);
                assert_int_equal(st.st_mode & 07777, 0600);
        }
        assert_int_equal(open_fds(), before);
}

static void nothing_there(void **state) {
        static const char *const names[] = {"",
                                            ".",
                                            "..",
                                            "../store",
                                            "abc",
                                            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeF",
                                            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"};
        struct release rel = RELEASE_INIT;
        char hex[SHA256_HEX], absent[SHA256_HEX];
        int fd = state_fd(state);
        struct err err;

        memset(absent, 'a', sizeof(absent) - 1);
        absent[sizeof(absent) - 1] = 0;
        assert_int_equal(store_get(fd, absent, &rel, NULL, &err), -ENOENT);
        assert_int_equal(store_remove(fd, absent, &err), 0);
        put(fd, &made.bundle, hex);
        assert_int_equal(store_get(fd, absent, &rel, NULL, &err), -ENOENT);
        assert_int_equal(store_remove(fd, absent, &err), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                assert_int_equal(store_get(fd, names[i], &rel, NULL, &err), -EINVAL);
                assert_int_equal(store_remove(fd, names[i], &err), -EINVAL);
        }
        get_equal(fd, hex, &made.bundle);
}

/* More keys than had to sign, and a source that somebody wrote odd things into. */
static void receipts(void **state) {
        cleanup_release struct release rel = RELEASE_INIT, got = RELEASE_INIT;
        cleanup_receipt struct receipt r = {}, back = {};
        int fd = state_fd(state);

        release_make(&rel, &made.bundle, 0, 2);
        receipt_make(&r, 0, 3, 2);
        free(r.source);
        r.source = strdup("/tmp/a\nb\x1b[0m");
        assert_int_equal(store_put(fd, &rel, &r, NULL), 0);
        assert_int_equal(store_get(fd, rel.manifest->content_hex, &got, &back, NULL), 0);
        assert_int_equal(back.ring.n, 3);
        assert_int_equal(back.threshold, 2);
        assert_string_equal(back.source, "/tmp/a b [0m");
        for (size_t i = 0; i < 3; i++)
                assert_string_equal(back.ring.keys[i].id_hex, r.ring.keys[i].id_hex);
        assert_int_equal(got.report.n_valid, 2);
        assert_false(got.report.valid[2]);
}

static void receipts_refused(void **state) {
        cleanup_release struct release rel = RELEASE_INIT;
        int fd = state_fd(state);
        static const struct { size_t n, threshold; } cases[] = {{0, 0}, {0, 1}, {2, 0}, {2, 3}};

        release_make(&rel, &made.bundle, 0, 2);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_receipt struct receipt r = {};
                struct err err = {};

                receipt_make(&r, 0, cases[i].n, cases[i].threshold);
                assert_true(store_put(fd, &rel, &r, &err) < 0);
                assert_int_equal(err.reason, REASON_MALFORMED);
        }
        assert_int_equal(entries(fd, "."), 0);
}

/* ---- a hostile disk ------------------------------------------------------------------------------------------------- */

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

/* ---- writing again, removing ---------------------------------------------------------------------------------------- */

static void kept_when_good_replaced_when_bad(void **state) {
        cleanup_release struct release rel = RELEASE_INIT;
        cleanup_receipt struct receipt r = {};
        int fd = state_fd(state);
        char hex[SHA256_HEX], path[128];
        struct stat before, after;

        put(fd, &made.bundle, hex);
        assert_int_equal(fstatat(fd, PATH(hex, "signed"), &before, 0), 0);
        put(fd, &made.bundle, hex);
        assert_int_equal(fstatat(fd, path, &after, 0), 0);
        assert_int_equal(before.st_ino, after.st_ino);

        file_put(fd, PATH(hex, "member/0001"), "damaged", 7);
        file_put(fd, PATH(hex, "extra"), "", 0);
        put(fd, &made.bundle, hex);
        get_equal(fd, hex, &made.bundle);
        assert_int_equal(entries(fd, "store"), 1);
        assert_int_equal(entries(fd, "."), 1);

        assert_int_equal(unlinkat(fd, PATH(hex, "receipt.json"), 0), 0); /* an empty shell of it, as another program may leave */
        put(fd, &made.bundle, hex);
        get_equal(fd, hex, &made.bundle);
}

static void removing(void **state) {
        int fd = state_fd(state);
        char hex[SHA256_HEX], other[SHA256_HEX], path[128];

        put(fd, &made.bundle, hex);
        put(fd, &made.other, other);
        assert_int_equal(mkdirat(fd, "outside", 0700), 0);
        file_put(fd, "outside/precious", "p", 1);
        assert_int_equal(symlinkat("../../outside", fd, PATH(hex, "link")), 0);
        assert_int_equal(symlinkat("../../../outside/precious", fd, PATH(hex, "member/link")), 0);
        assert_int_equal(store_remove(fd, hex, NULL), 0);
        assert_int_equal(entries(fd, "store"), 1);
        assert_true(exists(fd, "outside/precious"));
        get_equal(fd, other, &made.other);
        assert_int_equal(store_remove(fd, hex, NULL), 0);
}

static void collecting(void **state) {
        int fd = state_fd(state);
        char hex[SHA256_HEX], other[SHA256_HEX], path[128];
        const char *keep[] = {other};

        assert_int_equal(store_collect(fd, NULL, 0, NULL), 0); /* nothing there at all */
        put(fd, &made.bundle, hex);
        put(fd, &made.other, other);
        assert_int_equal(mkdirat(fd, "store/.new-0123456789abcdef", 0700), 0);
        assert_int_equal(mkdirat(fd, "store/.new-0123456789abcdef/member", 0700), 0);
        file_put(fd, "store/.new-0123456789abcdef/member/0000", "half", 4);
        assert_int_equal(mkdirat(fd, "store/.old-0123456789abcdef", 0700), 0);
        assert_int_equal(mkdirat(fd, "outside", 0700), 0);
        file_put(fd, "outside/precious", "p", 1);
        assert_int_equal(symlinkat("../outside", fd, "store/.old-fedcba9876543210"), 0);
        assert_int_equal(mkdirat(fd, "store/lost+found", 0700), 0);
        file_put(fd, "store/README", "", 0);
        assert_int_equal(mkdirat(fd, "journal", 0700), 0);
        file_put(fd, "journal/.baseline.json.0123456789abcdef", "half", 4);
        file_put(fd, "journal/baseline.json", "whole", 5);
        file_put(fd, ".quarantine.json.0123456789abcdef", "half", 4);
        file_put(fd, ".quarantine.json.0123456789ABCDEF", "not ours", 8);
        file_put(fd, ".0123456789abcdef", "not ours", 8);
        file_put(fd, "quarantine.json", "whole", 5);

        assert_int_equal(store_collect(fd, keep, 1, NULL), 0);
        assert_int_equal(entries(fd, "store"), 3);
        assert_true(exists(fd, PATH(other, "signed")));
        assert_true(exists(fd, "store/lost+found"));
        assert_true(exists(fd, "store/README"));
        assert_true(exists(fd, "outside/precious"));
        assert_int_equal(entries(fd, "journal"), 1);
        assert_true(exists(fd, "quarantine.json"));
        assert_true(exists(fd, ".quarantine.json.0123456789ABCDEF"));
        assert_true(exists(fd, ".0123456789abcdef"));
        assert_false(exists(fd, ".quarantine.json.0123456789abcdef"));
        get_equal(fd, other, &made.other);
        assert_int_equal(store_collect(fd, NULL, 0, NULL), 0);
        assert_int_equal(entries(fd, "store"), 2);
}

/* One that cannot be removed does not keep the others from going. */
static void collecting_goes_on(void **state) {
        const char *path = ((struct place *)*state)->path;
        pid_t pid = fork();

        if (pid == 0) {
                int fd = own_tmpfs(path, 1 << 20, 64);
                struct err err = {};
                char mount_at[128];

                CHILD_ASSERT(mkdirat(fd, "store", 0700) == 0 && mkdirat(fd, "store/.new-0", 0700) == 0 &&
                             mkdirat(fd, "store/.new-0/other", 0700) == 0 && mkdirat(fd, "store/.old-1", 0700) == 0);
                file_put(fd, ".x.0123456789abcdef", "", 0);
                snprintf(mount_at, sizeof(mount_at), "%s/store/.new-0/other", path);
                CHILD_ASSERT(mount("other", mount_at, "tmpfs", 0, NULL) == 0);
                file_put(fd, "store/.new-0/other/precious", "", 0);
                CHILD_ASSERT(store_collect(fd, NULL, 0, &err) == -EXDEV);
                CHILD_ASSERT(strstr(err.msg, ".new-0"));
                CHILD_ASSERT(exists(fd, "store/.new-0/other/precious")); /* another file system's */
                CHILD_ASSERT(!exists(fd, "store/.old-1"));
                CHILD_ASSERT(!exists(fd, ".x.0123456789abcdef"));
                _exit(0);
        }
        child_verdict(pid);
}

/* ---- disks that fail ------------------------------------------------------------------------------------------------ */

/* Stored whole, or not at all and without a trace. Returns whether it was stored. */
static bool put_or_nothing(int fd, const struct release *rel, const struct receipt *receipt) {
        cleanup_release struct release got = RELEASE_INIT;
        size_t before = open_fds();
        struct err err = {};
        int r = store_put(fd, rel, receipt, &err);

        CHILD_ASSERT(open_fds() == before);
        if (r == 0) {
                CHILD_ASSERT(store_get(fd, rel->manifest->content_hex, &got, NULL, NULL) == 0);
                return true;
        }
        CHILD_ASSERT(err.msg[0]);
        CHILD_ASSERT(store_get(fd, rel->manifest->content_hex, &got, NULL, NULL) == -ENOENT);
        CHILD_ASSERT(entries(fd, "store") == 0);
        return false;
}

static void disk_full(void **state) {
        const char *path = ((struct place *)*state)->path;
        cleanup_release struct release rel = RELEASE_INIT;
        cleanup_receipt struct receipt r = {};
        pid_t pid;

        release_make(&rel, &made.bundle, 0, 2);
        receipt_make(&r, 0, 2, 2);
        pid = fork();
        if (pid == 0) {
                int fd = own_tmpfs(path, 1 << 20, 64);
                unsigned pages, files;

                for (pages = 1;; pages++) {
                        own_tmpfs_resize(path, pages * 4096UL, 64);
                        if (put_or_nothing(fd, &rel, &r))
                                break;
                }
                CHILD_ASSERT(pages > 3 * SOURCE_LEN / 4096);
                CHILD_ASSERT(store_remove(fd, rel.manifest->content_hex, NULL) == 0);
                CHILD_ASSERT(unlinkat(fd, "store", AT_REMOVEDIR) == 0);
                for (files = 2;; files++) {
                        own_tmpfs_resize(path, 1 << 20, files);
                        if (put_or_nothing(fd, &rel, &r))
                                break;
                }
                CHILD_ASSERT(files > MEMBERS + 4);
                _exit(0);
        }
        child_verdict(pid);
}

static void read_only(void **state) {
        const char *path = ((struct place *)*state)->path;
        cleanup_release struct release rel = RELEASE_INIT;
        cleanup_receipt struct receipt r = {};
        pid_t pid;

        release_make(&rel, &made.bundle, 0, 2);
        receipt_make(&r, 0, 2, 2);
        pid = fork();
        if (pid == 0) {
                int fd = own_tmpfs(path, 4 << 20, 64);
                cleanup_release struct release got = RELEASE_INIT;

                CHILD_ASSERT(mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
                CHILD_ASSERT(!put_or_nothing(fd, &rel, &r));
                CHILD_ASSERT(mount(NULL, path, NULL, MS_REMOUNT, NULL) == 0);
                CHILD_ASSERT(put_or_nothing(fd, &rel, &r));
                CHILD_ASSERT(mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
                CHILD_ASSERT(store_put(fd, &rel, &r, NULL) == 0); /* it is there */
                CHILD_ASSERT(store_remove(fd, rel.manifest->content_hex, NULL) == -EROFS);
                CHILD_ASSERT(store_get(fd, rel.manifest->content_hex, &got, NULL, NULL) == 0); /* boots from it all the same */
                _exit(0);
        }
        child_verdict(pid);
}

static void short_writes(void **state) {
        cleanup_release struct release rel = RELEASE_INIT;
        cleanup_receipt struct receipt r = {};
        int fd = state_fd(state);
        pid_t pid;

        release_make(&rel, &made.bundle, 0, 2);
        receipt_make(&r, 0, 2, 2);
        pid = fork();
        if (pid == 0) {
                static const rlim_t limits[] = {0, 1, 39, 40, 4999, 69999};

                signal(SIGXFSZ, SIG_IGN);
                for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
                        CHILD_ASSERT(setrlimit(RLIMIT_FSIZE, &(struct rlimit){limits[i], RLIM_INFINITY}) == 0);
                        CHILD_ASSERT(store_put(fd, &rel, &r, NULL) < 0);
                        CHILD_ASSERT(entries(fd, "store") == 0);
                }
                CHILD_ASSERT(setrlimit(RLIMIT_FSIZE, &(struct rlimit){SOURCE_LEN, RLIM_INFINITY}) == 0);
                CHILD_ASSERT(put_or_nothing(fd, &rel, &r));
                _exit(0);
        }
        child_verdict(pid);
}

/* Under strace, this program stores once more what the parent has put at PATH/from, at PATH/to. */
static int role_copy(const char *path) {
        struct release rel = RELEASE_INIT;
        struct receipt r = {};
        int base = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
            from = openat(base, "from", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
            to = openat(base, "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int fd = openat(from, "store", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fdopendir(fd);

        for (struct dirent *e; (e = readdir(d));)
                if (strlen(e->d_name) == SHA256_HEX - 1 && store_get(from, e->d_name, &rel, &r, NULL) < 0)
                        return 2;
        if (!rel.manifest)
                return 3;
        return store_put(to, &rel, &r, NULL) == 0 ? 0 : 1;
}

static void each_call(void **state, const char *what, bool killed) {
        static const char *const calls[] = {"fsync", "mkdirat", "renameat", "renameat2", "fchmod"};
        const char *path = ((struct place *)*state)->path;
        cleanup_fd int from = -1, to = -1;
        char hex[SHA256_HEX], command[128];
        unsigned hits = 0;

        assert_int_equal(mkdirat(state_fd(state), "from", 0700), 0);
        from = openat(state_fd(state), "from", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        put(from, &made.bundle, hex);
        for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
                for (unsigned when = 1;; when++) {
                        cleanup_release struct release got = RELEASE_INIT;
                        int status, r;

                        snprintf(command, sizeof(command), "rm -rf '%s/to'", path);
                        assert_int_equal(system(command), 0);
                        assert_int_equal(mkdirat(state_fd(state), "to", 0700), 0);
                        close_p(&to);
                        to = openat(state_fd(state), "to", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                        status = run_injected(calls[i], what, when, "@copy", path);
                        if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
                                skip();
                        r = store_get(to, hex, &got, NULL, NULL);
                        assert_true(r == 0 || r == -ENOENT); /* whole, or not at all */
                        if (killed ? !WIFSIGNALED(status) : WIFEXITED(status) && WEXITSTATUS(status) == 0) {
                                assert_int_equal(status, 0);
                                assert_int_equal(r, 0);
                                assert_true(when > 1); /* store_put() does make this call */
                                break;
                        }
                        hits++;
                        /* What is left is swept away, and the same release can then be stored. */
                        assert_int_equal(store_collect(to, (const char *[]){hex}, r == 0, NULL), 0);
                        assert_int_equal(entries(to, "store"), r == 0);
                        if (!killed)
                                assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
                        put(to, &made.bundle, hex);
                        get_equal(to, hex, &made.bundle);
                }
        assert_true(hits >= 20);
}

static void killed_at_each_call(void **state) {
        if (!strace_works())
                skip();
        each_call(state, "signal=KILL", true);
}

static void each_call_fails(void **state) {
        if (!strace_works())
                skip();
        each_call(state, "error=EIO", false);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, place_make, place_remove)

int main(int argc, char **argv) {
        const struct CMUnitTest tests[] = {
                TEST(round_trip),
                TEST(nothing_there),
                TEST(receipts),
                TEST(receipts_refused),
                TEST(files_flipped_and_cut),
                TEST(signatures_damaged),
                TEST(receipt_damaged),
                TEST(receipt_of_another),
                TEST(swapped_folders),
                TEST(missing_and_extra),
                TEST(links_and_devices),
                TEST(kept_when_good_replaced_when_bad),
                TEST(removing),
                TEST(collecting),
                TEST(collecting_goes_on),
                TEST(disk_full),
                TEST(read_only),
                TEST(short_writes),
                TEST(killed_at_each_call),
                TEST(each_call_fails),
        };

        if (argc == 3 && streq(argv[1], "@copy"))
                return role_copy(argv[2]);
        return cmocka_run_group_tests(tests, setup, teardown);
}
