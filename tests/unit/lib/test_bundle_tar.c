/* SPDX-License-Identifier: Apache-2.0 */
/* The tar in a bundle: each way in which one can lie about its members, or about its end, has its refusal. */
#include "bundle_fixture.h"

/* ---- what is in the tar --------------------------------------------------------------------------------------------- */

static void test_lengths(void **state) {
        static const long deltas[] = {-1, 1, 512, 1L << 30};
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(deltas); i++) {
                cleanup_told struct told t = {.refuse_at = -1};
                cleanup_buf struct buf tar = {}, archive = {};
                struct err err = {};

                member_put(&tar, f, 0);
                tar_header_put(&tar, f->members[1].path, '0', NULL, (uint64_t)((long)f->members[1].len + deltas[i]));
                tar_data_put(&tar, f->members[1].data, f->members[1].len);
                tar_end_put(&tar);
                archive_of(f, &tar, &archive);
                assert_refused(read_told(f, &archive, SIZE_MAX, NULL, &t, &err), err, REASON_LENGTH_MISMATCH);
                assert_int_equal(t.begun, 1); /* by its header, before anything of it was read */
        }
}

static void test_order_and_presence(void **state) {
        static const struct {
                int order[MEMBERS + 2]; /* -1: the end; 9: a member that is not listed; 8: the manifest again */
                enum reason reason;
        } cases[] = {
                {{0, 1, 2, 3, 4, -1}, REASON_NONE},
                {{-1}, REASON_MISSING_MEMBER},
                {{1, 2, 3, 4, -1}, REASON_MISSING_MEMBER},
                {{0, 1, 3, 4, -1}, REASON_MISSING_MEMBER},
                {{0, 1, 2, 3, -1}, REASON_MISSING_MEMBER},
                {{0, 2, 1, 3, 4, -1}, REASON_WRONG_ORDER},
                {{1, 0, 2, 3, 4, -1}, REASON_WRONG_ORDER},
                {{4, 1, 2, 3, 0, -1}, REASON_WRONG_ORDER},
                {{0, 1, 1, 2, 3, 4, -1}, REASON_DUPLICATE_MEMBER},
                {{0, 1, 2, 3, 4, 4, -1}, REASON_DUPLICATE_MEMBER},
                {{0, 1, 2, 3, 4, 0, -1}, REASON_DUPLICATE_MEMBER},
                {{9, 0, 1, 2, 3, 4, -1}, REASON_UNLISTED_MEMBER},
                {{0, 1, 9, 2, 3, 4, -1}, REASON_UNLISTED_MEMBER},
                {{0, 1, 2, 3, 4, 9, -1}, REASON_UNLISTED_MEMBER},
                {{0, 1, 2, 8, 3, 4, -1}, REASON_DUPLICATE_MEMBER},
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_buf struct buf tar = {};
                struct err err = {};
                int r;

                for (const int *o = cases[i].order; *o >= 0; o++)
                        if (*o == 9)
                                tar_file_put(&tar, "sources/stranger", "x", 1);
                        else if (*o == 8)
                                tar_file_put(&tar, "manifest.json", "{}", 2);
                        else
                                member_put(&tar, f, (size_t)*o);
                tar_end_put(&tar);
                r = read_tar(f, &tar, &err);
                if (cases[i].reason == REASON_NONE)
                        assert_done(r, err);
                else
                        assert_refused(r, err, cases[i].reason);
        }
}

static void test_not_files(void **state) {
        static const char types[] = {'1', '2', '3', '4', '5', '6'}; /* links, devices, folder, fifo */
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
                for (int content = 0; content < 2; content++) { /* a hard link may have some, and would pass for a file */
                        cleanup_buf struct buf tar = {};
                        struct err err = {};

                        if (content)
                                tar_pax_put(&tar, 'x', "comment", "pax");
                        tar_header_put(&tar, "selftests.json", types[i], types[i] < '3' ? "objects/policy.bpf.o" : NULL,
                                       content ? 2 : 0);
                        if (content)
                                tar_data_put(&tar, "{}", 2);
                        for (size_t k = 1; k < MEMBERS; k++)
                                member_put(&tar, f, k);
                        tar_end_put(&tar);
                        assert_refused(read_tar(f, &tar, &err), err, REASON_NOT_A_FILE);
                }
}

