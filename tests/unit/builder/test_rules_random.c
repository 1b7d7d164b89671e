/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules at random, and every question about them: do the tables answer as docs/rules.md says? What is found to never decide must
 * indeed never decide.
 */
#include <regex.h>

#include "rules_engine.h"

#define RULES 6
#define BUNDLES 200

/* Patterns, what they mean, and how specific they are: 1000 is exact. */
static const struct {
        const char *text, *regex;
        int specific;
} patterns[] = {
        {"/", "^.*$", 0},
        {"/a", "^/a$", 1000},
        {"/a/", "^/a(/.*)?$", 2},
        {"/a/b", "^/a/b$", 1000},
        {"/a/b/", "^/a/b(/.*)?$", 4},
        {"/a/*", "^/a/[^/]*$", 3},
        {"/a/*/c", "^/a/[^/]*/c$", 3},
        {"/a/**", "^/a/.*$", 3},
        {"/*/b", "^/[^/]*/b$", 1},
        {"/**/c", "^(/.*)?/c$", 1},
        {"/a?", "^/a[^/]$", 2},
        {"/[ab]/b", "^/[ab]/b$", 1},
        {"/*/", "^/[^/]*(/.*)?$", 1},
};

static const char *const paths[] = {"", "/a", "/b", "/ab", "/a/b", "/a/c", "/a/b/c", "/a/x/c", "/b/b", "/c", "/a/b/c/d", "/ac"};
static const char *const op_words[] = {"file.read", "file.write", "exec"};
static const enum lsm_op op_numbers[] = {LSM_OP_FILE_READ, LSM_OP_FILE_WRITE, LSM_OP_EXEC};
static const char *const action_words[] = {"deny", "kill", "audit", "allow"};
static const int action_ranks[] = {0, 0, 1, 2};

static bool matches[ARRAY_SIZE(patterns)][ARRAY_SIZE(paths)];

static int matches_find(void **state) {
        for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
                regex_t regex;

                assert_int_equal(regcomp(&regex, patterns[i].regex, REG_EXTENDED | REG_NOSUB), 0);
                for (size_t k = 0; k < ARRAY_SIZE(paths); k++)
                        matches[i][k] = regexec(&regex, paths[k], 0, NULL, 0) == 0;
                regfree(&regex);
        }
        return 0;
}

/* ---- rules, as their author thinks of them ----------------------------------------------------------------------------- */

struct plain_subject {
        int exe;      /* index of patterns; -1: any */
        unsigned uid; /* 0: any */
};

struct plain_rule {
        unsigned ops; /* bit n: op_words[n] */
        int paths[2]; /* -1: none */
        struct plain_subject subject, unless;
        int action;
};

struct plain {
        struct plain_rule rules[RULES];
        unsigned default_deny;
};

static uint64_t seed;

static unsigned pick(unsigned n) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        return (unsigned)(seed >> 33) % n;
}

static struct plain_subject subject_pick(unsigned rarely) {
        return (struct plain_subject){pick(rarely) == 0 ? (int)pick(ARRAY_SIZE(patterns)) : -1,
                                      pick(rarely) == 0 ? 1 + pick(2) : 0};
}

static void plain_make(struct plain *p) {
        p->default_deny = pick(3) == 0 ? pick(8) : 0;
        for (size_t i = 0; i < RULES; i++) {
                struct plain_rule *r = &p->rules[i];

                *r = (struct plain_rule){1 + pick(7), {-1, -1}, subject_pick(3), subject_pick(3), (int)pick(4)};
                if (pick(5) == 0)
                        continue;
                r->paths[0] = (int)pick(ARRAY_SIZE(patterns));
                r->paths[1] = pick(3) == 0 ? (int)pick(ARRAY_SIZE(patterns)) : -1;
                if (r->paths[1] == r->paths[0])
                        r->paths[1] = -1;
        }
}

static void subject_write(const struct plain_subject *s, struct buf *out, const char *between) {
        if (s->exe >= 0)
                assert_int_equal(buf_printf(out, "%sexe: '%s'", between, patterns[s->exe].text), 0);
        if (s->uid > 0)
                assert_int_equal(buf_printf(out, "%suid: %u", s->exe >= 0 ? ", " : between, s->uid), 0);
}

static bool subject_asks(const struct plain_subject *s) {
        return s->exe >= 0 || s->uid > 0;
}

static void ops_write(unsigned ops, struct buf *out, const char *behind) {
        const char *between = "";

        for (size_t i = 0; i < ARRAY_SIZE(op_words); i++)
                if (ops & 1u << i) {
                        assert_int_equal(buf_printf(out, "%s%s%s", between, op_words[i], behind), 0);
                        between = ", ";
                }
}

static void plain_write(const struct plain *p, struct buf *out) {
        assert_int_equal(buf_printf(out, "default: {"), 0);
        ops_write(p->default_deny, out, ": deny");
        assert_int_equal(buf_printf(out, "}\nrules:\n"), 0);
        for (size_t i = 0; i < RULES; i++) {
                const struct plain_rule *r = &p->rules[i];

                assert_int_equal(buf_printf(out, "  - {id: r%zu, action: %s, on: [", i, action_words[r->action]), 0);
                ops_write(r->ops, out, "");
                assert_int_equal(buf_printf(out, "]"), 0);
                for (size_t k = 0; k < ARRAY_SIZE(r->paths) && r->paths[k] >= 0; k++)
                        assert_int_equal(buf_printf(out, "%s'%s'", k > 0 ? ", " : ", path: [", patterns[r->paths[k]].text), 0);
                assert_int_equal(buf_printf(out, "%s", r->paths[0] >= 0 ? "]" : ""), 0);
                subject_write(&r->subject, out, ", ");
                if (subject_asks(&r->unless)) {
                        assert_int_equal(buf_printf(out, ", unless: {"), 0);
                        subject_write(&r->unless, out, "");
                        assert_int_equal(buf_printf(out, "}"), 0);
                }
                assert_int_equal(buf_printf(out, "}\n"), 0);
        }
}

