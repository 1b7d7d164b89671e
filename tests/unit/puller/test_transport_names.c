/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken for a path, a branch and an address. What servers do with them: tests/cli/transport-*.t. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "transport_names.h"

static void test_paths(void **state) {
        static const char *const good[] = {
                "a", "metadata/1.root.json", "targets/bundles/a-1.2.3+x.tar.zst", "a b/%2f/~c", "...", ".gitx", "a/.gitignore"};
        static const char *const bad[] = {"",        "/",    "/a",   "a/",     "a//b", ".",       "..",     "./a",
                                          "a/.",     "a/..", "../a", "a/../b", ".git", ".Git/x",  "a/.GIT", "git~1",
                                          "GIT~1/a", "a\\b", "a\nb", "a\x7f",  "\x01", "\xc3\xa4"};
        char longest[TRANSPORT_PATH_MAX + 1];

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                if (!transport_path_valid(good[i]))
                        fail_msg("refused: %s", good[i]);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (transport_path_valid(bad[i]))
                        fail_msg("taken: %s", bad[i]);
        memset(longest, 'x', sizeof(longest));
        longest[TRANSPORT_PATH_MAX] = 0;
        assert_false(transport_path_valid(longest));
        longest[TRANSPORT_PATH_MAX - 1] = 0;
        assert_true(transport_path_valid(longest));
}

static void test_names(void **state) {
        static const char *const odd[] = {"", ".", "..", ".git", ".GIT", "git~1", "a/b", "a\\b", "a\nb", "\x01", "a\x7f"};
        static const char *const plain[] = {"a", ".gitignore", ".github", "git", "git~10", "\xc3\xa4", " ", "..."};

        for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
                if (!transport_name_odd(odd[i]))
                        fail_msg("taken: %s", odd[i]);
        for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
                if (transport_name_odd(plain[i]))
                        fail_msg("refused: %s", plain[i]);
}

static void test_branches(void **state) {
        static const char *const good[] = {"main", "release/v1.2", "a-b_c", "x@y", "a+b", "UPPER"};
        static const char *const bad[] = {"",    "-x",  "/a", "a/",  "a//b", "a..b", ".a",  "a/.b", "a.",   "a.lock", "a.lock/b",
                                          "a b", "a:b", "a^", "a~1", "a?",   "a*",   "a[b", "a\\b", "a\nb", "a\x7f",  "\xc3\xa4"};
        char longest[210];

        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                if (!transport_branch_valid(good[i]))
                        fail_msg("refused: %s", good[i]);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                if (transport_branch_valid(bad[i]))
                        fail_msg("taken: %s", bad[i]);
        memset(longest, 'x', sizeof(longest));
        longest[sizeof(longest) - 1] = 0;
        assert_false(transport_branch_valid(longest));
}

static void joins(const char *base, const char *path, const char *want) {
        cleanup_buf struct buf out = {};

        assert_int_equal(transport_url_join(base, path, &out, NULL), 0);
        assert_string_equal(out.data, want);
}

static void test_urls(void **state) {
        static const char *const bad[] = {"",
                                          "https://",
                                          "http://h/",
                                          "ftp://h/",
                                          "https:///p",
                                          "https://h/?q",
                                          "https://h/#f",
                                          "https://h/a b",
                                          "https://h/\r\nX",
                                          "https://h/\xc3\xa4",
                                          "https://h/\\",
                                          "https://h/<x>"};
        cleanup_buf struct buf out = {};
        struct err err = {};

        joins("https://host/repo", "metadata/1.root.json", "https://host/repo/metadata/1.root.json");
        joins("HTTPS://host/repo///", "a", "HTTPS://host/repo/a");
        joins("https://host", "a", "https://host/a");
        /* A file's name, not a URL: "%" and "+" are characters like any other. */
        joins("https://host", "a b/%2f+?#&=:@", "https://host/a%20b/%252f%2B%3F%23%26%3D%3A%40");
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                if (transport_url_join(bad[i], "a", &out, &err) == 0)
                        fail_msg("taken: %s", bad[i]);
                assert_int_equal(err.reason, REASON_CONFIG);
        }
}

static struct branch_address parsed(const char *url) {
        struct branch_address a;
        struct err err = {};

        if (transport_address_parse(url, &a, &err) < 0)
                fail_msg("%s: %s", url, err.msg);
        return a;
}

static void test_addresses(void **state) {
        struct branch_address a = parsed("https://host:8443/a/b.git/");

        assert_int_equal(a.reach, BRANCH_HTTPS);
        assert_string_equal(a.url, "https://host:8443/a/b.git");
        assert_string_equal(a.user, "");
        a = parsed("https://deploy@host/b.git");
        assert_string_equal(a.url, "https://host/b.git");
        assert_string_equal(a.user, "deploy");
        a = parsed("ssh://me@host:2222/srv/b.git");
        assert_int_equal(a.reach, BRANCH_SSH);
        assert_string_equal(a.user, "me");
        assert_string_equal(a.host, "host");
        assert_int_equal(a.port, 2222);
        assert_string_equal(a.path, "/srv/b.git");
        a = parsed("ssh://[::1]/b.git");
        assert_string_equal(a.user, "git");
        assert_string_equal(a.host, "::1");
        assert_int_equal(a.port, 22);
        a = parsed("git@host:org/b.git");
        assert_int_equal(a.reach, BRANCH_SSH);
        assert_string_equal(a.path, "org/b.git");
        a = parsed("git@host:~/it's.git");
        assert_string_equal(a.path, "~/it's.git");
        a = parsed("/srv/a:b.git");
        assert_int_equal(a.reach, BRANCH_LOCAL);
        assert_string_equal(a.path, "/srv/a:b.git");
}

static void test_addresses_refused(void **state) {
        static const char *const bad[] = {"",
                                          "a",
                                          "a/b",
                                          "http://h/x",
                                          "git://h/x",
                                          "file:///x",
                                          "ext::sh -c x",
                                          "host:path",
                                          "https://",
                                          "https://h",
                                          "https://u:p@h/x",
                                          "https://h:0/x",
                                          "https://h:70000/x",
                                          "https://h:x/y",
                                          "https://h/x?y",
                                          "https://h/x#y",
                                          "https://-x@h/y",
                                          "https://-h/y",
                                          "ssh://h",
                                          "ssh:///x",
                                          "ssh://-oX=y/z",
                                          "ssh://-u@h/z",
                                          "ssh://u:p@h/z",
                                          "ssh://h:/z",
                                          "ssh://h:99999/z",
                                          "ssh://[::1/z",
                                          "ssh://[::1]x/z",
                                          "ssh://[]/z",
                                          "ssh://h/a\nb",
                                          "ssh://a b/z",
                                          "ssh://a$(x)/z",
                                          "git@-h:z",
                                          "git@h:",
                                          "git@h:-z",
                                          "git@h:\x01",
                                          "-u@h:z",
                                          "u@h://z",
                                          "@h:z",
                                          "u@@h:z"};

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                struct branch_address a;
                struct err err = {};

                if (transport_address_parse(bad[i], &a, &err) == 0)
                        fail_msg("taken: %s", bad[i]);
                assert_int_equal(err.reason, REASON_CONFIG);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_paths), cmocka_unit_test(test_names),     cmocka_unit_test(test_branches),
                cmocka_unit_test(test_urls),  cmocka_unit_test(test_addresses), cmocka_unit_test(test_addresses_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
