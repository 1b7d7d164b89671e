/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables say about a path is what the patterns' text says: compared, for a table of cases and for thousands of random sets,
 * with a matcher that knows nothing of automata and reads the text anew for each path.
 */
#include "../lib/unit.h"

#include <time.h>

#include "automaton.h"
#include "buf.h"
#include "rules_walk.h"

/* ---- the other matcher ------------------------------------------------------------------------------------------------ */

static bool naive(const char *p, const char *s, bool component);

/* Behind what `s` begins with as a character. */
static const char *after_char(const char *s) {
        for (s++; ((unsigned char)*s & 0xc0) == 0x80;)
                s++;
        return s;
}

static bool in_brackets(const char **p, unsigned char c) {
        bool negated = (*p)[1] == '!', in = false;
        const char *at = *p + 1 + negated;

        for (const char *first = at; *at != ']' || at == first;) {
                unsigned char lo, hi;

                at += *at == '\\';
                lo = hi = (unsigned char)*at++;
                if (*at == '-' && at[1] != ']') {
                        at++;
                        at += *at == '\\';
                        hi = (unsigned char)*at++;
                }
                in |= lo <= c && c <= hi;
        }
        *p = at + 1;
        return in != negated;
}

static bool naive_brackets(const char *p, const char *s) {
        bool negated = p[1] == '!';

        if (!*s || *s == '/' || !in_brackets(&p, (unsigned char)*s))
                return false;
        return naive(p, negated ? after_char(s) : s + 1, false);
}

/* component: p is where a component of the pattern begins, and s where one of the path does. */
static bool naive(const char *p, const char *s, bool component) {
        if (!*p)
                return !*s;
        if (streq(p, "/")) /* the tree */
                return !*s || *s == '/';
        if (component && strncmp(p, "**/", 3) == 0 && p[3]) {
                if (naive(p + 3, s, true))
                        return true;
                for (; *s; s++)
                        if (*s == '/' && naive(p, s + 1, true))
                                return true;
                return false;
        }
        if (p[0] == '*') {
                bool deep = p[1] == '*';

                for (;; s++) {
                        if (naive(p + 1 + deep, s, false))
                                return true;
                        if (!*s || (!deep && *s == '/'))
                                return false;
                }
        }
        if (*p == '?')
                return *s && *s != '/' && naive(p + 1, after_char(s), false);
        if (*p == '[')
                return naive_brackets(p, s);
        if (*p == '\\')
                p++;
        return *p == *s && naive(p + 1, s + 1, *p == '/');
}

/* ---- asking the tables ------------------------------------------------------------------------------------------------- */

static bool set_has(const struct automaton_set *set, uint32_t pattern) {
        for (size_t i = 0; i < set->n; i++)
                if (set->patterns[i] == pattern)
                        return true;
        return false;
}

static const struct automaton_state *state_of(const struct automaton *a, const char *path) {
        uint32_t state = rules_walk(a->cells, a->n_cells, a->start, path);
        uint32_t record = rules_state_record(a->cells, a->n_cells, state);

        return record < a->n_states ? &a->states[record] : NULL;
}

struct patterns {
        struct path_pattern v[64];
        size_t n;
};

static void patterns_done(struct patterns *p) {
        for (size_t i = 0; i < p->n; i++)
                path_pattern_done(&p->v[i]);
        p->n = 0;
}

static void pattern_add(struct patterns *p, const char *text) {
        struct err err = {};

        assert_true(p->n < ARRAY_SIZE(p->v));
        assert_done(path_pattern_parse(text, &p->v[p->n], &err), err);
        p->n++;
}

