/* SPDX-License-Identifier: Apache-2.0 */
/* Taking metadata apart and handing it on: what a supervisor unpacks comes from a process that has read the network. */
#include "tuf_fixture.h"

#define LONG_ID \
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int parse(const char *text, struct tuf_signed *ret, struct err *err) {
        return tuf_signed_parse(text, strlen(text), ret, err);
}

static void file(void **state) {
        cleanup_tuf_signed struct tuf_signed s = {};
        const char *text = "{\"signed\": {\"b\":\"x\\ny\\u00e9\", \"a\":[1,null,-9223372036854775808]},\n \"more\":{},"
                           "\"signatures\": [{\"keyid\":\"k 1\",\"sig\":\"00FF\"}, {\"keyid\":\"k2\",\"sig\":\"\"}]}";
        struct err err = {};
        uint8_t digest[SHA256_SIZE];

        assert_done(parse(text, &s, &err), err);
        assert_string_equal(s.bytes.data, "{\"a\":[1,null,-9223372036854775808],\"b\":\"x\ny\303\251\"}");
        assert_int_equal(s.n_sigs, 2);
        assert_string_equal(s.sigs[0].keyid, "k 1");
        assert_int_equal(s.sigs[0].len, 2);
        assert_memory_equal(s.sigs[0].sig, "\0\377", 2);
        assert_int_equal(s.sigs[1].len, 0);
        assert_true(s.file.known);
        assert_int_equal(s.file.length, strlen(text));
        assert_int_equal(sha256(text, strlen(text), digest), 0);
        assert_memory_equal(s.file.sha256, digest, sizeof(digest));
}

static void file_refused(void **state) {
        static const char *const bad[] = {
                "",
                "[]",
                "{\"signatures\":[]}",
                "{\"signed\":{}}",
                "{\"signed\":[],\"signatures\":[]}",
                "{\"signed\":{},\"signatures\":{}}",
                "{\"signed\":{},\"signatures\":[\"x\"]}",
                "{\"signed\":{},\"signatures\":[{\"keyid\":\"a\"}]}",
                "{\"signed\":{},\"signatures\":[{\"sig\":\"00\"}]}",
                "{\"signed\":{},\"signatures\":[{\"keyid\":\"\",\"sig\":\"00\"}]}",
                "{\"signed\":{},\"signatures\":[{\"keyid\":\"" LONG_ID "0\",\"sig\":\"00\"}]}",
                "{\"signed\":{},\"signatures\":[{\"keyid\":\"a\",\"sig\":\"00\"},{\"keyid\":\"a\",\"sig\":\"01\"}]}",
                "{\"signed\":{\"a\":1.5},\"signatures\":[]}",
                "{\"signed\":{\"a\":1,\"a\":2},\"signatures\":[]}",
                "{\"signed\":{\"a\":\"\\u0000\"},\"signatures\":[]}",
                "{\"signed\":{},\"signatures\":[]} x",
        };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct tuf_signed s = {};
                struct err err = {};

                assert_refused(parse(bad[i], &s, &err), err, REASON_MALFORMED);
                assert_null(s.sigs);
                assert_null(s.bytes.data);
        }
}

static void too_large(void **state) {
        cleanup_free char *text = malloc(TUF_SIGNED_MAX + 1);
        struct tuf_signed s = {};
        struct err err = {};

        memset(text, ' ', TUF_SIGNED_MAX + 1);
        assert_refused(tuf_signed_parse(text, TUF_SIGNED_MAX + 1, &s, &err), err, REASON_TOO_LARGE);
}

static void example(struct tuf_signed *ret) {
        assert_int_equal(parse("{\"signed\":{\"x\":1},\"signatures\":[{\"keyid\":\"a\",\"sig\":\"00ff\"},{\"keyid\":\"" LONG_ID
                               "\",\"sig\":\"\"},{\"keyid\":\"c\",\"sig\":\"zz\"}]}",
                               ret, NULL),
                         0);
}

static void packed(void **state) {
        cleanup_tuf_signed struct tuf_signed s = {}, again = {};
        cleanup_buf struct buf b = {}, c = {};
        struct err err = {};

        example(&s);
        assert_done(tuf_signed_pack(&s, &b, &err), err);
        assert_done(tuf_signed_unpack(b.data, b.len, &again, &err), err);
        assert_int_equal(again.n_sigs, 3);
        assert_string_equal(again.sigs[1].keyid, LONG_ID);
        assert_int_equal(again.sigs[0].len, 2);
        assert_string_equal(again.bytes.data, "{\"x\":1}");
        assert_false(again.file.known); /* never on somebody's word */
        assert_done(tuf_signed_pack(&again, &c, &err), err);
        assert_int_equal(b.len, c.len);
        assert_memory_equal(b.data, c.data, b.len);
}

