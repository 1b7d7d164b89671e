/* SPDX-License-Identifier: Apache-2.0 */
/* Key objects of TUF metadata. The ECDSA and RSA examples were made with OpenSSL for this test; their secrets are gone. */
#include <openssl/x509.h>

#include "key.h"
#include "unit.h"

/* RFC 8032, 7.1, test 2. */
#define ED_PUBLIC "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define ED_SIG                                                                                                                      \
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d29161" \
        "2bb0c00"

#define EC_PUBLIC                                                            \
        "-----BEGIN PUBLIC KEY-----\n"                                       \
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEiii5AJZgnGx+QE83R5xcrrOsTbbY\n" \
        "l/iI7NB02nQ9nbQzgQS0bpuU0vNVaHz+6jS0cKvZ1PLEZKl/SxRD1ZQbpQ==\n"     \
        "-----END PUBLIC KEY-----\n"
#define EC_COMPRESSED                                                        \
        "-----BEGIN PUBLIC KEY-----\n"                                       \
        "MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgADiii5AJZgnGx+QE83R5xcrrOsTbbY\n" \
        "l/iI7NB02nQ9nbQ=\n"                                                 \
        "-----END PUBLIC KEY-----\n"
#define EC_EXPLICIT                                                          \
        "-----BEGIN PUBLIC KEY-----\n"                                       \
        "MIIBSzCCAQMGByqGSM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAA\n" \
        "AAAAAAAAAAAA////////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA////\n" \
        "///////////8BCBaxjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSd\n" \
        "NgiG5wSTamZ44ROdJreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5\n" \
        "RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA\n" \
        "//////////+85vqtpxeehPO5ysL8YyVRAgEBA0IABIoouQCWYJxsfkBPN0ecXK6z\n" \
        "rE222Jf4iOzQdNp0PZ20M4EEtG6blNLzVWh8/uo0tHCr2dTyxGSpf0sUQ9WUG6U=\n" \
        "-----END PUBLIC KEY-----\n"
#define EC_P384                                                              \
        "-----BEGIN PUBLIC KEY-----\n"                                       \
        "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEs3xt/p9Slce6+y5mS68TYW6V1n8Uzw8M\n" \
        "4Dir/BdSgMtFhCBwA3I3VEv5kl8nR32gQ3oI3jF8RW5E/VfTmQf0AwByGmYXOqKP\n" \
        "6cog5m/cRgLLAnNhfn+qNHe8SYN6SmW/\n"                                 \
        "-----END PUBLIC KEY-----\n"
#define RSA_PUBLIC                                                           \
        "-----BEGIN PUBLIC KEY-----\n"                                       \
        "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAs4qM/exDgUOqZ/0LYXC8\n" \
        "YLMAP3RUeUjbpiJUVNWz3gyady3t1wg11fc5H7Os2WyppK8wchpqGDb7VgEfbFHr\n" \
        "Z/t3I6XMqt7y3DBhwCAG5D8m7Z3svIraVS8zoosdIBIitNPzhm/7nqBULmzQiT5Y\n" \
        "gpZ4OCbsAWO4ujJtM+eDhBBGMJ/QCcPooTf/kctIHy0QBMssNpinJHFCcsdvw15h\n" \
        "UKwKVXLKHvOccesxGmwvk+P/r1BQ4P5/u89LW8GUOggXDySHq6MY4WcXUlSbEczY\n" \
        "Ss4VliDm/0OlxLl/YFlIxgFG+844risKulEFlMD3CnVoIaeZD6tCXBs7+jsdKN4y\n" \
        "sQIDAQAB\n"                                                         \
        "-----END PUBLIC KEY-----\n"
#define RSA_1024                                                             \
        "-----BEGIN PUBLIC KEY-----\n"                                       \
        "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCyBhgOQGLUXn2PUhSc8Pf68CzC\n" \
        "tFN9aTuG+Zr8xBwFInxolVa1MK8celSNC1kFVyQo0wkdknHqugv3LRbEbGMP/Xux\n" \
        "mUGN3cLK+NTydkrd2msBSGL4s+umgBdpzHaUfG9QDXFZ33gV9GaCitUfi8PctFcb\n" \
        "0SG6Dve2dtAw7/cCtQIDAQAB\n"                                         \
        "-----END PUBLIC KEY-----\n"
#define EC_SIG                                                                                                           \
        "3046022100a30a83dbe5305ad075b9cd160a58984a460d9d8d8fd7dae403c9ef015bcb3ea3022100d3c06beb8862668383cf940ad01996" \
        "d3097717f3f36fd0886bc2f8a7e7359aba"
