/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about addresses: which decides, what is refused, and which hooks it takes. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "address_pattern.h"
#include "rules_engine.h"

/* The rule that decides about a TCP connection to an address of IPv4. */
static const char *connect4(const struct world *w, const char *text, uint32_t uid) {
        struct address_pattern a;
        char key[40];

        assert_int_equal(address_pattern_parse_at(text, strlen(text), &a, NULL, NULL), 0);
        address_pattern_key(a.kind, a.address, a.port_min, key);
        return decider(w, &(struct question){
                                  .op = LSM_OP_SOCKET_CONNECT,
                                  .path = key,
                                  .uid = uid,
                                  .value = LSM_SOCKET_VALUE(a.kind == ADDRESS_IP6 ? AF_INET6 : AF_INET, SOCK_STREAM, IPPROTO_TCP),
                          });
}

static const char *connect_unix(const struct world *w, const char *name) {
        return decider(w, &(struct question){
                                  .op = LSM_OP_SOCKET_CONNECT,
                                  .path = name,
                                  .value = LSM_SOCKET_VALUE(AF_UNIX, SOCK_STREAM, 0),
                          });
}

static void test_the_most_specific_decides(void **state) {
        WORLD(w, "rules:\n"
                 "  - {id: wide, on: socket.connect, to: 10.0.0.0/8, action: deny}\n"
                 "  - {id: narrow, on: socket.connect, to: 10.1.0.0/16, action: allow}\n"
                 "  - {id: port, on: socket.connect, to: '10.1.0.0/16:80', action: deny}\n"
                 "  - {id: ports, on: socket.connect, to: '10.1.0.0/16:79-81', action: allow}\n"
                 "  - {id: user, on: socket.connect, to: 10.1.2.3, uid: 7, action: deny}\n"
                 "  - {id: rest, on: socket.connect, action: deny}\n");

        assert_string_equal(connect4(&w, "10.2.0.0:80", 0), "a/wide");
        assert_string_equal(connect4(&w, "10.1.0.0:443", 0), "a/narrow");
        assert_string_equal(connect4(&w, "10.1.0.0:80", 0), "a/port");
        assert_string_equal(connect4(&w, "10.1.0.0:79", 0), "a/ports");
        assert_string_equal(connect4(&w, "10.1.2.3:80", 7), "a/user");
        assert_string_equal(connect4(&w, "10.1.2.3:80", 8), "a/port");
        assert_string_equal(connect4(&w, "11.0.0.0:80", 0), "a/rest");
        assert_string_equal(connect4(&w, "[::1]:80", 0), "a/rest");
        assert_string_equal(connect_unix(&w, "/run/x"), "a/rest");
}

static void test_all_but_some(void **state) {
        WORLD(w,
              "rules:\n"
              "  - {id: out, on: socket.connect, to: ['!10.0.0.0/8', '![fd00::/8]:443'], action: deny}\n",
              "rules:\n"
              "  - {id: some, on: socket.connect, to: [10.0.0.0/8, '@a*', '!10.1.0.0/16:22', '!@ab'], action: deny}\n",
              "rules:\n"
              "  - {id: sock, on: socket.connect, to: ['!/run/', '!@x'], action: deny}\n");

        assert_string_equal(connect4(&w, "10.1.2.3:80", 0), "");
        assert_string_equal(connect4(&w, "11.1.2.3:80", 0), "a/out");
        assert_string_equal(connect4(&w, "[fd00::1]:80", 0), "a/out");
        assert_string_equal(connect4(&w, "[fd00::1]:443", 0), "");
        assert_string_equal(connect_unix(&w, "/run/x"), "");
        for (size_t i = 0; i < 6; i++) {
                static const struct {
                        const char *path, *some, *sockets;
                } cases[] = {
                        {"@a", "b/some", "c/sock"}, {"@abc", "b/some", "c/sock"}, {"@ab", "", "c/sock"}, {"@x", "", ""},
                        {"/run/x", "", ""},         {"/tmp/x", "", "c/sock"},
                };
                struct question q = {.op = LSM_OP_SOCKET_CONNECT, .path = cases[i].path, .ruleset = 1};

                assert_string_equal(decider(&w, &q), cases[i].some);
                q.ruleset = 2;
                assert_string_equal(decider(&w, &q), cases[i].sockets);
        }
        assert_string_equal(decider(&w, &(struct question){.op = LSM_OP_SOCKET_CONNECT, .path = "40a0100000016", .ruleset = 1}),
                            "");
        assert_string_equal(decider(&w, &(struct question){.op = LSM_OP_SOCKET_CONNECT, .path = "40a0100000017", .ruleset = 1}),
                            "b/some");
}

static void test_families_and_protocols(void **state) {
        WORLD(w, "rules:\n"
                 "  - {id: udp, on: socket.connect, to: 10.0.0.0/8, protocol: udp, action: deny}\n"
                 "  - {id: tcp, on: socket.connect, to: 11.0.0.0/8, protocol: tcp, action: deny}\n"
                 "  - {id: six, on: socket.connect, family: inet6, action: deny}\n");
        struct question q = {
                .op = LSM_OP_SOCKET_CONNECT, .path = "40b0000000050", .value = LSM_SOCKET_VALUE(AF_INET, SOCK_STREAM, 262)};

        assert_string_equal(connect4(&w, "10.0.0.0:80", 0), "");
        assert_string_equal(connect4(&w, "11.0.0.0:80", 0), "a/tcp");
        assert_string_equal(decider(&w, &q), "a/tcp"); /* MPTCP */
        assert_string_equal(connect4(&w, "[::1]:80", 0), "a/six");
}

