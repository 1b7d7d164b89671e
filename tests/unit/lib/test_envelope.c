/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes: who has signed what. Every way in which a document could pass with fewer keys than its owners asked for. */
#include "envelope.h"
#include "unit.h"

#define KEYS 4

struct fixture {
        struct privkey *keys[KEYS];
        struct keyring ring; /* the first three */
        struct envelope env;
};

static int setup(void **state) {
        struct fixture *f = calloc(1, sizeof(*f));

        for (int i = 0; i < KEYS; i++) {
                cleanup_buf struct buf pem = {};

                if (privkey_generate(&f->keys[i], NULL) < 0 || pubkey_pem(privkey_public(f->keys[i]), &pem, NULL) < 0)
                        return -1;
                if (i < 3 && keyring_add_pem(&f->ring, pem.data, pem.len, NULL) < 0)
                        return -1;
        }
        *state = f;
        return buf_printf(&f->env.bytes, "{\"_type\":\"thing\",\"format\":1,\"x\":\"y\"}");
}

static int teardown(void **state) {
        struct fixture *f = *state;

        for (int i = 0; i < KEYS; i++)
                privkey_free(f->keys[i]);
        keyring_done(&f->ring);
        envelope_done(&f->env);
        free(f);
        return 0;
}

static void sign(struct fixture *f, int key) {
        assert_int_equal(envelope_sign(&f->env, f->keys[key], NULL), 0);
}

static int verify(struct fixture *f, size_t threshold, struct sig_report *report, struct err *err) {
        return signatures_verify(f->env.bytes.data, f->env.bytes.len, f->env.sigs, f->env.n_sigs, &f->ring, threshold, report,
                                 err);
}

static void test_threshold(void **state) {
        struct fixture *f = *state;
        struct sig_report report;
        struct err err = {};

        assert_refused(verify(f, 1, &report, &err), err, REASON_UNKNOWN_KEY);
        sign(f, 0);
        assert_done(verify(f, 1, &report, &err), err);
        assert_true(report.valid[0] && !report.valid[1]);
        assert_refused(verify(f, 2, &report, &err), err, REASON_THRESHOLD_NOT_MET);
        assert_int_equal(report.n_valid, 1);
        sign(f, 2);
        assert_done(verify(f, 2, &report, &err), err);
        assert_true(report.valid[0] && !report.valid[1] && report.valid[2]);
        assert_int_equal(report.n_valid, 2);
        assert_refused(verify(f, 3, NULL, &err), err, REASON_THRESHOLD_NOT_MET);
        sign(f, 1);
        assert_done(verify(f, 3, NULL, &err), err);
        assert_refused(verify(f, 4, NULL, &err), err, REASON_THRESHOLD_NOT_MET);
        assert_refused(verify(f, SIZE_MAX, NULL, &err), err, REASON_THRESHOLD_NOT_MET);
}

/* "None needed" must not mean "anything goes". */
static void test_threshold_zero(void **state) {
        struct fixture *f = *state;
        struct err err = {};

        sign(f, 0);
        assert_refused(verify(f, 0, NULL, &err), err, REASON_THRESHOLD_NOT_MET);
}

static void test_strangers_do_not_count(void **state) {
        struct fixture *f = *state;
        struct sig_report report;
        struct err err = {};

        sign(f, 3);
        assert_refused(verify(f, 1, &report, &err), err, REASON_UNKNOWN_KEY);
        assert_int_equal(report.n_unknown, 1);
        assert_int_equal(report.n_valid, 0);
        sign(f, 0);
        assert_done(verify(f, 1, &report, &err), err);
        assert_int_equal(report.n_unknown, 1);
        assert_refused(verify(f, 2, NULL, &err), err, REASON_THRESHOLD_NOT_MET);
}

static void test_empty_ring(void **state) {
        struct fixture *f = *state;
        struct keyring none = {};
        struct err err = {};
        int r;

        sign(f, 0);
        r = signatures_verify(f->env.bytes.data, f->env.bytes.len, f->env.sigs, f->env.n_sigs, &none, 1, NULL, &err);
        assert_refused(r, err, REASON_UNKNOWN_KEY);
}