#define PKCS1_SIG                                                                                                        \
        "66e972cf31fa52ff417c04eded9872015f7933b9679ef47b450df06d333c2574daba9f663a40f5b6c45b59ea15ee492ec500921d923ffd" \
        "c876c59a91e59e3e54d2187c3975a5138fc5c4386ec86afdb11910b8fc6f8c296f66d5f9032b52debc9c19914e54267e5870a19eea042a" \
        "89640d0a01c6a05c92e0f124438c2da8b67773cce812dd95d217e6981bd4cd0a48bd469301a8ac2c9abecdd5bbc2226d4f72ca99ef862c" \
        "594344a94889e55dccd9237cd07a8a2297a85a1fd9914f8b67e1c5c7230bcbcc6683176ebaaa7e18d9570b846f8d9ca85283e41833a098" \
        "32dee677871fa5b870da0c95f9e59dc3fce345b6a6bc0a72b0a4377f8a31c319e11a9d9b"
#define PSS_SIG                                                                                                          \
        "59beda638ccc2244175c0697deee7357ec26e92dd05e51672e38cceb6697bdf9f49d4381ddcc519706ed26072b53dce371747cf12a8855" \
        "9173965c232cc560e037336fa1cfd9936afc81ea2698e995a20f7236bd453b79b2cb8c6041708950c5fc4546173c4241010f4c749180af" \
        "5785ea9ead519aa7043307373e9e1309da73fee6f98d626fe9c1aaf96621b2bec3832e6b4af4c409332a0eb691f2e7e818347e5b60cca5" \
        "ba2d95a742740dc0f083a5215f92fcbe279b23de33bfd1ebb08bed364e6cec6698c7d6e3e6d29b8efebc1e800b4f9c9b511377db3731b9" \
        "5e9f54e874815442613e57539658ca82382d7f9461534dc55c2681d989f84eb2912699d5"

static int load(const char *keytype, const char *scheme, const char *public, struct pubkey *ret, struct err *err) {
        cleanup_json json_t *j =
                json_pack("{s:s, s:s, s:{s:s}}", "keytype", keytype, "scheme", scheme, "keyval", "public", public);

        return pubkey_from_tuf(j, ret, err);
}

static int verify(const struct pubkey *key, const char *text, const char *sig_hex) {
        uint8_t sig[SIG_MAX];
        size_t n = strlen(sig_hex) / 2;

        assert_int_equal(hex_decode(sig_hex, sig, n), 0);
        return pubkey_verify(key, text, strlen(text), sig, n, NULL);
}

static void schemes(void **state) {
        static const struct {
                const char *keytype, *scheme, *public, *text, *sig;
        } cases[] = {
                {"ed25519", "ed25519", ED_PUBLIC, "r", ED_SIG},
                {"ecdsa", "ecdsa-sha2-nistp256", EC_PUBLIC, "text", EC_SIG},
                {"ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", EC_PUBLIC, "text", EC_SIG},
                {"rsa", "rsassa-pss-sha256", RSA_PUBLIC, "text", PSS_SIG},
                {"rsa", "rsa-pkcs1v15-sha256", RSA_PUBLIC, "text", PKCS1_SIG},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct pubkey key = {};
                struct err err = {};
                char sig[2 * SIG_MAX + 1];

                assert_done(load(cases[i].keytype, cases[i].scheme, cases[i].public, &key, &err), err);
                assert_int_equal(verify(&key, cases[i].text, cases[i].sig), 0);
                assert_true(verify(&key, "other", cases[i].sig) < 0);
                assert_true(verify(&key, cases[i].text, "") < 0);
                strcpy(sig, cases[i].sig);
                sig[20] = sig[20] == '0' ? '1' : '0';
                assert_true(verify(&key, cases[i].text, sig) < 0);
                sig[strlen(sig) - 2] = 0;
                assert_true(verify(&key, cases[i].text, sig) < 0);
                pubkey_done(&key);
        }
}

/* A signature in one scheme is none in another, though the key is the same. */
static void schemes_apart(void **state) {
        struct pubkey pss = {}, pkcs1 = {};

        assert_int_equal(load("rsa", "rsassa-pss-sha256", RSA_PUBLIC, &pss, NULL), 0);
        assert_int_equal(load("rsa", "rsa-pkcs1v15-sha256", RSA_PUBLIC, &pkcs1, NULL), 0);
        assert_true(verify(&pss, "text", PKCS1_SIG) < 0);
        assert_true(verify(&pkcs1, "text", PSS_SIG) < 0);
        assert_memory_equal(pss.material, pkcs1.material, SHA256_SIZE);
        assert_memory_not_equal(pss.id, pkcs1.id, SHA256_SIZE);
        pubkey_done(&pss);
        pubkey_done(&pkcs1);
}

