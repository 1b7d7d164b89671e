/* SPDX-License-Identifier: Apache-2.0 */
/* Subset construction. */
#include "automaton_parts.h"

/* Beyond what the patterns' length explains. Globs that multiply would take all memory there is. */
#define STATES_MAX (1u << 18)
#define MEMBERS_MAX (1u << 23)

#define CONT_LO 0x80 /* UTF-8's continuation bytes */
#define CONT_HI 0xbf

struct range {
        uint8_t lo, hi;
        uint32_t to;
};
struct single {
        uint32_t to, next;
};

struct subset {
        const struct nfa *nfa;
        struct intern *nodes; /* the states: sets of nodes */
        struct intern *patterns;
        struct dfa *dfa;
        size_t members, glob_states;

        /* of the state in hand */
        struct range *ranges;
        size_t n_ranges, cap_ranges;
        struct single *singles; /* for single bytes: lists */
        size_t n_singles, cap_singles;
        uint32_t first[256];
        uint64_t touched[4]; /* bytes with such a list */

        /* of a set in the making */
        uint32_t *set, *mark, stamp;
        size_t n_set;
};

static void subset_done(struct subset *s) {
        intern_free(s->nodes);
        free(s->ranges);
        free(s->singles);
        free(s->set);
        free(s->mark);
}

/* ---- sets ---------------------------------------------------------------------------------------------------------- */

static void set_begin(struct subset *s) {
        s->n_set = 0;
        s->stamp++;
}

/* With what is reached from it without a byte; behind a character that is not known yet (nfa_edges()). */
static void set_node(struct subset *s, uint32_t node) {
        const struct node *nodes = s->nfa->nodes;

        if (s->mark[node] == s->stamp)
                return;
        s->mark[node] = s->stamp;
        s->set[s->n_set++] = node;
        if (nodes[node].kind == NODE_CHAR)
                return;
        for (uint32_t star = nodes[node].stars; star != NONE; star = nodes[star].next)
                set_node(s, star);
}

static int set_end(struct subset *s, uint32_t *ret) {
        size_t known = intern_count(s->nodes);
        int64_t number;

        if (s->n_set > 1)
                qsort(s->set, s->n_set, sizeof(*s->set), u32_cmp);
        number = intern_add(s->nodes, s->set, s->n_set * sizeof(*s->set));
        if (number < 0)
                return -ENOMEM;
        if ((size_t)number == known) {
                bool literal = false;

                for (size_t i = 0; i < s->n_set; i++)
                        literal |= s->nfa->nodes[s->set[i]].literal;
                s->members += s->n_set;
                s->glob_states += !literal;
        }
        *ret = (uint32_t)number;
        return 0;
}

static void accept_node(struct subset *s, uint32_t node) {
        const struct node *nodes = s->nfa->nodes;

        for (uint32_t p = nodes[node].accepts; p != NONE; p = s->nfa->next_accept[p])
                s->set[s->n_set++] = p;
        if (nodes[node].tree != NONE)
                accept_node(s, nodes[node].tree);
        if (nodes[node].kind == NODE_CHAR)
                for (uint32_t star = nodes[node].stars; star != NONE; star = nodes[star].next)
                        accept_node(s, star);
}

/* A star behind two characters can be met twice. */
static int accept_end(struct subset *s, uint32_t *ret) {
        int64_t number;
        size_t n = 0;

        if (s->n_set > 1)
                qsort(s->set, s->n_set, sizeof(*s->set), u32_cmp);
        for (size_t i = 0; i < s->n_set; i++)
                if (i == 0 || s->set[i] != s->set[i - 1])
                        s->set[n++] = s->set[i];
        number = intern_add(s->patterns, s->set, n * sizeof(*s->set));
        *ret = (uint32_t)number;
        return number < 0 ? -ENOMEM : 0;
}

/* ---- where a node leads -------------------------------------------------------------------------------------------- */

static int add_range(struct subset *s, unsigned lo, unsigned hi, uint32_t to) {
        if (s->n_ranges == s->cap_ranges) {
                size_t cap = s->cap_ranges ? s->cap_ranges * 2 : 64;
                struct range *ranges = reallocarray(s->ranges, cap, sizeof(*ranges));

                if (!ranges)
                        return -ENOMEM;
                s->ranges = ranges;
                s->cap_ranges = cap;
        }
        s->ranges[s->n_ranges++] = (struct range){(uint8_t)lo, (uint8_t)hi, to};
        return 0;
}

static int add_single(struct subset *s, uint8_t byte, uint32_t to) {
        if (s->n_singles == s->cap_singles) {
                size_t cap = s->cap_singles ? s->cap_singles * 2 : 256;
                struct single *singles = reallocarray(s->singles, cap, sizeof(*singles));

                if (!singles)
                        return -ENOMEM;
                s->singles = singles;
                s->cap_singles = cap;
        }
        if (!(s->touched[byte / 64] >> byte % 64 & 1)) {
                s->touched[byte / 64] |= 1ULL << byte % 64;
                s->first[byte] = NONE;
        }
        s->singles[s->n_singles] = (struct single){to, s->first[byte]};
        s->first[byte] = (uint32_t)s->n_singles++;
        return 0;
}