/* Sets are what they are said to be, and every way out of every state leads to a state. */
static void check_tables(const struct automaton *a, size_t n_patterns) {
        size_t states = 0;

        assert_int_equal(a->sets[0].n, 0);
        assert_int_equal(a->states[0].accept, 0);
        assert_int_equal(a->states[0].below, 0);
        assert_int_equal(a->cells[0].check, LSM_CELL_OWN);
        assert_int_equal(a->cells[0].next, 0);
        for (size_t i = 0; i < a->n_sets; i++)
                for (size_t j = 0; j < a->sets[i].n; j++) {
                        assert_true(a->sets[i].patterns[j] < n_patterns);
                        assert_true(j == 0 || a->sets[i].patterns[j - 1] < a->sets[i].patterns[j]);
                }
        for (size_t i = 0; i < a->n_cells; i++) {
                const struct lsm_rules_cell *cell = &a->cells[i];
                uint32_t next = cell->next & ~LSM_STATE_SINK, own = cell->check & LSM_CELL_OWN ? (uint32_t)i : cell->check;

                assert_true(own + 256 <= a->n_cells && next + 256 <= a->n_cells);
                assert_true(a->cells[own].check & LSM_CELL_OWN && a->cells[next].check & LSM_CELL_OWN);
                if (cell->next & LSM_STATE_SINK)
                        assert_int_equal(a->cells[next].next, cell->next);
                states += own == i;
        }
        assert_int_equal(states, a->n_nodes);
}

/* true: the tables and the text agree about this path, and what is below is at least what matches here and at its parents' trees. */
static bool agree(const struct patterns *p, const struct automaton *a, const char *path) {
        const struct automaton_state *state = state_of(a, path);

        if (!state)
                return false;
        for (uint32_t i = 0; i < p->n; i++) {
                bool want = naive(p->v[i].text, path, false);

                if (want != set_has(&a->sets[state->accept], i))
                        return false;
                if (want)
                        for (const char *c = path + strlen(path); c >= path; c--)
                                if (*c == '/' || !*c) {
                                        cleanup_free char *above = strndup(path, (size_t)(c - path));

                                        state = state_of(a, above);
                                        if (!state || !set_has(&a->sets[state->below], i))
                                                return false;
                                }
                state = state_of(a, path);
        }
        return true;
}

/* ---- a table ----------------------------------------------------------------------------------------------------------- */

static const struct {
        const char *pattern, *path;
        bool match;
} cases[] = {
        {"/etc/shadow", "/etc/shadow", true},
        {"/etc/shadow", "/etc/shadow-", false},
        {"/etc/shadow", "/etc/shado", false},
        {"/etc/shadow", "/etc/shadow/x", false},
        {"/etc/shadow", "", false},
        {"/etc/ssh/", "/etc/ssh", true},
        {"/etc/ssh/", "/etc/ssh/a/b", true},
        {"/etc/ssh/", "/etc/sshd", false},
        {"/etc/ssh/", "/etc", false},
        {"/", "", true},
        {"/", "/a/b", true},
        {"/tmp/*", "/tmp/a", true},
        {"/tmp/*", "/tmp", false},
        {"/tmp/*", "/tmp/a/b", false},
        {"/tmp/*.sh", "/tmp/.sh", true},
        {"/tmp/*.sh", "/tmp/a.sh.sh", true},
        {"/tmp/*.sh", "/tmp/a.sh.s", false},
        {"/tmp/a*b*c", "/tmp/axbxcxc", true},
        {"/tmp/a*b*c", "/tmp/ac", false},
        {"/**", "/a/b", true},
        {"/**", "", false},
        {"/a/**", "/a/b/c", true},
        {"/a/**", "/a", false},
        {"/a/**", "/ab", false},
        {"/a/**/b", "/a/b", true},
        {"/a/**/b", "/a/x/b", true},
        {"/a/**/b", "/a/x/y/b", true},
        {"/a/**/b", "/a/xb", false},
        {"/a/**/b", "/a/x/by", false},
        {"/a/**/**/b", "/a/b", true},
        {"/**/b/", "/b/c", true},
        {"/**/b/", "/x/y/b", true},
        {"/**/b/", "/x/yb/c", false},
        {"/a**b", "/a/x/b", true},
        {"/a**b", "/ab", true},
        {"/a**b", "/xb", false},
        {"/home/*/", "/home/u", true},
        {"/home/*/", "/home/u/x/y", true},
        {"/home/*/", "/home", false},
        {"/home/*/.ssh/", "/home/u/.ssh", true},
        {"/home/*/.ssh/", "/home/u/x/.ssh", false},
        {"/x/?", "/x/a", true},
        {"/x/?", "/x/ab", false},
        {"/x/?", "/x", false},
        {"/x?y", "/x/y", false},
        {"/x/?", "/x/\xc3\xa4", true},
        {"/x/??", "/x/\xc3\xa4", false},
        {"/x/??", "/x/\xc3\xa4\xe2\x82\xac", true},
        {"/x/*?", "/x/\xe2\x82\xac", true},
        {"/x/*??", "/x/\xe2\x82\xac", false},
        {"/x/?*?", "/x/\xe2\x82\xac", false},
        {"/x/?*?",
         "/x/\xe2\x82\xac"
         "a",
         true},
        {"/x/?", "/x/\xff", true},
        {"/x/?", "/x/\x80", true},
        {"/x/??", "/x/\xff\xff", true},
        {"/x/?", "/x/\x01", true},
        {"/x/[a-c]", "/x/b", true},
        {"/x/[a-c]", "/x/d", false},
        {"/x/[a-c-]", "/x/-", true},
        {"/x/[]a]", "/x/]", true},
        {"/x/[!]a]", "/x/]", false},
        {"/x/[!]a]", "/x/b", true},
        {"/x/[!a]", "/x/\xc3\xa4", true},
        {"/x/[!a]", "/x/a", false},
        {"/x/[!a]y", "/x//", false},
        {"/x[!a]y", "/x/y", false},
        {"/x[+-9]y", "/x/y", false},
        {"/x[+-9]y", "/x.y", true},
        {"/x/[!.]*", "/x/.a", false},
        {"/x/[!.]*",
         "/x/\x80"
         "a",
         true},
        {"/x/[\\]\\-a]", "/x/-", true},
        {"/x/[\\[.]", "/x/[", true},
        {"/x/\\*", "/x/*", true},
        {"/x/\\*", "/x/a", false},
        {"/x/\\\\", "/x/\\", true},
        {"/x/a b\\?", "/x/a b?", true},
        {"/x/\xc3\xa4", "/x/\xc3\xa4", true},
};