/* Holes: what a header says is long need not be in the archive. */
static void test_sparse(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf old = {}, pax = {};
        struct err err = {};

        member_put(&old, f, 0);
        tar_header_put(&old, "objects/policy.bpf.o", 'S', NULL, 512);
        memcpy(old.data + old.len - 512 + 257, "ustar  ", 8);
        memcpy(old.data + old.len - 512 + 386,
               "00000001000\0"
               "00000001000",
               24);                                                /* one piece, at 512 */
        memcpy(old.data + old.len - 512 + 483, "00000005670", 12); /* 3000 in all */
        memset(old.data + old.len - 512 + 148, ' ', 8);
        {
                unsigned int sum = 0;

                for (size_t i = old.len - 512; i < old.len; i++)
                        sum += (unsigned char)old.data[i];
                snprintf(old.data + old.len - 512 + 148, 8, "%06o", sum);
        }
        tar_data_put(&old, f->object, 512);
        tar_end_put(&old);
        assert_refused(read_tar(f, &old, &err), err, REASON_NOT_A_FILE);

        member_put(&pax, f, 0);
        {
                static const char records[] = "22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n"
                                              "40 GNU.sparse.name=objects/policy.bpf.o\n"
                                              "28 GNU.sparse.realsize=3000\n";

                tar_header_put(&pax, "pax", 'x', NULL, sizeof(records) - 1);
                tar_data_put(&pax, records, sizeof(records) - 1);
                tar_header_put(&pax, "GNUSparseFile.0/x", '0', NULL, 1024);
                tar_data_put(&pax, "1\n512\n512\n", 10);
                tar_data_put(&pax, f->object, 512);
        }
        tar_end_put(&pax);
        assert_refused(read_tar(f, &pax, &err), err, REASON_NOT_A_FILE);
}

static void test_unsafe_paths(void **state) {
        static const char *const paths[] = {
                "/etc/shadow", "../x",     "a/../../x", "./selftests.json", "objects//policy.bpf.o", "a\\b", "a\nb", "\x1b[2J",
                "\xc3\xa4",    "\xff\xfe", "."};
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                for (int pax = 0; pax < 2; pax++) {
                        cleanup_buf struct buf tar = {};
                        struct err err = {};

                        if (pax)
                                tar_pax_put(&tar, 'x', "path", paths[i]);
                        tar_file_put(&tar, pax ? "selftests.json" : paths[i], "{}", 2);
                        tar_end_put(&tar);
                        assert_refused(read_tar(f, &tar, &err), err, REASON_UNSAFE_PATH);
                        assert_null(strchr(err.msg, '\x1b'));
                }
}

/* The path and size that count are those in force after extended headers and GNU's long names. */
static void test_effective_headers(void **state) {
        struct fixture *f = *state;
        struct err err = {};

        for (int kind = 0; kind < 7; kind++) {
                cleanup_buf struct buf tar = {};
                int r;

                switch (kind) {
                case 0: /* a name in the header, the right one in the extended header */
                        tar_pax_put(&tar, 'x', "path", "selftests.json");
                        tar_file_put(&tar, "../../etc/passwd", "{}", 2);
                        break;
                case 1: /* the other way round */
                        tar_pax_put(&tar, 'x', "path", "sources/other");
                        tar_file_put(&tar, "selftests.json", "{}", 2);
                        break;
                case 2: /* GNU's long name */
                        tar_header_put(&tar, "././@LongLink", 'L', NULL, 15);
                        tar_data_put(&tar, "selftests.json", 15);
                        tar_file_put(&tar, "x", "{}", 2);
                        break;
                case 3:
                        tar_pax_put(&tar, 'x', "size", "3");
                        tar_file_put(&tar, "selftests.json", "{}", 2);
                        break;
                case 4: /* the extended header's size is the right one */
                        tar_pax_put(&tar, 'x', "size", "2");
                        tar_header_put(&tar, "selftests.json", '0', NULL, 0);
                        tar_data_put(&tar, "{}", 2);
                        break;
                case 5: /* a link's target in an extended header */
                        tar_pax_put(&tar, 'x', "linkpath", "/etc/shadow");
                        tar_header_put(&tar, "selftests.json", '2', NULL, 0);
                        break;
                case 6: /* for all that follows: libarchive lets it be, and so do we */
                        tar_pax_put(&tar, 'g', "path", "../../etc/passwd");
                        tar_file_put(&tar, "selftests.json", "{}", 2);
                        break;
                }
                for (size_t i = 1; i < MEMBERS; i++)
                        member_put(&tar, f, i);
                tar_end_put(&tar);
                r = read_tar(f, &tar, &err);
                switch (kind) {
                case 1:
                        assert_refused(r, err, REASON_UNLISTED_MEMBER);
                        break;
                case 3:
                        assert_refused(r, err, REASON_LENGTH_MISMATCH);
                        break;
                case 5:
                        assert_refused(r, err, REASON_NOT_A_FILE);
                        break;
                default:
                        assert_done(r, err);
                }
        }
}

