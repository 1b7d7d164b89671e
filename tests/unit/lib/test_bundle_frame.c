/* SPDX-License-Identifier: Apache-2.0 */
/* The frames of a bundle: the manifest stands alone in the first, and none unpacks to more than is allowed. */
#include "bundle_fixture.h"

/* ---- frames --------------------------------------------------------------------------------------------------------- */

static void test_first_frame(void **state) {
        static const char skippable[] = "\x50\x2a\x4d\x18\x04\x00\x00\x00hide";
        struct fixture *f = *state;
        cleanup_buf struct buf manifest = {}, tar = {}, zstd = {};
        static const enum reason reasons[] = {REASON_TRAILING_DATA, REASON_TRAILING_DATA,  REASON_MISSING_MEMBER,
                                              REASON_MALFORMED,     REASON_MALFORMED,      REASON_TRAILING_DATA,
                                              REASON_UNSAFE_PATH,   REASON_NOT_A_FILE,     REASON_TRUNCATED,
                                              REASON_MALFORMED,     REASON_MISSING_MEMBER, REASON_TRAILING_DATA};

        manifest_tar(&f->env, &manifest);
        members_tar(f, &tar);
        for (size_t kind = 0; kind < ARRAY_SIZE(reasons); kind++) {
                cleanup_buf struct buf archive = {}, first = {};
                struct err err = {};

                assert_int_equal(buf_append(&first, manifest.data, manifest.len), 0);
                switch (kind) {
                case 0: /* all in one frame, as tar and zstd would have it */
                        assert_int_equal(buf_append(&first, tar.data, tar.len), 0);
                        break;
                case 1: /* an end of its own */
                        tar_end_put(&first);
                        break;
                case 2: /* another member first */
                        first.len = 0;
                        member_put(&first, f, 0);
                        break;
                case 3: /* no zstd at all */
                        assert_int_equal(buf_append(&archive, tar.data, tar.len), 0);
                        break;
                case 4: /* something hidden in front */
                        assert_int_equal(buf_append(&archive, skippable, sizeof(skippable) - 1), 0);
                        break;
                case 5: /* an extended header in front of the manifest */
                        first.len = 0;
                        tar_pax_put(&first, 'x', "comment", "hello");
                        assert_int_equal(buf_append(&first, manifest.data, manifest.len), 0);
                        break;
                case 6:
                        first.len = 0;
                        tar_file_put(&first, "../manifest.json", "{}", 2);
                        break;
                case 7:
                        first.len = 0;
                        tar_header_put(&first, "manifest.json", '2', "x", 0);
                        break;
                case 8: /* nothing in it */
                        first.len = 0;
                        break;
                case 9: /* no envelope */
                        first.len = 0;
                        tar_file_put(&first, "manifest.json", "{}", 2);
                        break;
                case 10: /* an end and nothing else */
                        first.len = 0;
                        tar_end_put(&first);
                        break;
                case 11: /* more than fits into one buffer */
                        zeros_put(&first, 600 << 10);
                        break;
                }
                frame_put(&archive, first.data, first.len);
                frame_put(&archive, tar.data, tar.len);
                assert_refused(read_archive(f, &archive, &err), err, reasons[kind]);
        }
}

/* The second half of a good archive behind the first half of another. */
static void test_mixed(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf tar = {};
        struct err err = {};

        f->object[7] ^= 1; /* after signing */
        members_tar(f, &tar);
        assert_refused(read_tar(f, &tar, &err), err, REASON_DIGEST_MISMATCH);
}

/* ---- bombs and limits ----------------------------------------------------------------------------------------------- */

static void test_window(void **state) {
        static const struct {
                unsigned int log;
                enum reason reason;
        } cases[] = {{17, REASON_NONE},      {23, REASON_NONE},      {24, REASON_TOO_LARGE},
                     {27, REASON_TOO_LARGE}, {31, REASON_TOO_LARGE}, {41, REASON_TOO_LARGE}};
        struct fixture *f = *state;
        cleanup_buf struct buf first = {}, tar = {};

        manifest_tar(&f->env, &first);
        members_tar(f, &tar);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                for (int which = 0; which < 2; which++) {
                        cleanup_buf struct buf archive = {};
                        struct err err = {};
                        int r;

                        frame_put_raw(&archive, first.data, first.len, which ? 17 : cases[i].log);
                        frame_put_raw(&archive, tar.data, tar.len, which ? cases[i].log : 17);
                        r = read_archive(f, &archive, &err);
                        if (cases[i].reason)
                                assert_refused(r, err, cases[i].reason);
                        else
                                assert_done(r, err);
                }
}