/* ---- which decides, as the document has it ------------------------------------------------------------------------------ */

struct ask {
        size_t op, path, exe;
        unsigned uid;
};

static bool subject_holds(const struct plain_subject *s, const struct ask *q) {
        return (s->exe < 0 || matches[s->exe][q->exe]) && (s->uid == 0 || s->uid == q->uid);
}

static bool applies(const struct plain_rule *r, const struct ask *q) {
        return r->ops & 1u << q->op && subject_holds(&r->subject, q) &&
               !(subject_asks(&r->unless) && subject_holds(&r->unless, q));
}

/* How specific the rule is about the path; -1: it is not about it. */
static int specific(const struct plain_rule *r, size_t path) {
        int best = -1;

        for (size_t k = 0; k < ARRAY_SIZE(r->paths) && r->paths[k] >= 0; k++)
                if (matches[r->paths[k]][path] && patterns[r->paths[k]].specific > best)
                        best = patterns[r->paths[k]].specific;
        return best;
}

/* RULES: the default; -1: none. */
static int plain_decider(const struct plain *p, const struct ask *q) {
        int best = -1, best_specific = -1;

        for (int i = 0; i < RULES; i++) {
                int s = specific(&p->rules[i], q->path);

                if (!applies(&p->rules[i], q) || (s < 0 && p->rules[i].paths[0] >= 0))
                        continue;
                if (best < 0 || s > best_specific ||
                    (s == best_specific && action_ranks[p->rules[i].action] < action_ranks[p->rules[best].action])) {
                        best = i;
                        best_specific = s;
                }
        }
        return best < 0 && p->default_deny & 1u << q->op ? RULES : best;
}

/* Is anything denied to this task at the path or below it, whatever else is allowed there? */
static bool denied_below(const struct plain *p, const struct ask *q) {
        size_t n = strlen(paths[q->path]);

        for (size_t i = 0; i < RULES; i++)
                for (size_t k = 0; k < ARRAY_SIZE(paths); k++)
                        if (p->rules[i].action <= 1 && applies(&p->rules[i], q) && specific(&p->rules[i], k) >= 0 &&
                            strncmp(paths[k], paths[q->path], n) == 0 && (paths[k][n] == '/' || paths[k][n] == '\0'))
                                return true;
        return false;
}

/* ---- the two side by side ------------------------------------------------------------------------------------------------ */

static void for_each_ask(const struct plain *p, void (*fn)(const struct plain *p, const struct ask *q, void *ctx), void *ctx) {
        struct ask q;

        for (q.op = 0; q.op < ARRAY_SIZE(op_words); q.op++)
                for (q.path = 0; q.path < ARRAY_SIZE(paths); q.path++)
                        for (q.exe = 0; q.exe < ARRAY_SIZE(paths); q.exe++)
                                for (q.uid = 1; q.uid <= 3; q.uid++)
                                        fn(p, &q, ctx);
}

static void compare(const struct plain *p, const struct ask *q, void *ctx) {
        struct question question = {op_numbers[q->op], paths[q->path], paths[q->exe], .uid = q->uid};
        int want = plain_decider(p, q);
        char id[16] = "";
        const char *below;

        if (want == RULES)
                snprintf(id, sizeof(id), "a/default");
        else if (want >= 0)
                snprintf(id, sizeof(id), "a/r%d", want);
        assert_string_equal(decider(ctx, &question), id);
        question.below = true;
        below = decider(ctx, &question);
        if (denied_below(p, q)) {
                assert_int_equal(strncmp(below, "a/r", 3), 0);
                assert_true(p->rules[below[3] - '0'].action <= 1);
        }
}

static void count_deciders(const struct plain *p, const struct ask *q, void *ctx) {
        int rule = plain_decider(p, q);

        if (rule >= 0)
                ((size_t *)ctx)[rule]++;
}

/* Everything said against the rules is said with reason. */
static void check_refusals(const struct plain *p, const struct diags *diags) {
        size_t n[RULES + 1] = {};

        for_each_ask(p, count_deciders, n);
        for (size_t i = 0; i < diags->n; i++) {
                unsigned rule;

                if (diags->items[i].severity != SEVERITY_ERROR)
                        continue;
                assert_int_equal(sscanf(diags->items[i].text, "rule 'r%u' never decides", &rule), 1);
                assert_int_equal(n[rule], 0);
        }
}

static void test_as_the_document_says(void **state) {
        size_t n_compared = 0, n_refused = 0;

        for (seed = 1; n_compared < BUNDLES; seed += 2) {
                cleanup_buf struct buf text = {};
                cleanup_world struct world w;
                struct plain p;
                int e;

                plain_make(&p);
                plain_write(&p, &text);
                e = world_try(&w, (const char *[]){text.data}, 1);
                assert_true(e == 0 || e == -EBADMSG);
                n_compared += e == 0;
                n_refused += e < 0;
                if (e == 0)
                        for_each_ask(&p, compare, &w);
                else
                        check_refusals(&p, &w.diags);
        }
        assert_true(n_refused > 10);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup(test_as_the_document_says, matches_find),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