static void ids(void **state) {
        cleanup_keyring struct keyring ring = {};
        struct pubkey key = {};
        uint8_t raw[32];

        assert_int_equal(hex_decode(ED_PUBLIC, raw, sizeof(raw)), 0);
        assert_int_equal(keyring_add_raw(&ring, raw, NULL), 0);
        assert_int_equal(load("ed25519", "ed25519", ED_PUBLIC, &key, NULL), 0);
        assert_string_equal(key.id_hex, ring.keys[0].id_hex);
        assert_memory_equal(key.material, ring.keys[0].material, SHA256_SIZE);
        pubkey_done(&key);
}

/* What stands for a key is what OpenSSL writes it as, whoever has written it. */
static void material_is_spki(void **state) {
        static const char *const keys[][3] = {{"ed25519", "ed25519", ED_PUBLIC},
                                              {"ecdsa", "ecdsa-sha2-nistp256", EC_PUBLIC},
                                              {"rsa", "rsassa-pss-sha256", RSA_PUBLIC}};

        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                struct pubkey key = {};
                unsigned char *der = NULL;
                uint8_t sum[SHA256_SIZE];
                int len;

                assert_int_equal(load(keys[i][0], keys[i][1], keys[i][2], &key, NULL), 0);
                len = i2d_PUBKEY(key.evp, &der);
                assert_true(len > 0);
                assert_int_equal(sha256(der, (size_t)len, sum), 0);
                assert_memory_equal(key.material, sum, SHA256_SIZE);
                OPENSSL_free(der);
                pubkey_done(&key);
        }
}

/* However the point is written, it is one key. */
static void one_material(void **state) {
        struct pubkey a = {}, b = {};
        struct err err = {};

        assert_done(load("ecdsa", "ecdsa-sha2-nistp256", EC_PUBLIC, &a, &err), err);
        assert_done(load("ecdsa", "ecdsa-sha2-nistp256", EC_COMPRESSED, &b, &err), err);
        assert_memory_equal(a.material, b.material, SHA256_SIZE);
        assert_int_equal(verify(&b, "text", EC_SIG), 0);
        pubkey_done(&a);
        pubkey_done(&b);
}

static void refused(void **state) {
        static const struct {
                const char *keytype, *scheme, *public;
                enum reason reason;
        } cases[] = {
                {"ed25519", "ed448", ED_PUBLIC, REASON_UNSUPPORTED_FORMAT},
                {"rsa", "ed25519", ED_PUBLIC, REASON_UNSUPPORTED_FORMAT},
                {"ecdsa", "ecdsa-sha2-nistp384", EC_PUBLIC, REASON_UNSUPPORTED_FORMAT},
                {"", "", "", REASON_UNSUPPORTED_FORMAT},
                {"ed25519", "ed25519", "", REASON_MALFORMED},
                {"ed25519", "ed25519", ED_PUBLIC "00", REASON_MALFORMED},
                {"ed25519", "ed25519", "zz4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", REASON_MALFORMED},
                {"ed25519", "ed25519", EC_PUBLIC, REASON_MALFORMED},
                {"ecdsa", "ecdsa-sha2-nistp256", RSA_PUBLIC, REASON_MALFORMED},
                {"ecdsa", "ecdsa-sha2-nistp256", EC_P384, REASON_MALFORMED},
                {"ecdsa", "ecdsa-sha2-nistp256", EC_EXPLICIT, REASON_MALFORMED},
                {"ecdsa", "ecdsa-sha2-nistp256", ED_PUBLIC, REASON_MALFORMED},
                {"rsa", "rsassa-pss-sha256", EC_PUBLIC, REASON_MALFORMED},
                {"rsa", "rsassa-pss-sha256", RSA_1024, REASON_MALFORMED},
                {"rsa", "rsassa-pss-sha256", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n", REASON_MALFORMED},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct pubkey key = {};
                struct err err = {};

                assert_refused(load(cases[i].keytype, cases[i].scheme, cases[i].public, &key, &err), err, cases[i].reason);
                assert_null(key.evp);
        }
        {
                cleanup_json json_t *j = json_pack("{s:s, s:s, s:{}}", "keytype", "ed25519", "scheme", "ed25519", "keyval");
                struct pubkey key = {};
                struct err err = {};

                assert_refused(pubkey_from_tuf(j, &key, &err), err, REASON_MALFORMED);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(schemes),          cmocka_unit_test(schemes_apart), cmocka_unit_test(ids),
                cmocka_unit_test(material_is_spki), cmocka_unit_test(one_material),  cmocka_unit_test(refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