static void test_table(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                cleanup(patterns_done) struct patterns p = {};
                cleanup_automaton struct automaton a = {};
                const struct automaton_state *found;
                struct err err = {};

                pattern_add(&p, cases[i].pattern);
                assert_done(automaton_make(p.v, p.n, &a, &err), err);
                check_tables(&a, p.n);
                found = state_of(&a, cases[i].path);
                assert_non_null(found);
                if (set_has(&a.sets[found->accept], 0) != cases[i].match)
                        fail_msg("'%s' and '%s': expected %smatch", cases[i].pattern, cases[i].path,
                                 cases[i].match ? "a " : "no ");
                if (naive(cases[i].pattern, cases[i].path, false) != cases[i].match)
                        fail_msg("the other matcher: '%s' and '%s'", cases[i].pattern, cases[i].path);
        }
}

static void test_shapes(void **state) {
        cleanup(patterns_done) struct patterns p = {};
        struct automaton a = {};
        struct err err = {};

        assert_done(automaton_make(NULL, 0, &a, &err), err);
        assert_int_equal(a.start, 0);
        check_tables(&a, 0);
        assert_int_equal(state_of(&a, "/x")->below, 0);
        automaton_done(&a);

        /* the whole tree: at the root, and what '/' leads to, which is a sink */
        pattern_add(&p, "/");
        assert_done(automaton_make(p.v, 1, &a, &err), err);
        assert_int_equal(a.n_nodes, 3);
        assert_int_equal(a.cells[a.start + '/'].next, rules_walk(a.cells, a.n_cells, a.start, "/") | LSM_STATE_SINK);
        automaton_done(&a);

        /* the same twice: both, everywhere, and no more states */
        pattern_add(&p, "/");
        assert_done(automaton_make(p.v, 2, &a, &err), err);
        assert_int_equal(a.n_nodes, 3);
        assert_int_equal(a.sets[state_of(&a, "/x/y")->accept].n, 2);
        automaton_done(&a);

        /* what is below: only what can still match */
        pattern_add(&p, "/a/b");
        pattern_add(&p, "/a/c/");
        assert_done(automaton_make(p.v + 2, 2, &a, &err), err);
        assert_int_equal(a.sets[state_of(&a, "")->below].n, 2);
        assert_int_equal(a.sets[state_of(&a, "/a")->below].n, 2);
        assert_int_equal(a.sets[state_of(&a, "/a/b")->below].n, 1);
        assert_int_equal(a.sets[state_of(&a, "/a/c/d")->below].n, 1);
        assert_int_equal(state_of(&a, "/b")->below, 0);
        automaton_done(&a);
}