/* Cut anywhere, continued, every byte changed to anything: refused, or what it says is again exactly these bytes. */
static void packed_damaged(void **state) {
        cleanup_tuf_signed struct tuf_signed s = {};
        cleanup_buf struct buf b = {};
        struct err err = {};

        example(&s);
        assert_done(tuf_signed_pack(&s, &b, &err), err);
        for (size_t n = 0; n < b.len; n++) {
                struct tuf_signed r = {};

                assert_refused(tuf_signed_unpack(b.data, n, &r, &err), err, REASON_MALFORMED);
                assert_null(r.sigs);
        }
        assert_int_equal(buf_append(&b, "x", 1), 0);
        {
                struct tuf_signed r = {};

                assert_refused(tuf_signed_unpack(b.data, b.len, &r, &err), err, REASON_MALFORMED);
        }
        b.len--;
        for (size_t i = 0; i < b.len; i++)
                for (int v = 0; v < 256; v++) {
                        cleanup_tuf_signed struct tuf_signed r = {};
                        cleanup_buf struct buf c = {};
                        char was = b.data[i];

                        b.data[i] = (char)v;
                        if (tuf_signed_unpack(b.data, b.len, &r, NULL) == 0) {
                                assert_int_equal(tuf_signed_pack(&r, &c, NULL), 0);
                                assert_int_equal(c.len, b.len);
                                assert_memory_equal(c.data, b.data, b.len);
                        }
                        b.data[i] = was;
                }
}

static void packed_lies(void **state) {
        static const struct {
                const char *what;
                size_t n;
                uint8_t bytes[24];
        } bad[] = {
                {"more signatures than there may be", 12, {'T', 'U', 'F', '1', 65, 0, 0, 0, 0, 0, 0, 0}},
                {"4 G signatures", 12, {'T', 'U', 'F', '1', 255, 255, 255, 255, 0, 0, 0, 0}},
                {"4 G bytes", 12, {'T', 'U', 'F', '1', 0, 0, 0, 0, 255, 255, 255, 255}},
                {"a key id of no bytes", 15, {'T', 'U', 'F', '1', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
                {"a key id with a NUL", 17, {'T', 'U', 'F', '1', 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 'a', 0}},
                {"a signature of 64 K", 16, {'T', 'U', 'F', '1', 1, 0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 'a'}},
                {"one key id twice", 20, {'T', 'U', 'F', '1', 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 'a', 1, 0, 0, 'a'}},
                {"another magic", 12, {'T', 'U', 'F', '2', 0, 0, 0, 0, 0, 0, 0, 0}},
        };

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct tuf_signed s = {};
                struct err err = {};

                if (tuf_signed_unpack(bad[i].bytes, bad[i].n, &s, &err) == 0)
                        fail_msg("%s is accepted", bad[i].what);
                assert_int_equal(err.reason, REASON_MALFORMED);
        }
}

static void hashes(void **state) {
        static const struct {
                const char *entry;
                enum reason reason;
        } cases[] = {
                {"{}", REASON_NONE},
                {"{\"length\":3}", REASON_NONE},
                {"{\"length\":4}", REASON_LENGTH_MISMATCH},
                {"{\"hashes\":{\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}}", REASON_NONE},
                {"{\"hashes\":{\"sha256\":\"BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD\"}}", REASON_NONE},
                {"{\"hashes\":{\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ae\"}}",
                 REASON_DIGEST_MISMATCH},
                {"{\"hashes\":{\"sha256\":\"ba7816bf\"}}", REASON_DIGEST_MISMATCH},
                {"{\"hashes\":{\"sha256\":\"\"}}", REASON_DIGEST_MISMATCH},
                {"{\"hashes\":{\"sha512\":\"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fe"
                 "ebbd454d4423643ce80e2a9ac94fa54ca49f\"}}",
                 REASON_NONE},
                {"{\"hashes\":{\"sha512\":\"00af35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fe"
                 "ebbd454d4423643ce80e2a9ac94fa54ca49f\"}}",
                 REASON_DIGEST_MISMATCH},
                {"{\"hashes\":{\"md5\":\"900150983cd24fb0d6963f7d28e17f72\"}}", REASON_DIGEST_MISMATCH},
                {"{\"hashes\":{\"md5\":\"x\",\"sha256\":\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}}",
                 REASON_NONE},
        };
        struct tuf_file f;

        assert_int_equal(tuf_file_of("abc", 3, &f), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_json json_t *entry = json_loads(cases[i].entry, 0, NULL);
                struct err err = {};

                if (cases[i].reason)
                        assert_refused(tuf_file_check(&f, entry, &err), err, cases[i].reason);
                else
                        assert_done(tuf_file_check(&f, entry, &err), err);
                assert_int_equal(tuf_file_check(&(struct tuf_file){}, entry, NULL), 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(file),   cmocka_unit_test(file_refused),   cmocka_unit_test(too_large),
                cmocka_unit_test(packed), cmocka_unit_test(packed_damaged), cmocka_unit_test(packed_lies),
                cmocka_unit_test(hashes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
