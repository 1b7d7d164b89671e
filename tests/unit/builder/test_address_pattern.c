/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses in rules: what they say, what is refused, and whether the automaton that is made of them finds the same as somebody
 * who compares numbers.
 */
#include "../lib/unit.h"

#include <arpa/inet.h>

#include "address_pattern.h"
#include "automaton.h"
#include "rules_walk.h"

#define PATTERNS 24
#define ROUNDS 60
#define QUESTIONS 3000

static int parse(const char *text, struct address_pattern *ret) {
        return address_pattern_parse_at(text, strlen(text), ret, NULL, NULL);
}

static void test_what_they_say(void **state) {
        static const struct {
                const char *text;
                enum address_kind kind;
                unsigned bits;
                uint16_t port_min, port_max;
        } cases[] = {
                {"10.0.0.0/8", ADDRESS_IP4, 8, 0, 65535},
                {"10.1.2.3", ADDRESS_IP4, 32, 0, 65535},
                {"10.0.0.0/8:*", ADDRESS_IP4, 8, 0, 65535},
                {"0.0.0.0/0:1-1023", ADDRESS_IP4, 0, 1, 1023},
                {"10.1.2.3:443", ADDRESS_IP4, 32, 443, 443},
                {"fe80::/10", ADDRESS_IP6, 10, 0, 65535},
                {"[fe80::/10]:53", ADDRESS_IP6, 10, 53, 53},
                {"[::1]", ADDRESS_IP6, 128, 0, 65535},
                {"::", ADDRESS_IP6, 128, 0, 65535},
                {"::/0", ADDRESS_IP6, 0, 0, 65535},
                {"*", ADDRESS_IP, 0, 0, 65535},
                {"*:0", ADDRESS_IP, 0, 0, 0},
                {"*:65535", ADDRESS_IP, 0, 65535, 65535},
                {"@name", ADDRESS_ABSTRACT, 0, 0, 65535},
                {"@/tmp/.X11-unix/*", ADDRESS_ABSTRACT, 0, 0, 65535},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct address_pattern a;

                assert_int_equal(parse(cases[i].text, &a), 0);
                assert_int_equal(a.kind, cases[i].kind);
                assert_int_equal(a.bits, cases[i].bits);
                assert_int_equal(a.port_min, cases[i].port_min);
                assert_int_equal(a.port_max, cases[i].port_max);
        }
}