static bool has_hook(const struct world *w, const char *hook) {
        return strv_has(&w->t.hooks, hook);
}

static void test_only_the_hooks_that_are_needed(void **state) {
        WORLD(ip, "rules:\n  - {id: a, on: socket.connect, to: 10.0.0.0/8, action: deny}\n");
        WORLD(named, "rules:\n  - {id: a, on: socket.connect, to: /run/x, action: deny}\n");
        WORLD(abstract, "rules:\n  - {id: a, on: socket.connect, to: '@x', action: deny}\n");
        WORLD(both, "rules:\n  - {id: a, on: [socket.connect, socket.bind], action: deny}\n");

        assert_true(has_hook(&ip, "socket_connect") && has_hook(&ip, "socket_sendmsg"));
        assert_int_equal(ip.t.hooks.n, 2);
        assert_true(has_hook(&named, "unix_stream_connect") && has_hook(&named, "unix_may_send"));
        assert_true(has_hook(&named, "path_rename") && has_hook(&named, "path_link"));
        assert_int_equal(named.t.hooks.n, 4);
        assert_int_equal(abstract.t.hooks.n, 2);
        assert_true(has_hook(&both, "socket_bind") && has_hook(&both, "path_mknod"));
        assert_int_equal(both.t.hooks.n, 6);
}

/* A rule's text behind `id` and `action`, what is said to be wrong. */
static void test_refused(void **state) {
        static const struct {
                const char *text, *message;
        } cases[] = {
                {"on: socket.connect, to: 10.0.0.1/8", "'to': the address has bits behind its prefix: write 10.0.0.0/8"},
                {"on: socket.connect, to: 10.0.0.0/99", "'to': '99' is not the length of a prefix: a number from 0 to 32"},
                {"on: socket.connect, to: [1.2.3.4, '!1.0.0.0/8']",
                 "'to': '1.2.3.4' never matches: '!1.0.0.0/8' takes all of it away"},
                {"on: socket.connect, to: [1.2.3.4, '!2.0.0.0/8']",
                 "'to': '!2.0.0.0/8' takes nothing away from what else is named"},
                {"on: socket.connect, to: [1.2.3.4, '1.2.3.4:*']", "'to': '1.2.3.4:*' is there twice"},
                {"on: socket.connect, to: 1.2.3.4, family: inet6", "'to': '1.2.3.4' never matches: 'family' leaves it out"},
                {"on: socket.connect, to: '@x', protocol: tcp", "'to': '@x' never matches: 'protocol' without 'family' is of IP"},
                {"on: socket.connect, to: '1.2.3.4:80', type: raw",
                 "'to': '1.2.3.4:80' never matches: such sockets have no ports"},
                {"on: socket.create, to: 1.2.3.4", "'to' makes no sense with 'on: socket.create'"},
                {"on: file.read, to: 1.2.3.4", "'to' makes no sense with 'on: file.read'"},
                {"on: socket.connect, path: /run/x", "'path' makes no sense with 'on: socket.connect'"},
                {"on: socket.connect, to: run/x",
                 "'to': 'run' is not an address: names may stand for others on a node than here"},
                {"on: socket.connect, to: /run//x", "'to': an empty component: two '/' in a row"},
                {"on: socket.connect, to: []", "'to' is an empty list: leave it out"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup_world struct world w = {};
                char text[256];

                snprintf(text, sizeof(text), "rules:\n  - {id: a, action: deny, %s}\n", cases[i].text);
                assert_int_equal(world_try(&w, (const char *[]){text}, 1), -EBADMSG);
                assert_true(w.diags.n > 0);
                assert_string_equal(w.diags.items[0].text, cases[i].message);
                assert_int_equal(w.diags.items[0].line, 2);
                assert_true(w.diags.items[0].column > strlen("  - {id: a, action: deny, "));
        }
}

static void test_never_decides(void **state) {
        static const char twice[] = "rules:\n"
                                    "  - {id: a, on: socket.connect, to: '10.0.0.0/8:*', action: deny}\n"
                                    "  - {id: b, on: socket.connect, to: 10.0.0.0/8, action: allow}\n",
                          other[] = "rules:\n"
                                    "  - {id: a, on: socket.connect, to: ['*', '!10.0.0.0/8'], action: deny}\n"
                                    "  - {id: b, on: socket.connect, to: '*', action: allow}\n";
        cleanup_world struct world w = {};

        assert_int_equal(world_try(&w, (const char *[]){twice}, 1), -EBADMSG);
        assert_non_null(strstr(w.diags.items[0].text, "rule 'b' never decides: rule 'a' in line 2 is asked first"));
        /* What is taken away from a, b decides about. */
        WORLD(v, other);
        assert_string_equal(connect4(&v, "10.0.0.1:1", 0), "a/b");
        assert_string_equal(connect4(&v, "11.0.0.1:1", 0), "a/a");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_most_specific_decides),
                cmocka_unit_test(test_all_but_some),
                cmocka_unit_test(test_families_and_protocols),
                cmocka_unit_test(test_only_the_hooks_that_are_needed),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_never_decides),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
