/* SPDX-License-Identifier: Apache-2.0 */
/* 18 bytes are an address and a port, what follows are lines: addresses as in rules. What is refused says why and where; of what is taken
 * the automaton says what a comparison of numbers says, for IPv4 and IPv6, and what covers agrees with what matches. */
#include "../../builder/address_pattern.h"
#include "../../builder/automaton.h"
#include "fuzz.h"
#include "rules_walk.h"

#define PATTERNS_MAX 8
#define ASKED 18

static const struct automaton_limits limits = {.cells = 1 << 18, .states = 5000, .members = 1 << 18};

static bool plainly_matches(const struct address_pattern *a, enum address_kind kind, const uint8_t *address, uint16_t port) {
        if ((a->kind != ADDRESS_IP && a->kind != kind) || port < a->port_min || port > a->port_max)
                return false;
        for (unsigned i = 0; i < a->bits; i++)
                if ((a->address[i / 8] ^ address[i / 8]) & 0x80 >> i % 8)
                        return false;
        return true;
}

static bool finds(const struct automaton *a, const char *key, size_t first, size_t end) {
        uint32_t state = rules_walk(a->cells, a->n_cells, a->start, key);
        uint32_t record = rules_state_record(a->cells, a->n_cells, state);
        const struct automaton_set *set;

        must(state != RULES_STATE_BAD && record < a->n_states);
        set = &a->sets[a->states[record].accept];
        for (size_t i = 0; i < set->n; i++)
                if (set->patterns[i] >= first && set->patterns[i] < end)
                        return true;
        return false;
}

static void check(const struct address_pattern *v, size_t n, const uint8_t *asked) {
        struct path_pattern paths[PATTERNS_MAX * 2 * ADDRESS_ALTERNATIVES];
        uint16_t port = (uint16_t)(asked[16] << 8 | asked[17]);
        cleanup_automaton struct automaton a = {};
        size_t n_paths = 0, ends[PATTERNS_MAX];
        struct err err = {};

        for (size_t i = 0; i < n; i++) {
                size_t before = n_paths;

                must(address_pattern_paths(&v[i], paths, &n_paths) == 0);
                must(n_paths > before && n_paths - before <= (size_t)2 * ADDRESS_ALTERNATIVES);
                ends[i] = n_paths;
        }
        must(automaton_make_within(paths, n_paths, &limits, &a, &err) == 0 || err.reason == REASON_TOO_LARGE);
        for (enum address_kind kind = ADDRESS_IP4; a.cells && kind <= ADDRESS_IP6; kind++) {
                char key[40];

                address_pattern_key(kind, asked, port, key);
                for (size_t i = 0; i < n; i++) {
                        bool matches = plainly_matches(&v[i], kind, asked, port);

                        must(finds(&a, key, i > 0 ? ends[i - 1] : 0, ends[i]) == matches);
                        for (size_t k = 0; matches && k < n; k++) {
                                must(!address_pattern_covers(&v[k], &v[i]) || plainly_matches(&v[k], kind, asked, port));
                                must(!plainly_matches(&v[k], kind, asked, port) || address_pattern_meets(&v[k], &v[i]));
                        }
                }
        }
        for (size_t i = 0; i < n_paths; i++)
                path_pattern_done(&paths[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *at = (const char *)data + ASKED, *end = (const char *)data + size;
        struct address_pattern v[PATTERNS_MAX];
        size_t n = 0;

        if (size < ASKED)
                return 0;
        while (at < end && n < PATTERNS_MAX) {
                const char *stop = memchr(at, '\n', (size_t)(end - at)) ?: end;
                size_t len = (size_t)(stop - at), column = 0;
                struct err err = {};

                if (address_pattern_parse_at(at, len, &v[n], &column, &err) == 0)
                        n++;
                else
                        must(err.reason == REASON_MALFORMED && err.msg[0] && column >= 1 && column <= len + 1);
                at = stop + 1;
        }
        if (n > 0)
                check(v, n, data);
        return 0;
}