/* ---- random ------------------------------------------------------------------------------------------------------------ */

struct random {
        uint64_t x;
};
static unsigned below(struct random *r, unsigned n) {
        r->x ^= r->x << 13;
        r->x ^= r->x >> 7;
        r->x ^= r->x << 17;
        return (unsigned)(r->x >> 33) % n;
}

/* Few letters, so that patterns meet. */
static void random_pattern(struct random *r, char *to) {
        static const char *const pieces[] = {"a", "b",    "c",     "ab", "a", "\xc3\xa4", "*",      "?",    "*",
                                             "?", "[ab]", "[!ab]", "**", "b", "\\*",      "[!a-b]", "[a-]", "\xa4"};
        unsigned n = 1 + below(r, 4);

        for (*to = 0; n-- > 0;) {
                unsigned pieces_here = 1 + below(r, 3);

                strcat(to, "/");
                while (pieces_here-- > 0) {
                        const char *piece = pieces[below(r, below(r, 2) ? ARRAY_SIZE(pieces) : 6)];

                        if (*piece == '*' && to[strlen(to) - 1] == '*')
                                piece = "b";
                        strcat(to, piece);
                }
        }
        if (below(r, 4) == 0)
                strcat(to, "/");
}

static const char *random_piece(struct random *r) {
        static const char *const pieces[] = {"a", "b", "c", "-", "*", "\xc3\xa4", "\xc3", "\xa4", "ab"};

        return pieces[below(r, below(r, 2) ? ARRAY_SIZE(pieces) : 2)];
}

static void random_path(struct random *r, char *to) {
        *to = 0;
        for (unsigned n = below(r, 6); n-- > 0;) {
                strcat(to, "/");
                for (unsigned m = 1 + below(r, 4); m-- > 0;)
                        strcat(to, random_piece(r));
        }
}

/* One that the pattern may well match. */
static void similar_path(struct random *r, const char *pattern, char *to) {
        for (*to = 0; *pattern; pattern++) {
                char byte[2] = {*pattern};

                if (*pattern == '*') {
                        for (unsigned n = below(r, 3); n-- > 0;)
                                strcat(to, pattern[1] == '*' && n == 0 ? "/a" : random_piece(r));
                } else if (*pattern == '?' || *pattern == '[') {
                        strcat(to, random_piece(r));
                        while (*pattern == '[' || (*pattern != '?' && *pattern != ']'))
                                pattern++;
                } else if (*pattern == '/' && (!pattern[1] || (*to && to[strlen(to) - 1] == '/'))) {
                        strcat(to, pattern[1] ? "a" : "");
                } else if (*pattern != '\\' && below(r, 30)) {
                        strcat(to, byte);
                }
        }
        if (below(r, 4) == 0)
                strcat(to, "/b");
        if (*to && to[strlen(to) - 1] == '/')
                to[strlen(to) - 1] = 0;
        for (char *c = to; *c;) /* there are no empty components, nor a name without a '/' in front of it */
                if (c[0] == '/' && c[1] == '/')
                        memmove(c, c + 1, strlen(c));
                else
                        c++;
        if (*to && *to != '/')
                *to = 0;
}

static void any_path(struct random *r, const struct patterns *p, char *to) {
        if (below(r, 3))
                similar_path(r, p->v[below(r, (unsigned)p->n)].text, to);
        else
                random_path(r, to);
}

static size_t disagreements(const struct patterns *p, const struct automaton *a, struct random *r, unsigned n) {
        size_t bad = 0;

        while (n-- > 0) {
                char path[256];

                any_path(r, p, path);
                bad += !agree(p, a, path);
        }
        return bad;
}

static void random_patterns(struct random *r, struct patterns *p) {
        for (unsigned n = 1 + below(r, 8); n-- > 0;) {
                char text[128];

                random_pattern(r, text);
                pattern_add(p, text);
        }
}

