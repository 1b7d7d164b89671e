/* SPDX-License-Identifier: Apache-2.0 */
/* What a source may read and where it may connect: no more than it needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transport.h"

static const char *const authorities[] = {"/etc/ssl/certs", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
                                          "/etc/pki/ca-trust/extracted"};

struct scene {
        struct transport_needs needs;
        struct sandbox_spec spec;
};

static void ask(struct transport_request req, struct scene *ret) {
        struct err err = {};

        *ret = (struct scene){.spec = {.writable_dir = -1}};
        req.spool = 99;
        if (transport_sandbox(&req, &ret->needs, &ret->spec, &err) < 0)
                fail_msg("%s: %s", req.url, err.msg);
}

static bool may_read(const struct scene *s, const char *path) {
        for (const char *const *p = s->spec.readable; *p; p++)
                if (streq(*p, path))
                        return true;
        return false;
}

static void assert_authorities(const struct scene *s, bool expected) {
        for (size_t i = 0; i < ARRAY_SIZE(authorities); i++)
                assert_int_equal(may_read(s, authorities[i]), expected);
}

/* Only for a server, or a proxy, that nothing else vouches for. */
static void test_authorities(void **state) {
        static const char https[] = "https://example.net/repo", ssh[] = "ssh://git@example.net/repo.git";
        static const char proxy[] = "https://proxy.example.net:3128";
        const struct buf ca = {};
        struct scene s;

        for (enum transport_kind kind = TRANSPORT_HTTPS; kind <= TRANSPORT_GIT; kind++) {
                ask((struct transport_request){.kind = kind, .url = https}, &s);
                assert_authorities(&s, true);
                ask((struct transport_request){.kind = kind, .url = https, .ca = &ca}, &s);
                assert_authorities(&s, false);
                ask((struct transport_request){.kind = kind, .url = https, .ca = &ca, .proxy = proxy}, &s);
                assert_authorities(&s, true);
        }
        ask((struct transport_request){.kind = TRANSPORT_GIT, .url = ssh}, &s);
        assert_authorities(&s, false);
        assert_true(may_read(&s, "/etc/resolv.conf"));
        ask((struct transport_request){.kind = TRANSPORT_GIT, .url = "/srv/repo.git"}, &s);
        assert_authorities(&s, false);
}

static void test_local(void **state) {
        struct scene s;

        for (enum transport_kind kind = TRANSPORT_GIT; kind <= TRANSPORT_DIR; kind++) {
                ask((struct transport_request){.kind = kind, .url = "/srv/repo"}, &s);
                assert_int_equal(s.spec.profile, SANDBOX_PARSE);
                assert_true(may_read(&s, "/srv/repo"));
                assert_false(may_read(&s, "/etc/resolv.conf"));
                assert_int_equal(s.spec.n_ports, 0);
                assert_int_equal(s.spec.writable_dir, -1);
        }
}

static void test_network(void **state) {
        struct scene s;
        bool https = false;

        ask((struct transport_request){.kind = TRANSPORT_GIT, .url = "ssh://git@example.net:2222/repo.git"}, &s);
        assert_int_equal(s.spec.profile, SANDBOX_NETWORK);
        assert_int_equal(s.spec.writable_dir, 99);
        assert_int_equal(s.spec.n_ports, 2);
        assert_int_equal(s.spec.ports[0], 2222);
        assert_int_equal(s.spec.ports[1], 53);
        ask((struct transport_request){.kind = TRANSPORT_HTTPS, .url = "https://example.net/repo"}, &s);
        for (size_t i = 0; i < s.spec.n_ports; i++) {
                https = https || s.spec.ports[i] == 443;
                assert_true(s.spec.ports[i] == 443 || s.spec.ports[i] == 53);
        }
        assert_true(https);
}

static void test_refused(void **state) {
        static const struct {
                enum transport_kind kind;
                const char *url;
        } bad[] = {{TRANSPORT_HTTPS, "http://example.net/repo"},
                   {TRANSPORT_HTTPS, "/srv/repo"},
                   {TRANSPORT_GIT, "git://example.net/repo"},
                   {TRANSPORT_GIT, "relative/repo"},
                   {TRANSPORT_DIR, "relative"}};

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                const struct transport_request req = {.kind = bad[i].kind, .url = bad[i].url, .spool = -1};
                struct sandbox_spec spec = {};
                struct transport_needs needs;
                struct err err = {};

                assert_true(transport_sandbox(&req, &needs, &spec, &err) < 0);
                assert_int_equal(err.reason, REASON_CONFIG);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_authorities),
                cmocka_unit_test(test_local),
                cmocka_unit_test(test_network),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