/* The bytes of [lo, hi] but, with `clip`, those that go on with a character. */
static int add_clipped(struct subset *s, bool clip, unsigned lo, unsigned hi, uint32_t to) {
        int r = 0;

        if (!clip || hi < CONT_LO || lo > CONT_HI)
                return lo == hi ? add_single(s, (uint8_t)lo, to) : add_range(s, lo, hi, to);
        if (lo < CONT_LO)
                r = add_range(s, lo, CONT_LO - 1, to);
        if (r == 0 && hi > CONT_HI)
                r = add_range(s, CONT_HI + 1, hi, to);
        return r;
}

static int chars_edges(struct subset *s, const struct path_token *chars, bool clip, uint32_t to) {
        int r = chars->others ? add_clipped(s, clip, 0x80, 0xff, to) : 0;

        for (unsigned lo = 1; r == 0 && lo < 128; lo++) {
                unsigned hi = lo;

                if (!(chars->ascii[lo / 64] >> lo % 64 & 1))
                        continue;
                while (hi + 1 < 128 && chars->ascii[(hi + 1) / 64] >> (hi + 1) % 64 & 1)
                        hi++;
                r = add_clipped(s, false, lo, hi, to);
                lo = hi;
        }
        return r;
}

static int name_edges(struct subset *s, bool clip, uint32_t to) {
        return add_clipped(s, clip, 1, '/' - 1, to) ?: add_clipped(s, clip, '/' + 1, 255, to);
}

static int loop_edges(struct subset *s, uint32_t node, bool clip) {
        switch (s->nfa->nodes[node].kind) {
        case NODE_CHAR:
                return add_range(s, CONT_LO, CONT_HI, node);
        case NODE_STAR:
                return name_edges(s, clip, node);
        case NODE_ANY:
                return add_clipped(s, clip, 1, 255, node);
        case NODE_DEEP:
                return name_edges(s, clip, node + 1);
        case NODE_DEEP_IN:
                return name_edges(s, clip, node) ?: add_single(s, '/', node - 1);
        }
        return 0;
}

/* clip: it was reached behind a character that goes on for as long as it can. */
static int node_edges(struct subset *s, uint32_t node, bool clip) {
        const struct node *nodes = s->nfa->nodes;
        bool after_char = clip || nodes[node].kind == NODE_CHAR;
        int r = loop_edges(s, node, clip);

        for (uint32_t c = nodes[node].children; r == 0 && c != NONE; c = nodes[c].next)
                r = nodes[c].chars == NONE ? add_clipped(s, after_char, nodes[c].byte, nodes[c].byte, c)
                                           : chars_edges(s, &s->nfa->chars[nodes[c].chars], after_char, c);
        if (r == 0 && nodes[node].tree != NONE)
                r = add_single(s, '/', nodes[node].tree);
        if (after_char)
                for (uint32_t star = nodes[node].stars; r == 0 && star != NONE; star = nodes[star].next)
                        r = node_edges(s, star, true);
        return r;
}

/* ---- where a state leads ------------------------------------------------------------------------------------------- */

/* The state after byte b. */
static int target(struct subset *s, unsigned b, uint32_t *ret) {
        set_begin(s);
        for (size_t i = 0; i < s->n_ranges; i++)
                if (s->ranges[i].lo <= b && b <= s->ranges[i].hi)
                        set_node(s, s->ranges[i].to);
        if (s->touched[b / 64] >> b % 64 & 1)
                for (uint32_t i = s->first[b]; i != NONE; i = s->singles[i].next)
                        set_node(s, s->singles[i].to);
        return set_end(s, ret);
}

/* Bytes between the ends of ranges that have nothing of their own lead to the same state. */
static int row_make(struct subset *s, uint32_t row[256]) {
        bool begins[257] = {[1] = true};
        uint32_t common = NONE;

        for (size_t i = 0; i < s->n_ranges; i++)
                begins[s->ranges[i].lo] = begins[s->ranges[i].hi + 1] = true;
        for (unsigned b = 1; b < 256; b++) {
                bool own = s->touched[b / 64] >> b % 64 & 1;
                int r = 0;

                if (begins[b])
                        common = NONE;
                if (own || common == NONE)
                        r = target(s, b, &row[b]);
                else
                        row[b] = common;
                if (r < 0)
                        return r;
                if (!own)
                        common = row[b];
        }
        return 0;
}

/* Nothing but single bytes: a trie, nearly always. */
static int singles_make(struct subset *s, struct edge *edges, uint16_t *n) {
        for (unsigned i = 0; i < 4; i++)
                for (uint64_t left = s->touched[i]; left; left &= left - 1) {
                        unsigned b = i * 64 + (unsigned)__builtin_ctzll(left);
                        int r;

                        edges[*n].byte = (uint8_t)b;
                        r = target(s, b, &edges[(*n)++].to);
                        if (r < 0)
                                return r;
                }
        return 0;
}

