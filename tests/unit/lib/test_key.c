/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: the id that others compute, the signatures that others make, and nothing else than Ed25519. */
#include <fcntl.h>

#include "fileio.h"
#include "key.h"
#include "unit.h"

/* RFC 8032, 7.1, test 1: a public key and its signature over nothing. */
static const char rfc_public[] = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
static const char rfc_signature[] = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                                    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
/* SHA-256 of {"keytype":"ed25519","keyval":{"public":"d75a..."},"scheme":"ed25519"} */
static const char rfc_id[] = "74c181c7ad8a0855d4b55e44d2ba87aabdddb196832571f15f92fece332e4916";
static const char rfc_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                              "-----END PUBLIC KEY-----\n";
static const char rfc_private_pem[] = "-----BEGIN PRIVATE KEY-----\n"
                                      "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                                      "-----END PRIVATE KEY-----\n";
static const char rsa_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANUo2FdzAw+7Wakmt1ujUQjBC4XTf3OC\n"
                              "+jJr47NNqUnejP+M2rTOVOYfdRk3jDI0G84uxkAtJOQ10WTc3nI2WsMCAwEAAQ==\n"
                              "-----END PUBLIC KEY-----\n";
static const char x25519_pem[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MCowBQYDK2VuAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                                 "-----END PUBLIC KEY-----\n";

static void rfc_ring(struct keyring *ring) {
        uint8_t raw[32];

        assert_int_equal(hex_decode(rfc_public, raw, sizeof(raw)), 0);
        assert_int_equal(keyring_add_raw(ring, raw, NULL), 0);
}

static void test_key_id(void **state) {
        cleanup_keyring struct keyring ring = {};
        cleanup_buf struct buf pem = {};

        rfc_ring(&ring);
        assert_string_equal(ring.keys[0].id_hex, rfc_id);
        assert_int_equal(pubkey_pem(&ring.keys[0], &pem, NULL), 0);
        assert_string_equal(pem.data, rfc_pem);
}

static void test_known_signature(void **state) {
        cleanup_keyring struct keyring ring = {};
        uint8_t sig[64];
        struct err err = {};

        rfc_ring(&ring);
        assert_int_equal(hex_decode(rfc_signature, sig, sizeof(sig)), 0);
        assert_done(pubkey_verify(&ring.keys[0], "", 0, sig, sizeof(sig), &err), err);
        assert_refused(pubkey_verify(&ring.keys[0], "x", 1, sig, sizeof(sig), &err), err, REASON_BAD_SIGNATURE);
        assert_refused(pubkey_verify(&ring.keys[0], "", 0, sig, 63, &err), err, REASON_BAD_SIGNATURE);
        assert_refused(pubkey_verify(&ring.keys[0], "", 0, sig, 0, &err), err, REASON_BAD_SIGNATURE);
        for (size_t i = 0; i < sizeof(sig); i++) {
                sig[i] ^= 1;
                assert_refused(pubkey_verify(&ring.keys[0], "", 0, sig, sizeof(sig), &err), err, REASON_BAD_SIGNATURE);
                sig[i] ^= 1;
        }
        assert_done(pubkey_verify(&ring.keys[0], "", 0, sig, sizeof(sig), &err), err);
}

/* S + L gives a second signature of the same message to a careless verifier: one document, one signature. */
static void test_malleable_signature(void **state) {
        static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                          0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
        cleanup_keyring struct keyring ring = {};
        uint8_t sig[64];
        struct err err = {};
        unsigned int carry = 0;

        rfc_ring(&ring);
        assert_int_equal(hex_decode(rfc_signature, sig, sizeof(sig)), 0);
        for (size_t i = 0; i < sizeof(order); i++) {
                carry += sig[32 + i] + order[i];
                sig[32 + i] = (uint8_t)carry;
                carry >>= 8;
        }
        assert_refused(pubkey_verify(&ring.keys[0], "", 0, sig, sizeof(sig), &err), err, REASON_BAD_SIGNATURE);
}

static void test_pem_refused(void **state) {
        static const char *const bad[] = {"",
                                          "x",
                                          rsa_pem,
                                          x25519_pem,
                                          rfc_private_pem,
                                          "-----BEGIN PUBLIC KEY-----\n",
                                          "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"};
        cleanup_keyring struct keyring ring = {};
        cleanup_buf struct buf twice = {}, huge = {};
        struct err err = {};

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                assert_refused(keyring_add_pem(&ring, bad[i], strlen(bad[i]), &err), err, REASON_MALFORMED);
        assert_int_equal(buf_printf(&twice, "%s%s", rfc_pem, rfc_pem), 0);
        assert_refused(keyring_add_pem(&ring, twice.data, twice.len, &err), err, REASON_MALFORMED);
        assert_int_equal(buf_printf(&huge, "%20000d%s", 1, rfc_pem), 0);
        assert_refused(keyring_add_pem(&ring, huge.data, huge.len, &err), err, REASON_TOO_LARGE);
        assert_int_equal(keyring_add_file(&ring, "/nonexistent", &err), -ENOENT);
        assert_int_equal(ring.n, 0);
}

static void test_same_key_once(void **state) {
        cleanup_keyring struct keyring ring = {};
        struct err err = {};

        rfc_ring(&ring);
        rfc_ring(&ring);
        assert_done(keyring_add_pem(&ring, rfc_pem, strlen(rfc_pem), &err), err);
        assert_int_equal(ring.n, 1);
}

static void test_ring_is_bounded(void **state) {
        cleanup_keyring struct keyring ring = {};
        struct err err = {};

        for (int i = 0; i <= KEYRING_MAX; i++) {
                cleanup_privkey struct privkey *key = NULL;
                cleanup_buf struct buf pem = {};

                assert_done(privkey_generate(&key, &err), err);
                assert_done(pubkey_pem(privkey_public(key), &pem, &err), err);
                if (i < KEYRING_MAX)
                        assert_done(keyring_add_pem(&ring, pem.data, pem.len, &err), err);
                else
                        assert_refused(keyring_add_pem(&ring, pem.data, pem.len, &err), err, REASON_TOO_LARGE);
        }
        assert_int_equal(ring.n, KEYRING_MAX);
}

/* A file of this content, gone again at the end. */
struct file {
        char path[64];
};
static void file_remove(struct file *f) {
        unlink(f->path);
}
static void file_make(struct file *f, const char *text) {
        int fd;

        strcpy(f->path, "/tmp/test_key.XXXXXX");
        fd = mkstemp(f->path);
        assert_true(fd >= 0);
        assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
        close(fd);
}

static void test_private_key_file(void **state) {
        cleanup(file_remove) struct file f;
        cleanup_buf_wipe struct buf pem = {};
        struct err err = {};
        char uri[80];

        file_make(&f, rfc_private_pem);
        snprintf(uri, sizeof(uri), "file:%s", f.path);
        for (int i = 0; i < 2; i++) { /* by path, and through OpenSSL's store */
                cleanup_privkey struct privkey *key = NULL;
                uint8_t sig[SIG_MAX];
                char hex[2 * SIG_MAX + 1];
                size_t n;

                assert_done(privkey_load(i ? uri : f.path, &key, &err), err);
                assert_string_equal(privkey_public(key)->id_hex, rfc_id);
                assert_done(privkey_sign(key, "", 0, sig, &n, &err), err);
                hex_encode(sig, n, hex);
                assert_string_equal(hex, rfc_signature);
                pem.len = 0;
                assert_done(privkey_pem(key, &pem, &err), err);
                assert_string_equal(pem.data, rfc_private_pem);
        }
}

static void test_private_key_refused(void **state) {
        static const char *const bad[] = {
                "",
                "x",
                rfc_pem,
                /* X25519 */
                "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                "-----END PRIVATE KEY-----\n",
        };
        struct privkey *key = NULL;
        struct err err = {};

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                cleanup(file_remove) struct file f;
                char uri[80];

                file_make(&f, bad[i]);
                assert_refused(privkey_load(f.path, &key, &err), err, REASON_MALFORMED);
                assert_non_null(strstr(err.msg, f.path));
                snprintf(uri, sizeof(uri), "file:%s", f.path);
                assert_refused(privkey_load(uri, &key, &err), err, REASON_MALFORMED);
        }
        assert_int_equal(privkey_load("/nonexistent", &key, &err), -ENOENT);
        assert_true(privkey_load("file:/nonexistent", &key, &err) < 0);
        assert_true(privkey_load("nosuchscheme:x", &key, &err) < 0);
        assert_int_equal(privkey_load("./dir:x", &key, &err), -ENOENT); /* a path: no scheme begins with a dot */
        assert_int_equal(privkey_load("/tmp", &key, &err), -EISDIR);
        assert_null(key);
        privkey_free(NULL);
}

