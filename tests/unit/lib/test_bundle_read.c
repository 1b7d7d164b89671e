/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a bundle: nothing is accepted with other content than was signed, and nothing is interpreted before that is known. */
#include <dirent.h>

#include "bundle_fixture.h"

static size_t open_fds(void) {
        DIR *d = opendir("/proc/self/fd");
        size_t n = 0;

        assert_non_null(d);
        while (readdir(d))
                n++;
        closedir(d);
        return n;
}

/* ---- accepted ------------------------------------------------------------------------------------------------------- */

static void test_good(void **state) {
        static const size_t pieces[] = {SIZE_MAX, 1, 7, 512, 4096};
        struct fixture *f = *state;

        for (int raw = 0; raw < 2; raw++)
                for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
                        cleanup_told struct told t = {.refuse_at = -1};
                        cleanup_buf struct buf archive = {};
                        struct err err = {};

                        (raw ? raw_archive : good_archive)(f, &archive);
                        assert_done(read_told(f, &archive, pieces[i], NULL, &t, &err), err);
                        assert_content(f, &t);
                }
}

static void test_without_a_sink(void **state) {
        struct fixture *f = *state;
        const struct bundle_trust trust = {.ring = &f->ring, .threshold = 1};
        const struct bundle_sink none = {};
        cleanup_buf struct buf archive = {};
        struct source source;
        struct err err = {};

        good_archive(f, &archive);
        source = (struct source){archive.data, archive.len, SIZE_MAX};
        assert_done(bundle_read(source_read, &source, &trust, NULL, &none, NULL, &err), err);
        source = (struct source){archive.data, archive.len, SIZE_MAX};
        assert_done(bundle_read(source_read, &source, &trust, NULL, &none, NULL, NULL), err);
}

/* A sink that has had enough is obeyed at each of its calls. */
static void test_sink_stops(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf archive = {};
        struct err err = {};
        int r, at = 0;

        good_archive(f, &archive);
        for (;; at++) {
                cleanup_told struct told t = {.refuse_at = at};

                r = read_told(f, &archive, SIZE_MAX, NULL, &t, &err);
                if (r == 0)
                        break;
                assert_int_equal(r, -ECANCELED);
                assert_int_equal(t.calls, at + 1);
        }
        assert_true(at >= 1 + 3 * MEMBERS - 1); /* the empty member has no data */
}

/* ---- signatures ----------------------------------------------------------------------------------------------------- */

static int read_as(struct fixture *f, const struct keyring *ring, size_t threshold, struct sig_report *report, struct err *err) {
        const struct bundle_trust trust = {.ring = ring, .threshold = threshold};
        const struct bundle_sink none = {};
        cleanup_buf struct buf archive = {};
        struct source source;

        good_archive(f, &archive);
        source = (struct source){archive.data, archive.len, SIZE_MAX};
        return bundle_read(source_read, &source, &trust, NULL, &none, report, err);
}

static void test_signatures(void **state) {
        struct fixture *f = *state;
        struct keyring stranger = {.keys = &f->ring.keys[1], .n = 1}, none = {};
        struct sig_report report;
        struct err err = {};

        assert_done(read_as(f, &f->ring, 1, &report, &err), err);
        assert_true(report.valid[0] && report.n_valid == 1);
        assert_refused(read_as(f, &f->ring, 2, &report, &err), err, REASON_THRESHOLD_NOT_MET);
        assert_int_equal(report.n_valid, 1);
        assert_refused(read_as(f, &f->ring, 0, NULL, &err), err, REASON_THRESHOLD_NOT_MET);
        assert_refused(read_as(f, &stranger, 1, &report, &err), err, REASON_UNKNOWN_KEY);
        assert_int_equal(report.n_unknown, 1);
        assert_refused(read_as(f, &none, 1, NULL, &err), err, REASON_UNKNOWN_KEY);
        assert_done(read_as(f, NULL, 0, &report, &err), err); /* inspect: nobody is believed, and the report says so */
        assert_true(report.n_valid == 0 && report.n_unknown == 1);
        f->env.sigs[0].sig[0] ^= 1;
        assert_refused(read_as(f, &f->ring, 1, NULL, &err), err, REASON_BAD_SIGNATURE);
        f->env.n_sigs = 0;
        assert_refused(read_as(f, &f->ring, 1, NULL, &err), err, REASON_UNKNOWN_KEY);
}