static void test_one_key_many_times(void **state) {
        struct fixture *f = *state;
        struct signature twice[3];
        struct sig_report report;
        struct err err = {};

        sign(f, 0);
        sign(f, 0); /* replaces */
        assert_int_equal(f->env.n_sigs, 1);
        for (int i = 0; i < 3; i++)
                twice[i] = f->env.sigs[0];
        assert_refused(signatures_verify(f->env.bytes.data, f->env.bytes.len, twice, 3, &f->ring, 2, &report, &err), err,
                       REASON_THRESHOLD_NOT_MET);
        assert_int_equal(report.n_valid, 1);
}

/* Two ids of one key: whoever writes the ring may be fooled, the count may not. */
static void test_one_material_two_ids(void **state) {
        struct fixture *f = *state;
        struct pubkey keys[2];
        struct keyring ring = {.keys = keys, .n = 2};
        struct signature sigs[2];
        struct sig_report report;
        struct err err = {};

        sign(f, 0);
        keys[0] = keys[1] = f->ring.keys[0];
        memset(keys[1].id, 0x77, sizeof(keys[1].id));
        sigs[0] = sigs[1] = f->env.sigs[0];
        memset(sigs[1].keyid, 0x77, sizeof(sigs[1].keyid));
        assert_refused(signatures_verify(f->env.bytes.data, f->env.bytes.len, sigs, 2, &ring, 2, &report, &err), err,
                       REASON_THRESHOLD_NOT_MET);
        assert_int_equal(report.n_valid, 1);
}

static void test_ring_too_large(void **state) {
        struct fixture *f = *state;
        struct keyring ring = {.keys = f->ring.keys, .n = SIGNATURES_MAX + 1};
        struct err err = {};

        sign(f, 0);
        assert_refused(signatures_verify(f->env.bytes.data, f->env.bytes.len, f->env.sigs, 1, &ring, 1, NULL, &err), err,
                       REASON_THRESHOLD_NOT_MET);
}

static void test_bad_signature(void **state) {
        struct fixture *f = *state;
        struct sig_report report;
        struct err err = {};

        sign(f, 0);
        f->env.sigs[0].sig[10] ^= 1;
        assert_refused(verify(f, 1, &report, &err), err, REASON_BAD_SIGNATURE);
        assert_int_equal(report.n_valid, 0);
        assert_non_null(strstr(err.msg, f->ring.keys[0].id_hex));
        f->env.sigs[0].len = 0;
        assert_refused(verify(f, 1, NULL, &err), err, REASON_BAD_SIGNATURE);
        /* Enough good ones beside it: the document is signed as asked. */
        sign(f, 1);
        assert_done(verify(f, 1, &report, &err), err);
        assert_int_equal(report.n_valid, 1);
        assert_refused(verify(f, 2, NULL, &err), err, REASON_BAD_SIGNATURE);
}

/* One key's signature under another's name. */
static void test_swapped_key_ids(void **state) {
        struct fixture *f = *state;
        struct err err = {};

        sign(f, 0);
        memcpy(f->env.sigs[0].keyid, f->ring.keys[1].id, SHA256_SIZE);
        assert_refused(verify(f, 1, NULL, &err), err, REASON_BAD_SIGNATURE);
}

static void test_every_bit_of_the_bytes(void **state) {
        struct fixture *f = *state;
        struct err err = {};

        sign(f, 0);
        for (size_t i = 0; i < f->env.bytes.len; i++) {
                f->env.bytes.data[i] ^= (char)(1 << i % 8);
                assert_refused(verify(f, 1, NULL, &err), err, REASON_BAD_SIGNATURE);
                f->env.bytes.data[i] ^= (char)(1 << i % 8);
        }
        f->env.bytes.len--;
        assert_refused(verify(f, 1, NULL, &err), err, REASON_BAD_SIGNATURE);
}

static void test_round_trip(void **state) {
        struct fixture *f = *state;
        cleanup_envelope struct envelope again = {};
        cleanup_buf struct buf a = {}, b = {};
        struct err err = {};

        for (int i = 0; i < KEYS; i++)
                sign(f, i);
        assert_done(envelope_format(&f->env, &a, &err), err);
        assert_done(envelope_parse(a.data, a.len, &again, &err), err);
        assert_int_equal(again.n_sigs, KEYS);
        for (int i = 1; i < KEYS; i++) /* sorted, whoever signed first */
                assert_true(memcmp(again.sigs[i - 1].keyid, again.sigs[i].keyid, SHA256_SIZE) < 0);
        assert_string_equal(again.bytes.data, f->env.bytes.data);
        assert_done(envelope_format(&again, &b, &err), err);
        assert_string_equal(a.data, b.data);
        assert_done(signatures_verify(again.bytes.data, again.bytes.len, again.sigs, again.n_sigs, &f->ring, 3, NULL, &err), err);
}