static void test_refused(void **state) {
        static const struct {
                const char *text;
                size_t column;
                const char *message;
        } cases[] = {
                {"", 1, "is expected"},
                {"10.0.0.1/8", 1, "write 10.0.0.0/8"},
                {"fe80::1/10", 1, "write fe80::/10"},
                {"[fe80::1/10]:1", 2, "write fe80::/10"},
                {"10.0.0.0/33", 10, "from 0 to 32"},
                {"::/129", 4, "from 0 to 128"},
                {"10.0.0.0/", 10, "length of a prefix"},
                {"10.0.0.0/08", 10, "length of a prefix"},
                {"10.0.0.0/-1", 10, "length of a prefix"},
                {"10.0.0.0/8:", 12, "is not a port"},
                {"10.0.0.0/8:65536", 12, "'65536' is not a port"},
                {"10.0.0.0/8:080", 12, "is not a port"},
                {"10.0.0.0/8:http", 12, "'http' is not a port"},
                {"10.0.0.0/8:1-", 14, "is not a port"},
                {"10.0.0.0/8:9-1", 12, "runs backwards"},
                {"10.0.0.0/8:1-2-3", 14, "is not a port"},
                {"10.0.0", 1, "is not an address"},
                {"010.0.0.1", 1, "is not an address"},
                {"10.0.0.256", 1, "is not an address"},
                {"example.org:80", 1, "names may stand for others"},
                {":80", 1, "is not an address"},
                {"**:80", 1, "is not an address"},
                {"[::1", 1, "closes"},
                {"[::1]80", 6, "only ':'"},
                {"[10.0.0.1]:80", 1, "only addresses of IPv6"},
                {"[]:80", 2, "is not an address"},
                {"fe80::1%eth0", 1, "names an interface"},
                {"::ffff:1.2.3.4", 1, "write 1.2.3.4/32"},
                {"[::ffff:10.0.0.0/104]:1", 2, "write 10.0.0.0/8"},
                {"@", 2, "abstract"},
                {"@a*b", 3, "taken as it is"},
                {"@a\tb", 3, "control character"},
                {"10.0.0.1\n", 9, "control character"},
                {"1111111111111111111111111111111111111111111111111111111111111111111111", 1, "is not an address"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct address_pattern a;
                struct err err = {};
                size_t column = 0;

                assert_int_equal(address_pattern_parse_at(cases[i].text, strlen(cases[i].text), &a, &column, &err), -EINVAL);
                assert_int_equal(err.reason, REASON_MALFORMED);
                assert_non_null(strstr(err.msg, cases[i].message));
                assert_int_equal(column, cases[i].column);
        }
}

static void test_names_are_not_too_long(void **state) {
        char text[ADDRESS_NAME_MAX + 3] = "@";
        struct address_pattern a;

        memset(text + 1, 'x', ADDRESS_NAME_MAX);
        assert_int_equal(parse(text, &a), 0);
        text[ADDRESS_NAME_MAX + 1] = 'x';
        assert_int_equal(parse(text, &a), -EINVAL);
        text[ADDRESS_NAME_MAX + 1] = '*';
        assert_int_equal(parse(text, &a), 0);
}

static void test_covers_and_meets(void **state) {
        static const struct {
                const char *a, *b;
                bool covers, meets;
        } cases[] = {
                {"10.0.0.0/8", "10.1.0.0/16", true, true},
                {"10.1.0.0/16", "10.0.0.0/8", false, true},
                {"10.0.0.0/8", "11.0.0.0/8", false, false},
                {"10.0.0.0/8:80", "10.1.0.0/16", false, true},
                {"10.0.0.0/8:80", "10.1.0.0/16:81", false, false},
                {"*", "fe80::/10", true, true},
                {"*:1-9", "1.2.3.4:9", true, true},
                {"1.2.3.4", "*:9", false, true},
                {"0.0.0.0/0", "::/0", false, false},
                {"*", "@x", false, false},
                {"@a*", "@ab", true, true},
                {"@ab", "@a*", false, true},
                {"@ab", "@abc", false, false},
                {"10.128.0.0/9", "10.0.0.0/9", false, false},
                {"::/0", "[::1]:7", true, true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct address_pattern a, b;

                assert_int_equal(parse(cases[i].a, &a), 0);
                assert_int_equal(parse(cases[i].b, &b), 0);
                assert_int_equal(address_pattern_covers(&a, &b), cases[i].covers);
                assert_int_equal(address_pattern_meets(&a, &b), cases[i].meets);
                assert_int_equal(address_pattern_meets(&b, &a), cases[i].meets);
        }
}

/* ---- the automaton, and somebody who compares --------------------------------------------------------------------------- */

static uint64_t seed = 4711;

static uint32_t pick(uint32_t n) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        return (uint32_t)(seed >> 33) % n;
}

/* Few enough bits differ for questions to hit. */
static void address_pick(uint8_t address[static 16]) {
        static const uint8_t bytes[] = {0, 10, 127, 128, 255};

        for (size_t i = 0; i < 16; i++)
                address[i] = pick(3) ? bytes[pick(ARRAY_SIZE(bytes))] : (uint8_t)pick(256);
}

static uint16_t port_pick(void) {
        static const uint16_t ports[] = {0, 1, 15, 16, 255, 256, 443, 1023, 1024, 4095, 4096, 65534, 65535};

        return pick(2) ? ports[pick(ARRAY_SIZE(ports))] : (uint16_t)pick(65536);
}

static void pattern_pick(struct address_pattern *a) {
        unsigned max = 32;

        *a = (struct address_pattern){.kind = (enum address_kind)pick(3), .port_max = 65535};
        if (a->kind == ADDRESS_IP6)
                max = 128;
        if (pick(3)) {
                a->port_min = port_pick();
                a->port_max = pick(2) ? a->port_min : port_pick();
                if (a->port_max < a->port_min) {
                        uint16_t port = a->port_min;

                        a->port_min = a->port_max;
                        a->port_max = port;
                }
        }
        if (a->kind == ADDRESS_IP)
                return;
        address_pick(a->address);
        a->bits = pick(max + 1);
        for (unsigned i = a->bits; i < 128; i++)
                a->address[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

static bool plainly_matches(const struct address_pattern *a, enum address_kind kind, const uint8_t *address, uint16_t port) {
        if ((a->kind != ADDRESS_IP && a->kind != kind) || port < a->port_min || port > a->port_max)
                return false;
        for (unsigned i = 0; i < a->bits; i++)
                if ((a->address[i / 8] ^ address[i / 8]) & 0x80 >> i % 8)
                        return false;
        return true;
}

/* Which of the patterns the automaton finds, as bits. */
static uint32_t found(const struct automaton *a, const char *key, const uint32_t *owners) {
        uint32_t state = rules_walk(a->cells, a->n_cells, a->start, key), found = 0;
        const struct automaton_set *set;

        if (state == 0)
                return 0;
        set = &a->sets[a->states[rules_state_record(a->cells, a->n_cells, state)].accept];
        for (size_t i = 0; i < set->n; i++)
                found |= 1u << owners[set->patterns[i]];
        return found;
}

/* An address near one of the patterns'. */
static void question_pick(const struct address_pattern *patterns, uint8_t address[static 16], uint16_t *port) {
        const struct address_pattern *near = &patterns[pick(PATTERNS)];

        address_pick(address);
        if (pick(4))
                memcpy(address, near->address, 1 + pick(16));
        if (near->bits > 0 && !pick(4))
                address[(near->bits - 1) / 8] ^= (uint8_t)(0x80 >> (near->bits - 1) % 8);
        *port = pick(2) ? near->port_min : pick(2) ? near->port_max : port_pick();
        *port = (uint16_t)(*port + pick(3) - 1);
}

static void test_as_numbers_say(void **state) {
        size_t hits = 0;

        for (size_t round = 0; round < ROUNDS; round++) {
                struct address_pattern patterns[PATTERNS];
                struct path_pattern paths[PATTERNS * 2 * ADDRESS_ALTERNATIVES];
                uint32_t owners[ARRAY_SIZE(paths)];
                cleanup_automaton struct automaton a = {};
                size_t n = 0;

                for (uint32_t i = 0; i < PATTERNS; i++) {
                        size_t before = n;

                        pattern_pick(&patterns[i]);
                        assert_int_equal(address_pattern_paths(&patterns[i], paths, &n), 0);
                        assert_true(n > before && n - before <= (size_t)2 * ADDRESS_ALTERNATIVES);
                        for (size_t k = before; k < n; k++)
                                owners[k] = i;
                }
                assert_int_equal(automaton_make(paths, n, &a, NULL), 0);
                for (size_t q = 0; q < QUESTIONS; q++) {
                        enum address_kind kind = pick(2) ? ADDRESS_IP4 : ADDRESS_IP6;
                        uint32_t want = 0;
                        uint8_t address[16];
                        uint16_t port;
                        char key[40];

                        question_pick(patterns, address, &port);
                        for (uint32_t i = 0; i < PATTERNS; i++)
                                want |= (uint32_t)plainly_matches(&patterns[i], kind, address, port) << i;
                        address_pattern_key(kind, address, port, key);
                        assert_int_equal(found(&a, key, owners), want);
                        hits += want != 0;
                }
                for (size_t i = 0; i < n; i++)
                        path_pattern_done(&paths[i]);
        }
        assert_true(hits > (size_t)ROUNDS * QUESTIONS / 10);
}

static void test_rank(void **state) {
        static const char *const ascending[] = {"10.0.0.0/8", "10.0.0.0/8:1-1000", "10.0.0.0/8:80", "10.0.0.0/9", "10.0.0.1:5"};

        for (size_t i = 1; i < ARRAY_SIZE(ascending); i++) {
                struct path_pattern paths[2 * ADDRESS_ALTERNATIVES];
                struct address_pattern a, b;
                size_t n = 0, first;

                assert_int_equal(parse(ascending[i - 1], &a), 0);
                assert_int_equal(parse(ascending[i], &b), 0);
                assert_int_equal(address_pattern_paths(&a, paths, &n), 0);
                first = n;
                assert_int_equal(address_pattern_paths(&b, paths, &n), 0);
                assert_true(path_pattern_compare(&paths[0], &paths[first]) < 0);
                assert_true(path_pattern_compare(&paths[first], &paths[0]) > 0);
                for (size_t k = 0; k < n; k++)
                        path_pattern_done(&paths[k]);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_they_say),          cmocka_unit_test(test_refused),
                cmocka_unit_test(test_names_are_not_too_long), cmocka_unit_test(test_covers_and_meets),
                cmocka_unit_test(test_as_numbers_say),         cmocka_unit_test(test_rank),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
