/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused before a byte is sent. What real servers do to it: tests/cli/fetch-https.t. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "https.h"

static size_t ports_of(const char *url, const char *proxy, uint16_t ret[static HTTPS_PORTS_MAX]) {
        struct err err = {};
        size_t n = 0;

        if (https_ports(url, proxy, ret, &n, &err) < 0)
                fail_msg("%s", err.msg);
        return n;
}

static void test_ports(void **state) {
        uint16_t p[HTTPS_PORTS_MAX];

        assert_int_equal(ports_of("https://host/file", NULL, p), 1);
        assert_int_equal(p[0], 443);
        assert_int_equal(ports_of("https://host:8443/file", NULL, p), 2);
        assert_int_equal(p[0], 8443);
        assert_int_equal(p[1], 443);
        assert_int_equal(ports_of("https://[::1]:8443/file", "http://proxy:3128", p), 3);
        assert_int_equal(p[2], 3128);
        assert_int_equal(ports_of("https://host/", "socks5h://proxy.example", p), 2);
        assert_int_equal(p[1], 1080);
        assert_int_equal(ports_of("https://host/", "https://proxy.example", p), 2);
        assert_int_equal(p[1], 443);
}

static void test_urls_refused(void **state) {
        static const char *const urls[] = {
                "",         "http://host/file",         "HTTP://host/file",       "ftp://host/file",     "file:///etc/passwd",
                "https://", "https://user@host/file",   "https://:pw@host/file",  "https://u:p@host/",   "https://host:0/",
                "host",     "https://host:99999/file",  "https://host:port/file", "https://ho st/file",  "https://?",
                "/file",    "https://host\r\nx:y/file", "ssh://host/file",        "git@host:repository", "gopher://host/",
        };
        uint16_t p[HTTPS_PORTS_MAX];
        size_t n;

        for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
                struct err err = {};

                if (https_ports(urls[i], NULL, p, &n, &err) == 0)
                        fail_msg("taken: %s", urls[i]);
                assert_int_equal(err.reason, REASON_CONFIG);
        }
}

/* A message ends in logs: neither a password nor a signed URL's query may. */
static void test_secrets_not_shown(void **state) {
        static const char *const urls[] = {"https://user:s3cret@host/file", "http://host/file?signature=s3cret",
                                           "http://host/file#s3cret"};
        uint16_t p[HTTPS_PORTS_MAX];
        size_t n;

        for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
                struct err err = {};

                assert_true(https_ports(urls[i], NULL, p, &n, &err) < 0);
                assert_null(strstr(err.msg, "s3cret"));
        }
}

static int never(void *ctx, const void *p, size_t n, struct err *err) {
        fail_msg("data came");
        return 0;
}

/* Plain http is for one test program, which says so with every request; nothing listens there. */
static void test_plain_http(void **state) {
        struct https_request req = {
                .url = "http://127.0.0.1:1/file", .max_bytes = 1, .timeout_ms = 5000, .low_speed_s = 5, .data = never};
        struct https_response res;
        struct err err = {};

        assert_int_equal(https_get(&req, &res, &err), -EINVAL);
        assert_int_equal(err.reason, REASON_CONFIG);
        req.plain_http = true;
        err = (struct err){};
        assert_int_equal(https_get(&req, &res, &err), -EIO);
        assert_int_equal(err.reason, REASON_NONE);
        assert_int_equal(res.status, 0);
        req.url = "ftp://127.0.0.1:1/file";
        err = (struct err){};
        assert_int_equal(https_get(&req, &res, &err), -EINVAL);
        assert_int_equal(err.reason, REASON_CONFIG);
}

static void test_validators(void **state) {
        char longest[HTTPS_VALIDATOR_MAX + 1];

        assert_true(https_validator_valid("\"abc\""));
        assert_true(https_validator_valid("W/\"abc\""));
        assert_true(https_validator_valid("Sat, 21 Nov 2026 08:00:00 GMT"));
        assert_false(https_validator_valid(""));
        assert_false(https_validator_valid("\"a\r\nX-Evil: 1\""));
        assert_false(https_validator_valid("\"a\tb\""));
        assert_false(https_validator_valid("\"\xc3\xa4\""));
        memset(longest, 'x', sizeof(longest));
        longest[HTTPS_VALIDATOR_MAX] = 0;
        assert_false(https_validator_valid(longest));
        longest[HTTPS_VALIDATOR_MAX - 1] = 0;
        assert_true(https_validator_valid(longest));
}

/* A weak validator, or two in one, does not say that the bytes are the same: going on with them would mix two files. */
static void test_strong_validators(void **state) {
        assert_true(https_validator_strong("\"abc\""));
        assert_true(https_validator_strong("\"\""));
        assert_false(https_validator_strong("W/\"abc\""));
        assert_false(https_validator_strong("abc"));
        assert_false(https_validator_strong("\""));
        assert_false(https_validator_strong("\"abc"));
        assert_false(https_validator_strong("\"a\", \"b\""));
        assert_false(https_validator_strong("\"a\r\n\""));
        assert_false(https_validator_strong(""));
}

static void test_content_range(void **state) {
        static const char *const bad[] = {
                "",
                "bytes",
                "bytes ",
                "bytes 1",
                "bytes 1-",
                "bytes 1-2",
                "bytes 1-2/",
                "bytes 2-1/9",
                "bytes 1-9/9",
                "bytes -1-2/9",
                "bytes 1-2/9 ",
                "bytes 1-2/9,",
                "bytes */9",
                "items 1-2/9",
                "bytes 1-18446744073709551616/*",
                "bytes 1-18446744073709551615/*",
                "bytes 99999999999999999999-2/9",
                "bytes  1-2/9",
                "bytes 1 -2/9",
                "bytes 1-2/x",
        };
        uint64_t first, last, total;

        assert_int_equal(https_content_range_parse("bytes 5-9/10", &first, &last, &total), 0);
        assert_true(first == 5 && last == 9 && total == 10);
        assert_int_equal(https_content_range_parse("Bytes 0-0/*", &first, &last, &total), 0);
        assert_true(first == 0 && last == 0 && total == UINT64_MAX);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (https_content_range_parse(bad[i], &first, &last, &total) == 0)
                        fail_msg("taken: %s", bad[i]);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_ports),
                cmocka_unit_test(test_urls_refused),
                cmocka_unit_test(test_secrets_not_shown),
                cmocka_unit_test(test_plain_http),
                cmocka_unit_test(test_validators),
                cmocka_unit_test(test_strong_validators),
                cmocka_unit_test(test_content_range),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