/* Nothing of a manifest is interpreted before somebody has vouched for it. */
static void test_signature_before_content(void **state) {
        struct fixture *f = *state;
        struct err err = {};

        f->env.n_sigs = 0;
        f->env.bytes.len = 0;
        assert_int_equal(buf_printf(&f->env.bytes, "{\"_type\":\"something else\"}"), 0);
        assert_refused(read_as(f, &f->ring, 1, NULL, &err), err, REASON_UNKNOWN_KEY);
        assert_refused(read_as(f, NULL, 1, NULL, &err), err, REASON_WRONG_TYPE);
        assert_int_equal(envelope_sign(&f->env, f->keys[0], NULL), 0);
        assert_refused(read_as(f, &f->ring, 1, NULL, &err), err, REASON_WRONG_TYPE);
}

/* ---- damage --------------------------------------------------------------------------------------------------------- */

static void test_truncated_anywhere(void **state) {
        struct fixture *f = *state;

        for (int raw = 0; raw < 2; raw++) {
                cleanup_buf struct buf archive = {};
                size_t whole;

                (raw ? raw_archive : good_archive)(f, &archive);
                whole = archive.len;
                for (archive.len = 0; archive.len < whole; archive.len += raw && archive.len > 64 ? 97 : 1) {
                        struct err err = {};

                        assert_refused(read_archive(f, &archive, &err), err, REASON_TRUNCATED);
                }
        }
}

/* One bit in each byte. What is left unsigned (owner, mode, time) may change; what is read may not. */
static void test_flipped_anywhere(void **state) {
        struct fixture *f = *state;
        size_t refused[REASON_COUNT] = {}, accepted = 0;

        for (int raw = 0; raw < 2; raw++) {
                cleanup_buf struct buf archive = {};

                (raw ? raw_archive : good_archive)(f, &archive);
                for (size_t i = 0; i < archive.len; i += raw ? 3 : 1) { /* coprime to the bits' period of 8 */
                        cleanup_told struct told t = {.refuse_at = -1};
                        struct err err = {};

                        archive.data[i] ^= (char)(1 << i % 8);
                        if (read_told(f, &archive, SIZE_MAX, NULL, &t, &err) < 0) {
                                refused[err.reason]++;
                                assert_int_not_equal(err.reason, REASON_NONE);
                        } else {
                                accepted++;
                                assert_content(f, &t);
                        }
                        archive.data[i] ^= (char)(1 << i % 8);
                }
        }
        /* The signed text, the members and the headers' checksums: each was hit often. */
        assert_true(refused[REASON_BAD_SIGNATURE] > 500);
        assert_true(refused[REASON_DIGEST_MISMATCH] > 1000);
        assert_true(refused[REASON_MALFORMED] > 200);
}

static void test_members_damaged(void **state) {
        struct fixture *f = *state;

        for (size_t i = 0; i + 1 < MEMBERS; i++) {
                const struct bundle_member m = f->members[i];
                cleanup_buf struct buf text = {}, tar = {};
                struct err err = {};

                assert_int_equal(buf_append(&text, m.data, m.len), 0);
                text.data[m.len - 1] ^= 1;
                f->members[i].data = text.data;
                members_tar(f, &tar);
                f->members[i] = m;
                assert_refused(read_tar(f, &tar, &err), err, REASON_DIGEST_MISMATCH);
                assert_non_null(strstr(err.msg, m.path));
        }
}

/* ---- the reader's surroundings -------------------------------------------------------------------------------------- */

static ssize_t failing_read(void *ctx, void *p, size_t n) {
        struct source *s = ctx;

        return s->n ? source_read(s, p, n) : -ECONNRESET;
}

static void test_read_errors_are_passed_on(void **state) {
        struct fixture *f = *state;
        const struct bundle_trust trust = {.ring = &f->ring, .threshold = 1};
        const struct bundle_sink none = {};
        cleanup_buf struct buf archive = {};
        struct err err = {};

        good_archive(f, &archive);
        for (size_t n = 0; n <= archive.len; n += 31) {
                struct source source = {archive.data, n, 64};

                assert_int_equal(bundle_read(failing_read, &source, &trust, NULL, &none, NULL, &err), -ECONNRESET);
                assert_int_equal(err.reason, REASON_NONE);
        }
}

static void test_nothing_leaks(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf archive = {};
        size_t before = open_fds();
        struct err err = {};

        good_archive(f, &archive);
        for (int i = 0; i < 20; i++) {
                assert_done(read_archive(f, &archive, &err), err);
                archive.len -= 10;
                assert_refused(read_archive(f, &archive, &err), err, REASON_TRUNCATED);
                archive.len += 10;
        }
        assert_int_equal(open_fds(), before);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                with_bundle(test_good),
                with_bundle(test_without_a_sink),
                with_bundle(test_sink_stops),
                with_bundle(test_signatures),
                with_bundle(test_signature_before_content),
                with_bundle(test_truncated_anywhere),
                with_bundle(test_flipped_anywhere),
                with_bundle(test_members_damaged),
                with_bundle(test_read_errors_are_passed_on),
                with_bundle(test_nothing_leaks),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