static void test_generated_keys_differ(void **state) {
        cleanup_privkey struct privkey *a = NULL, *b = NULL;
        cleanup_keyring struct keyring ring = {};
        cleanup_buf struct buf pem = {};
        uint8_t sig[SIG_MAX];
        struct err err = {};
        size_t n;

        assert_done(privkey_generate(&a, &err), err);
        assert_done(privkey_generate(&b, &err), err);
        assert_string_not_equal(privkey_public(a)->id_hex, privkey_public(b)->id_hex);
        assert_memory_not_equal(privkey_public(a)->material, privkey_public(b)->material, SHA256_SIZE);
        assert_done(privkey_sign(a, "text", 4, sig, &n, &err), err);
        assert_done(pubkey_pem(privkey_public(a), &pem, &err), err);
        assert_done(keyring_add_pem(&ring, pem.data, pem.len, &err), err);
        assert_done(pubkey_verify(&ring.keys[0], "text", 4, sig, n, &err), err);
        assert_refused(pubkey_verify(privkey_public(b), "text", 4, sig, n, &err), err, REASON_BAD_SIGNATURE);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_key_id),
                cmocka_unit_test(test_known_signature),
                cmocka_unit_test(test_malleable_signature),
                cmocka_unit_test(test_pem_refused),
                cmocka_unit_test(test_same_key_once),
                cmocka_unit_test(test_ring_is_bounded),
                cmocka_unit_test(test_private_key_file),
                cmocka_unit_test(test_private_key_refused),
                cmocka_unit_test(test_generated_keys_differ),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