/* The text of an envelope may be laid out anyhow; what counts is the canonical form of what it says. */
static void test_layout_does_not_matter(void **state) {
        static const char text[] = " { \"signed\" : { \"x\":\"y\", \"format\": 1 ,\"_type\":\"thi\\u006eg\"}, "
                                   "\"signatures\" : [ ], \"z\":1 } ";
        struct fixture *f = *state;
        cleanup_envelope struct envelope env = {};
        struct err err = {};

        assert_done(envelope_parse(text, strlen(text), &env, &err), err);
        assert_string_equal(env.bytes.data, f->env.bytes.data);
        assert_int_equal(env.n_sigs, 0);
}

#define ID "0000000000000000000000000000000000000000000000000000000000000000"
#define ENVELOPE(sigs) "{\"signatures\":" sigs ",\"signed\":{}}"

static void test_malformed(void **state) {
        static const char *const bad[] = {
                "",
                "[]",
                "1",
                "{}",
                "{\"signed\":{}}",
                "{\"signatures\":[]}",
                "{\"signatures\":[],\"signed\":[]}",
                "{\"signatures\":[],\"signed\":\"x\"}",
                "{\"signatures\":{},\"signed\":{}}",
                "{\"signatures\":null,\"signed\":{}}",
                "{\"signatures\":[],\"signed\":{},\"signed\":{}}",
                "{\"signatures\":[],\"signatures\":[],\"signed\":{}}",
                "{\"signatures\":[],\"signed\":{\"a\":1,\"a\":2}}",
                "{\"signatures\":[],\"signed\":{\"a\":0.5}}",
                "{\"signatures\":[],\"signed\":{\"a\":9007199254740992}}",
                "{\"signatures\":[],\"signed\":{\"a\":\"\\u0007\"}}",
                "{\"signatures\":[],\"signed\":{}}x",
                ENVELOPE("[1]"),
                ENVELOPE("[[]]"),
                ENVELOPE("[{}]"),
                ENVELOPE("[{\"keyid\":\"" ID "\"}]"),
                ENVELOPE("[{\"sig\":\"\"}]"),
                ENVELOPE("[{\"keyid\":\"\",\"sig\":\"\"}]"),
                ENVELOPE("[{\"keyid\":\"" ID "0\",\"sig\":\"\"}]"),
                ENVELOPE("[{\"keyid\":\"" ID "\",\"sig\":\"0\"}]"),
                ENVELOPE("[{\"keyid\":\"" ID "\",\"sig\":\"AA\"}]"),
                ENVELOPE("[{\"keyid\":\"" ID "\",\"sig\":\"zz\"}]"),
                ENVELOPE("[{\"keyid\":\"" ID "\",\"sig\":1}]"),
                ENVELOPE("[{\"keyid\":1,\"sig\":\"\"}]"),
                ENVELOPE("[{\"keyid\":\"" ID "\",\"sig\":\"\"},{\"keyid\":\"" ID "\",\"sig\":\"00\"}]"), /* one id twice */
        };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct envelope env = {};
                struct err err = {};

                assert_refused(envelope_parse(bad[i], strlen(bad[i]), &env, &err), err, REASON_MALFORMED);
                assert_null(env.sigs);
                assert_null(env.bytes.data);
        }
}

static void sigs_text(struct buf *b, size_t n, size_t sig_len) {
        buf_printf(b, "{\"signatures\":[");
        for (size_t i = 0; i < n; i++)
                buf_printf(b, "%s{\"keyid\":\"%064zx\",\"sig\":\"%0*d\"}", i ? "," : "", i, (int)(2 * sig_len), 0);
        buf_printf(b, "],\"signed\":{}}");
}