static void test_random(void **state) {
        struct random r = {20261122};
        size_t matches = 0;

        for (int i = 0; i < 3000; i++) {
                cleanup(patterns_done) struct patterns p = {};
                cleanup_automaton struct automaton a = {};
                struct err err = {};

                random_patterns(&r, &p);
                assert_done(automaton_make(p.v, p.n, &a, &err), err);
                check_tables(&a, p.n);
                for (int j = 0; j < 60; j++) {
                        char path[256];

                        any_path(&r, &p, path);
                        if (!agree(&p, &a, path)) {
                                for (size_t k = 0; k < p.n; k++)
                                        print_error("  %zu: '%s': %d\n", k, p.v[k].text, naive(p.v[k].text, path, false));
                                fail_msg("round %d: the tables and the text differ about '%s'", i, path);
                        }
                        matches += a.sets[state_of(&a, path)->accept].n;
                }
        }
        assert_true(matches > 30000); /* else the paths never met the patterns */
}

/* In these tests' letters, "\xc3\xa4" is the one character that is not ASCII. */
static bool is_utf8(const char *s) {
        for (; *s; s++)
                if ((unsigned char)*s >= 0x80 && (*s != '\xc3' || *++s != '\xa4'))
                        return false;
        return true;
}

/* What is said to be covered is covered: no path tells otherwise. */
static void test_covers(void **state) {
        struct random r = {31};
        size_t covered = 0, compared = 0;

        for (int i = 0; i < 40000; i++) {
                cleanup(patterns_done) struct patterns p = {};
                char text[128], path[256];

                for (int j = 0; j < 2; j++) {
                        random_pattern(&r, text);
                        pattern_add(&p, text);
                }
                if (!is_utf8(p.v[0].text) || !is_utf8(p.v[1].text) || !path_pattern_covers(&p.v[0], &p.v[1]))
                        continue;
                covered++;
                for (int j = 0; j < 100; j++) {
                        similar_path(&r, p.v[1].text, path);
                        if (!is_utf8(path) || !naive(p.v[1].text, path, false))
                                continue;
                        compared++;
                        if (!naive(p.v[0].text, path, false))
                                fail_msg("'%s' does not cover '%s': '%s'", p.v[0].text, p.v[1].text, path);
                }
        }
        assert_true(covered > 100 && compared > 1000);
}

/* The comparison can fail: one cell changed, and it does, for nearly every set. */
static void test_random_notices(void **state) {
        struct random r = {4711};
        size_t noticed = 0;

        for (int i = 0; i < 200; i++) {
                cleanup(patterns_done) struct patterns p = {};
                cleanup_automaton struct automaton a = {};
                struct err err = {};
                uint32_t after;

                random_patterns(&r, &p);
                assert_done(automaton_make(p.v, p.n, &a, &err), err);
                /* where the first '/' leads: to what is nothing */
                after = rules_walk(a.cells, a.n_cells, a.start, "/");
                if (a.cells[a.start + '/'].check == a.start)
                        a.cells[a.start + '/'].next = 0;
                else
                        a.cells[a.start].next = 0;
                if (after != 0) /* else there was nothing to break */
                        noticed += disagreements(&p, &a, &r, 200) > 0;
        }
        assert_true(noticed > 190);
}

/* Whether two states agree, as far as classes are known. */
static bool alike(const struct automaton *a, const uint32_t *class, uint32_t x, uint32_t y) {
        uint32_t rx = rules_state_record(a->cells, a->n_cells, x), ry = rules_state_record(a->cells, a->n_cells, y);

        if (class[x] != class[y] || a->states[rx].accept != a->states[ry].accept)
                return false;
        for (int b = 1; b < 256; b++) {
                char byte[2] = {(char)b};

                if (class[rules_walk(a->cells, a->n_cells, x, byte)] != class[rules_walk(a->cells, a->n_cells, y, byte)])
                        return false;
        }
        return true;
}