static void test_damaged_headers(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf tar = {}, text = {}, negative = {};
        struct err err = {};

        members_tar(f, &tar);
        tar.data[512 + 512 + 20] ^= 1; /* a path, without its checksum */
        assert_refused(read_tar(f, &tar, &err), err, REASON_MALFORMED);
        for (int i = 0; i < 40; i++)
                assert_int_equal(buf_printf(&text, "this is no tar archive, but it is long enough to be one... "), 0);
        assert_refused(read_tar(f, &text, &err), err, REASON_MALFORMED);
        tar_pax_put(&negative, 'x', "size", "-1");
        tar_file_put(&negative, "selftests.json", "{}", 2);
        tar_end_put(&negative);
        assert_true(read_tar(f, &negative, &err) < 0);
        assert_int_not_equal(err.reason, REASON_NONE);
}

/* ---- ends ----------------------------------------------------------------------------------------------------------- */

static void test_tar_end(void **state) {
        static const struct {
                size_t zeros;
                const char *then;
                enum reason reason;
        } cases[] = {
                {0, "", REASON_TRUNCATED},
                {512, "", REASON_TRUNCATED},
                {1023, "", REASON_TRUNCATED},
                {1024, "", REASON_NONE},
                {1024, "x", REASON_TRAILING_DATA},
                {1025, "", REASON_TRAILING_DATA},
                {1536, "", REASON_TRAILING_DATA},
                {10240, "", REASON_TRAILING_DATA}, /* the padding of tapes, as tar(1) writes it */
                {10 << 20, "", REASON_TRAILING_DATA},
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_buf struct buf tar = {};
                struct err err = {};
                int r;

                for (size_t k = 0; k < MEMBERS; k++)
                        member_put(&tar, f, k);
                zeros_put(&tar, cases[i].zeros);
                assert_int_equal(buf_printf(&tar, "%s", cases[i].then), 0);
                r = read_tar(f, &tar, &err);
                if (cases[i].reason)
                        assert_refused(r, err, cases[i].reason);
                else
                        assert_done(r, err);
        }
}

static void test_one_zero_block_then_something(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf tar = {};
        struct err err = {};

        for (size_t k = 0; k < MEMBERS; k++)
                member_put(&tar, f, k);
        zeros_put(&tar, 512);
        tar_header_put(&tar, "sources/hidden", '0', NULL, 0);
        assert_refused(read_tar(f, &tar, &err), err, REASON_TRAILING_DATA);
}

static void test_after_the_last_frame(void **state) {
        static const char skippable[] = "\x50\x2a\x4d\x18\x04\x00\x00\x00hide";
        struct fixture *f = *state;

        for (int kind = 0; kind < 5; kind++) {
                cleanup_buf struct buf archive = {};
                struct err err = {};

                good_archive(f, &archive);
                switch (kind) {
                case 0:
                        assert_int_equal(buf_append(&archive, "\0", 1), 0);
                        break;
                case 1:
                        assert_int_equal(buf_append(&archive, skippable, sizeof(skippable) - 1), 0);
                        break;
                case 2: /* a frame of nothing */
                        frame_put(&archive, "", 0);
                        break;
                case 3: /* the archive once more */
                        good_archive(f, &archive);
                        break;
                case 4: /* the beginning of a frame */
                        assert_int_equal(buf_append(&archive, "\x28\xb5", 2), 0);
                        break;
                }
                assert_refused(read_archive(f, &archive, &err), err, REASON_TRAILING_DATA);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                with_bundle(test_lengths),
                with_bundle(test_order_and_presence),
                with_bundle(test_not_files),
                with_bundle(test_sparse),
                with_bundle(test_unsafe_paths),
                with_bundle(test_effective_headers),
                with_bundle(test_damaged_headers),
                with_bundle(test_tar_end),
                with_bundle(test_one_zero_block_then_something),
                with_bundle(test_after_the_last_frame),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