static void test_limits(void **state) {
        static const struct {
                size_t n, len;
                enum reason reason;
        } cases[] = {
                {SIGNATURES_MAX, 64, REASON_NONE},
                {SIGNATURES_MAX + 1, 64, REASON_MALFORMED},
                {1, SIG_MAX, REASON_NONE},
                {1, SIG_MAX + 1, REASON_MALFORMED},
        };
        cleanup_buf struct buf huge = {};
        struct envelope env = {};
        struct err err = {};

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_buf struct buf b = {};

                sigs_text(&b, cases[i].n, cases[i].len);
                if (cases[i].reason)
                        assert_refused(envelope_parse(b.data, b.len, &env, &err), err, cases[i].reason);
                else {
                        assert_done(envelope_parse(b.data, b.len, &env, &err), err);
                        assert_int_equal(env.n_sigs, cases[i].n);
                        envelope_done(&env);
                }
        }
        buf_printf(&huge, "{\"signatures\":[],\"signed\":{}}%*s", (int)ENVELOPE_MAX, "");
        assert_refused(envelope_parse(huge.data, huge.len, &env, &err), err, REASON_TOO_LARGE);
        huge.len = ENVELOPE_MAX;
        assert_done(envelope_parse(huge.data, huge.len, &env, &err), err);
        envelope_done(&env);
}

static void test_too_large_to_write(void **state) {
        struct fixture *f = *state;
        cleanup_buf struct buf out = {};
        struct err err = {};

        buf_printf(&f->env.bytes, "%*s", (int)ENVELOPE_MAX, "");
        assert_refused(envelope_format(&f->env, &out, &err), err, REASON_TOO_LARGE);
        assert_int_equal(out.len, 0);
}

static void test_signed_open(void **state) {
        static const struct {
                const char *text;
                enum reason reason;
        } cases[] = {
                {"{\"_type\":\"thing\",\"format\":1}", REASON_NONE},
                {"{\"_type\":\"thing\",\"format\":1,\"more\":{}}", REASON_NONE},
                {"{\"_type\":\"other\",\"format\":1}", REASON_WRONG_TYPE},
                {"{\"_type\":\"thing2\",\"format\":1}", REASON_WRONG_TYPE},
                {"{\"_type\":\"\",\"format\":1}", REASON_WRONG_TYPE},
                {"{\"_type\":\"thing\",\"format\":2}", REASON_UNSUPPORTED_FORMAT},
                {"{\"_type\":\"thing\",\"format\":0}", REASON_UNSUPPORTED_FORMAT},
                {"{\"_type\":\"thing\",\"format\":-1}", REASON_MALFORMED},
                {"{\"_type\":\"thing\",\"format\":\"1\"}", REASON_MALFORMED},
                {"{\"_type\":\"thing\"}", REASON_MALFORMED},
                {"{\"format\":1}", REASON_MALFORMED},
                {"{\"_type\":1,\"format\":1}", REASON_MALFORMED},
                {"[]", REASON_MALFORMED},
                {"\"thing\"", REASON_MALFORMED},
                {"", REASON_MALFORMED},
                /* right, but not canonical: the signed bytes are the only form */
                {"{\"format\":1,\"_type\":\"thing\"}", REASON_MALFORMED},
                {"{\"_type\":\"thing\", \"format\":1}", REASON_MALFORMED},
                {"{\"_type\":\"thing\",\"format\":1} ", REASON_MALFORMED},
                {"{\"_type\":\"thi\\u006eg\",\"format\":1}", REASON_MALFORMED},
                {"{\"_type\":\"thing\",\"format\":1,\"n\":-0}", REASON_MALFORMED},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_json json_t *j = NULL;
                struct err err = {};
                int r = signed_open(cases[i].text, strlen(cases[i].text), "thing", &j, &err);

                if (cases[i].reason == REASON_NONE) {
                        assert_done(r, err);
                        assert_non_null(j);
                } else {
                        assert_refused(r, err, cases[i].reason);
                        assert_null(j);
                }
        }
}

int main(void) {
#define with_keys(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
        const struct CMUnitTest tests[] = {
                with_keys(test_threshold),
                with_keys(test_threshold_zero),
                with_keys(test_strangers_do_not_count),
                with_keys(test_empty_ring),
                with_keys(test_one_key_many_times),
                with_keys(test_one_material_two_ids),
                with_keys(test_ring_too_large),
                with_keys(test_bad_signature),
                with_keys(test_swapped_key_ids),
                with_keys(test_every_bit_of_the_bytes),
                with_keys(test_round_trip),
                with_keys(test_layout_does_not_matter),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_limits),
                with_keys(test_too_large_to_write),
                cmocka_unit_test(test_signed_open),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
