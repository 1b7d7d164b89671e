/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 against the examples of FIPS 180-4: every digest in a bundle is this function's word. */
#include "digest.h"
#include "unit.h"

static const struct {
        const char *text, *hex;
} examples[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void test_one_shot(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
                uint8_t md[SHA256_SIZE];
                char hex[SHA256_HEX];

                assert_int_equal(sha256(examples[i].text, strlen(examples[i].text), md), 0);
                hex_encode(md, sizeof(md), hex);
                assert_string_equal(hex, examples[i].hex);
        }
}

/* One context serves all members of an archive, so nothing may remain of the message before. */
static void test_running(void **state) {
        cleanup_digest struct digest *d = digest_new();

        assert_non_null(d);
        for (int round = 0; round < 3; round++)
                for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
                        uint8_t md[SHA256_SIZE];
                        char hex[SHA256_HEX];

                        for (const char *p = examples[i].text; *p; p++)
                                assert_int_equal(digest_update(d, p, 1), 0);
                        assert_int_equal(digest_finish(d, md), 0);
                        hex_encode(md, sizeof(md), hex);
                        assert_string_equal(hex, examples[i].hex);
                }
        digest_free(NULL);
}

static void test_million(void **state) {
        cleanup_digest struct digest *d = digest_new();
        uint8_t md[SHA256_SIZE];
        char block[1000], hex[SHA256_HEX];

        assert_non_null(d);
        memset(block, 'a', sizeof(block));
        for (int i = 0; i < 1000; i++)
                assert_int_equal(digest_update(d, block, sizeof(block)), 0);
        assert_int_equal(digest_finish(d, md), 0);
        hex_encode(md, sizeof(md), hex);
        assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_one_shot),
                cmocka_unit_test(test_running),
                cmocka_unit_test(test_million),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