/* Moore's algorithm as textbooks have it: how many classes there are among these states. */
static size_t classes_count(const struct automaton *a, const uint32_t *states, size_t n) {
        cleanup_free uint32_t *class = new_array(a->n_cells, sizeof(*class)), *next = new_array(a->n_cells, sizeof(*next));
        size_t n_classes = 1;

        for (size_t before = 0; before != n_classes;) {
                before = n_classes;
                n_classes = 0;
                for (size_t x = 0; x < n; x++) {
                        size_t y = 0;

                        while (y < x && !alike(a, class, states[x], states[y]))
                                y++;
                        next[states[x]] = y < x ? next[states[y]] : (uint32_t)n_classes++;
                }
                memcpy(class, next, a->n_cells * sizeof(*class));
        }
        return n_classes;
}

/* No two states mean the same. */
static void test_minimal(void **state) {
        struct random r = {99};
        size_t looked_at = 0;

        for (int i = 0; i < 300; i++) {
                cleanup(patterns_done) struct patterns p = {};
                cleanup_automaton struct automaton a = {};
                cleanup_free uint32_t *states = NULL;
                struct err err = {};
                size_t n = 0;

                random_patterns(&r, &p);
                assert_done(automaton_make(p.v, p.n, &a, &err), err);
                if (a.n_nodes > 120) /* that would take long */
                        continue;
                states = new_array(a.n_nodes, sizeof(*states));
                assert_non_null(states);
                for (uint32_t s = 0; s < a.n_cells; s++)
                        if (a.cells[s].check & LSM_CELL_OWN)
                                states[n++] = s;
                assert_int_equal(n, a.n_nodes);
                assert_int_equal(classes_count(&a, states, n), n);
                looked_at++;
        }
        assert_true(looked_at > 100);
}

/* ---- many -------------------------------------------------------------------------------------------------------------- */

struct many {
        struct path_pattern *v;
        size_t n, bytes;
};

static void many_done(struct many *m) {
        for (size_t i = 0; i < m->n; i++)
                path_pattern_done(&m->v[i]);
        free(m->v);
}

static void __attribute__((format(printf, 2, 3))) many_add(struct many *m, const char *fmt, ...) {
        cleanup_buf struct buf b = {};
        struct err err = {};
        va_list ap;

        va_start(ap, fmt);
        assert_int_equal(buf_vprintf(&b, fmt, ap), 0);
        va_end(ap);
        m->bytes += b.len;
        m->v = reallocarray(m->v, m->n + 1, sizeof(*m->v));
        assert_non_null(m->v);
        assert_done(path_pattern_parse(b.data, &m->v[m->n], &err), err);
        m->n++;
}