/* A few kilobytes that would unpack to a gigabyte. */
static void test_bombs(void **state) {
        enum { HUGE_TAR = 64 << 20 };
        struct fixture *f = *state;
        cleanup_buf struct buf manifest = {};

        manifest_tar(&f->env, &manifest);
        for (int kind = 0; kind < 4; kind++) {
                cleanup_buf struct buf archive = {}, tar = {}, first = {};
                static const enum reason reasons[] = {REASON_TOO_LARGE, REASON_TOO_LARGE, REASON_LENGTH_MISMATCH,
                                                      REASON_MALFORMED};
                struct err err = {};

                assert_int_equal(buf_append(&first, manifest.data, manifest.len), 0);
                switch (kind) {
                case 0: /* the manifest itself */
                        first.len = 0;
                        tar_header_put(&first, "manifest.json", '0', NULL, HUGE_TAR);
                        zeros_put(&first, HUGE_TAR);
                        break;
                case 1: /* extended headers that libarchive reads and forgets */
                        member_put(&tar, f, 0);
                        for (int i = 0; i < 30; i++) {
                                tar_header_put(&tar, "pax", 'g', NULL, 1 << 20);
                                zeros_put(&tar, 1 << 20);
                        }
                        break;
                case 2: /* a member */
                        member_put(&tar, f, 0);
                        tar_header_put(&tar, "objects/policy.bpf.o", '0', NULL, HUGE_TAR);
                        zeros_put(&tar, HUGE_TAR);
                        break;
                case 3: /* an endless chain of headers for one member */
                        for (int i = 0; i < 100; i++)
                                tar_pax_put(&tar, 'x', "comment", "x");
                        member_put(&tar, f, 0);
                        break;
                }
                frame_put(&archive, first.data, first.len);
                frame_put(&archive, tar.data, tar.len);
                assert_true(archive.len < 64 << 10);
                if (kind == 3 || kind == 1) { /* which of two caps strikes first is libarchive's to say */
                        assert_true(read_archive(f, &archive, &err) < 0);
                        assert_true(err.reason == REASON_TOO_LARGE || err.reason == REASON_MALFORMED);
                } else
                        assert_refused(read_archive(f, &archive, &err), err, reasons[kind]);
        }
}

static const struct bundle_limits no_limits = {.max_archive = UINT64_MAX, .max_content = UINT64_MAX, .max_members = SIZE_MAX};

static void test_limits(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf archive = {};
        uint64_t content = 0;
        struct err err = {};

        good_archive(f, &archive);
        for (size_t i = 0; i < MEMBERS; i++)
                content += f->members[i].len;
        for (int kind = 0; kind < 6; kind++) {
                struct bundle_limits limits = {.max_archive = archive.len, .max_content = content, .max_members = MEMBERS};
                cleanup_told struct told t = {.refuse_at = -1};
                int r;

                if (kind == 1)
                        limits.max_archive--;
                if (kind == 2)
                        limits.max_content--;
                if (kind == 3)
                        limits.max_members--;
                if (kind == 4)
                        limits.max_archive = 0;
                if (kind == 5)
                        limits = no_limits;
                r = read_told(f, &archive, 100, &limits, &t, &err);
                if (kind == 0 || kind == 5)
                        assert_done(r, err);
                else {
                        assert_refused(r, err, REASON_TOO_LARGE);
                        assert_int_equal(t.begun > 0 && kind > 1, 0); /* the manifest's own numbers are judged first */
                }
        }
}

/* Lengths whose sum wraps around. */
static void test_content_overflow(void **state) {
        struct fixture *f = *state;
        cleanup_told struct told t = {.refuse_at = -1};
        cleanup_json json_t *j = NULL;
        cleanup_buf struct buf archive = {};
        struct err err = {};
        json_t *members, *sum;

        assert_done(json_parse(f->env.bytes.data, f->env.bytes.len, &j, &err), err);
        members = json_object_get(j, "members");
        sum = json_object_get(json_array_get(members, 0), "sha256");
        for (size_t i = 0; i < 4090; i++) {
                json_t *m;
                char path[32];

                snprintf(path, sizeof(path), "sources/f%04zu", i);
                m = json_pack("{s:s,s:I,s:O}", "path", path, "length", JSON_INT_MAX, "sha256", sum);
                assert_int_equal(json_array_append_new(members, m), 0);
        }
        f->env.bytes.len = 0;
        assert_done(json_canonical(j, &f->env.bytes, &err), err);
        assert_done(envelope_sign(&f->env, f->keys[0], &err), err);
        good_archive(f, &archive);
        assert_refused(read_told(f, &archive, SIZE_MAX, &no_limits, &t, &err), err, REASON_TOO_LARGE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                with_bundle(test_first_frame), with_bundle(test_mixed),  with_bundle(test_window),
                with_bundle(test_bombs),       with_bundle(test_limits), with_bundle(test_content_overflow),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