static int state_make(struct subset *s, size_t number) {
        struct dfa_state state = {.edges = s->dfa->n_edges};
        uint32_t row[256] = {};
        const uint32_t *set;
        size_t n;
        int r = dfa_reserve(s->dfa, 255);

        if (r < 0)
                return r;
        s->n_ranges = s->n_singles = 0;
        memset(s->touched, 0, sizeof(s->touched));
        set = intern_get(s->nodes, number, &n);
        n /= sizeof(*set);
        s->n_set = 0;
        for (size_t i = 0; i < n; i++) {
                accept_node(s, set[i]);
                state.literal |= s->nfa->nodes[set[i]].literal;
                r = node_edges(s, set[i], false);
                if (r < 0)
                        return r;
        }
        r = accept_end(s, &state.accept);
        if (r < 0)
                return r;
        if (s->n_ranges == 0) {
                r = singles_make(s, s->dfa->edges + s->dfa->n_edges, &state.n);
        } else {
                r = row_make(s, row);
                state.n = edges_of_row(row, s->dfa->edges + s->dfa->n_edges, &state.otherwise);
        }
        return r < 0 ? r : dfa_add(s->dfa, state);
}

/* ---- the limit ----------------------------------------------------------------------------------------------------- */

/* A node that is in about half of all states has doubled their number; one that is in all or in hardly any has not. */
static uint64_t blame_of(const struct nfa *nfa, uint32_t pattern, const uint32_t *seen, size_t n_states) {
        uint64_t blame = 0;

        for (uint32_t node = nfa->ends[pattern]; node != NONE; node = nfa->nodes[node].parent) {
                size_t in = seen[node];

                if (nfa->nodes[node].kind == NODE_DEEP && seen[node + 1] > in)
                        in = seen[node + 1];
                blame += in < n_states - in ? in : n_states - in;
        }
        return blame;
}

static int too_many(struct subset *s, struct err *err) {
        const struct nfa *nfa = s->nfa;
        size_t n_states = intern_count(s->nodes), n;
        cleanup_free uint32_t *seen = new_array(nfa->n, sizeof(*seen));
        struct {
                uint64_t blame;
                const char *text;
        } worst[3] = {{0, ""}, {0, ""}, {0, ""}};

        if (!seen)
                return err_errno(err, -ENOMEM, "automaton");
        for (size_t i = 0; i < n_states; i++) {
                const uint32_t *set = intern_get(s->nodes, i, &n);

                for (size_t j = 0; j < n / sizeof(*set); j++)
                        seen[set[j]]++;
        }
        for (uint32_t p = 0; p < nfa->n_patterns; p++) {
                uint64_t blame = blame_of(nfa, p, seen, n_states);
                int at = 3;

                if (nfa->patterns[p].kind != PATH_GLOB)
                        continue;
                while (at > 0 && blame > worst[at - 1].blame)
                        at--;
                if (at == 3)
                        continue;
                memmove(&worst[at + 1], &worst[at], (size_t)(2 - at) * sizeof(*worst));
                worst[at].blame = blame;
                worst[at].text = nfa->patterns[p].text;
        }
        return err_set(
                err, -E2BIG, REASON_TOO_LARGE,
                "the globs need too many states together: how far each of them has come in a path says nothing about the others, and "
                "all combinations must be told apart. To be put more simply, or to be fewer: '%.200s'%s%.200s%s%s%.200s%s",
                worst[0].text, worst[1].blame ? ", '" : "", worst[1].text, worst[1].blame ? "'" : "", worst[2].blame ? ", '" : "",
                worst[2].text, worst[2].blame ? "'" : "");
}

static bool within(const struct subset *s, const struct automaton_limits *limits) {
        size_t states = (limits->states ?: STATES_MAX) + 4 * s->nfa->n;

        return s->glob_states <= states && s->members <= MEMBERS_MAX + 16 * s->nfa->n &&
               s->dfa->n_edges <= (limits->cells ?: LSM_CELLS_MAX);
}

int dfa_make(const struct nfa *nfa, const struct automaton_limits *limits, struct intern *sets, struct dfa *ret,
             struct err *err) {
        /* Of nodes; or of patterns that accept, each met at its own node, at the tree's root and behind a character. */
        size_t room = nfa->n + 3 * nfa->n_patterns;
        struct dfa dfa = {};
        struct subset s = {
                .nfa = nfa,
                .nodes = intern_new(),
                .patterns = sets,
                .dfa = &dfa,
                .set = new_array(room, sizeof(*s.set)),
                .mark = new_array(nfa->n, sizeof(*s.mark)),
        };
        int r = -ENOMEM;

        if (s.nodes && s.set && s.mark && intern_add(sets, NULL, 0) == 0 && intern_add(s.nodes, NULL, 0) == DEAD) {
                set_begin(&s);
                set_node(&s, 0);
                r = set_end(&s, &dfa.start);
        }
        for (size_t i = 0; r == 0 && i < intern_count(s.nodes); i++) {
                r = state_make(&s, i);
                if (r == 0 && !within(&s, limits))
                        r = -E2BIG;
        }
        if (r < 0) {
                r = r == -E2BIG ? too_many(&s, err) : err_errno(err, r, "automaton");
                dfa_done(&dfa);
        } else
                *ret = dfa;
        subset_done(&s);
        return r;
}