static void make_many(const char *what, const struct many *m, struct automaton *a) {
        struct timespec from, to;
        struct err err = {};

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        assert_done(automaton_make(m->v, m->n, a, &err), err);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        print_message(
                "# %s: %zu patterns, %zu bytes of text: %zu states, %zu cells (%.2f for a byte), %zu records, %zu sets, %.0f ms\n",
                what, m->n, m->bytes, a->n_nodes, a->n_cells, (double)a->n_cells / (double)m->bytes, a->n_states, a->n_sets,
                (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6);
}

static void test_many(void **state) {
        cleanup(many_done) struct many m = {};
        struct random r = {7};
        struct automaton a = {};

        for (int i = 0; i < 10000; i++) {
                const char *const tops[] = {"/usr/lib", "/etc", "/opt/vendor", "/var/lib", "/srv/data"};

                many_add(&m, "%s/%08x/%c%05d/file-%04x%s", tops[below(&r, 5)], below(&r, 400) * 2654435761u,
                         'a' + (char)below(&r, 26), i, below(&r, 65536), i % 4 ? "" : "/");
        }
        make_many("exact and directories", &m, &a);
        assert_true(a.n_cells < 2 * m.bytes);
        for (size_t i = 0; i < m.n; i += 7) {
                const struct automaton_state *found = state_of(&a, m.v[i].prefix);

                assert_non_null(found);
                assert_true(set_has(&a.sets[found->accept], (uint32_t)i));
        }
        automaton_done(&a);

        for (int i = 0; i < 300; i++)
                switch (i % 16) {
                case 0:
                case 4:
                case 8:
                        many_add(&m, "/home/*/.%c%05x/*", 'a' + (char)below(&r, 26), below(&r, 65536));
                        break;
                case 1:
                case 5:
                case 9:
                        many_add(&m, "/usr/lib/%08x/*/lib%04x*.so", below(&r, 400) * 2654435761u, below(&r, 65536));
                        break;
                default:
                        many_add(&m, "/opt/*/bin/tool-%04x?", below(&r, 65536));
                        break;
                case 3:
                        many_add(&m, "/srv/data/**/%c%04x.key", 'a' + (char)below(&r, 26), below(&r, 65536));
                }
        make_many("and 300 globs", &m, &a);
        assert_true(a.n_cells < 8 * m.bytes);
        automaton_done(&a);
}

/* Every combination is a state of its own: refused soon, with those that are to blame and without those that are not. */
static void test_too_many(void **state) {
        cleanup(many_done) struct many m = {};
        struct automaton a = {};
        struct err err = {};

        many_add(&m, "/etc/innocent");
        many_add(&m, "/var/*/innocent");
        for (int i = 0; i < 40; i++)
                many_add(&m, "/tmp/*guilty%02d*x%02d*", i, i);
        assert_refused(automaton_make(m.v, m.n, &a, &err), err, REASON_TOO_LARGE);
        assert_null(a.cells);
        assert_non_null(strstr(err.msg, "guilty"));
        assert_null(strstr(err.msg, "innocent"));
}

static void test_limits(void **state) {
        cleanup(many_done) struct many m = {};
        struct automaton a = {};
        struct err err = {};

        many_add(&m, "/abcdefghijklmnopqrstuvwxyz");
        assert_refused(automaton_make_within(m.v, m.n, &(struct automaton_limits){.cells = 40}, &a, &err), err, REASON_TOO_LARGE);
        assert_refused(automaton_make_within(m.v, m.n, &(struct automaton_limits){.cells = 280}, &a, &err), err,
                       REASON_TOO_LARGE);
        assert_done(automaton_make_within(m.v, m.n, &(struct automaton_limits){.cells = 400}, &a, &err), err);
        automaton_done(&a);
        many_add(&m, "/b*");
        many_add(&m, "/a*");
        assert_refused(automaton_make_within(m.v, m.n, &(struct automaton_limits){.members = 2}, &a, &err), err,
                       REASON_TOO_LARGE);
        assert_null(a.cells);
}

/* Cells that somebody else has made: no index is believed. */
static void test_walk_hostile(void **state) {
        struct lsm_rules_cell cells[300] = {[0] = {LSM_CELL_OWN, 0}, [1] = {LSM_CELL_OWN | 7, 2}};

        assert_int_equal(rules_walk(cells, 300, 1, ""), 1);
        assert_int_equal(rules_state_record(cells, 300, 1), 7);
        assert_int_equal(rules_walk(cells, 300, 1, "x"), RULES_STATE_BAD); /* 2 is no state */
        cells[1].next = 0x7fffffff;
        assert_int_equal(rules_walk(cells, 300, 1, "x"), RULES_STATE_BAD);
        cells[1].next = UINT32_MAX;
        assert_int_equal(rules_walk(cells, 300, 1, "x"), RULES_STATE_BAD);
        cells[1].next = 299; /* a state at the very end: its bytes would be outside */
        cells[299].check = LSM_CELL_OWN;
        assert_int_equal(rules_walk(cells, 300, 1, "x"), RULES_STATE_BAD);
        assert_int_equal(rules_walk(cells, 300, 299, ""), RULES_STATE_BAD);
        assert_int_equal(rules_state_record(cells, 300, 299), RULES_STATE_BAD);
        assert_int_equal(rules_walk(cells, 300, UINT32_MAX, ""), RULES_STATE_BAD);
        assert_int_equal(rules_walk(cells, 0, 0, ""), RULES_STATE_BAD);
        cells[1].next = 1 | LSM_STATE_SINK;
        assert_int_equal(rules_walk(cells, 300, 1, "xyz"), 1);
        assert_int_equal(rules_walk(cells, 300, 0, "/xyz"), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table),          cmocka_unit_test(test_shapes),   cmocka_unit_test(test_random),
                cmocka_unit_test(test_random_notices), cmocka_unit_test(test_covers),   cmocka_unit_test(test_minimal),
                cmocka_unit_test(test_many),           cmocka_unit_test(test_too_many), cmocka_unit_test(test_limits),
                cmocka_unit_test(test_walk_hostile),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
