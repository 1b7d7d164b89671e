/* SPDX-License-Identifier: Apache-2.0 */
/* The first line is a path, the others are patterns. What is refused says why and where; what is taken becomes, within limits, an
 * automaton that says of the path what each pattern's own automaton says, and nothing that another one covers matches alone. */
#include "../../builder/automaton.h"
#include "fuzz.h"
#include "rules_walk.h"

#define PATTERNS_MAX 12

static const struct automaton_limits limits = {.cells = 1 << 16, .states = 500, .members = 1 << 16};

static bool has(const struct automaton *a, uint32_t set, uint32_t pattern) {
        must(set < a->n_sets);
        for (size_t i = 0; i < a->sets[set].n; i++)
                if (a->sets[set].patterns[i] == pattern)
                        return true;
        return false;
}

static const struct automaton_state *state_of(const struct automaton *a, const char *path) {
        uint32_t state = rules_walk(a->cells, a->n_cells, a->start, path);
        uint32_t record = rules_state_record(a->cells, a->n_cells, state);

        must(state != RULES_STATE_BAD && record < a->n_states);
        return &a->states[record];
}

/* Of components that are not empty, in ASCII. */
static bool is_plain(const char *path) {
        for (const char *c = path; *c; c++)
                if ((unsigned char)*c >= 0x80 || (*c == '/' && (c[1] == '/' || !c[1])))
                        return false;
        return !*path || *path == '/';
}

static void check(const struct path_pattern *v, size_t n, const char *path) {
        cleanup_automaton struct automaton all = {};
        const struct automaton_state *state;
        struct err err = {};

        if (automaton_make_within(v, n, &limits, &all, &err) < 0) {
                must(err.reason == REASON_TOO_LARGE && err.msg[0] && !all.cells);
                return;
        }
        state = state_of(&all, path);
        for (uint32_t i = 0; i < n; i++) {
                cleanup_automaton struct automaton one = {};
                bool matches = has(&all, state->accept, i);

                must(!matches || has(&all, state_of(&all, "")->below, i));
                if (automaton_make_within(&v[i], 1, &limits, &one, &err) == 0)
                        must(has(&one, state_of(&one, path)->accept, 0) == matches);
                for (uint32_t j = 0; matches && j < n && is_plain(path); j++)
                        must(!path_pattern_covers(&v[j], &v[i]) || has(&all, state->accept, j));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        const char *at = (const char *)data, *end = at + size, *line = size ? memchr(at, '\n', size) : NULL;
        struct path_pattern v[PATTERNS_MAX] = {};
        cleanup_free char *path = NULL;
        size_t n = 0;

        if (!line)
                return 0;
        path = strndup(at, (size_t)(line - at));
        must(path);
        for (at = line + 1; at < end && n < PATTERNS_MAX; at = line + 1) {
                struct err err = {};
                size_t column = 0;

                line = memchr(at, '\n', (size_t)(end - at)) ?: end;
                if (path_pattern_parse_at(at, (size_t)(line - at), &v[n], &column, &err) == 0) {
                        must(path_pattern_covers(&v[n], &v[n]) && path_pattern_compare(&v[n], &v[n]) == 0);
                        n++;
                } else
                        must(err.reason != REASON_NONE && err.msg[0] && column >= 1 && column <= (size_t)(line - at) + 1);
        }
        check(v, n, path);
        for (size_t i = 0; i < n; i++)
                path_pattern_done(&v[i]);
        return 0;
}
