/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps from patterns to cells; only automaton*.c include this.
 *
 *   nfa      a tree of all patterns, token by token, so that equal beginnings are there once. With the literal beginnings alone it
 *            is an ordinary trie of paths.
 *   dfa      its reachable sets of nodes. A literal node is in exactly one of them, so exact paths and directories stay a trie,
 *            however many there are; only globs multiply.
 *   minimal  states that nothing distinguishes, merged.
 *   below    what can still match
 *   cells    packed
 */
#pragma once

#include "automaton.h"
#include "intern.h"

#define NONE UINT32_MAX
#define DEAD 0 /* the state from which nothing matches, everywhere */

/* ---- nfa ----------------------------------------------------------------------------------------------------------- */

enum node_kind {
        NODE_PLAIN,
        NODE_CHAR,    /* within a character: continuation bytes stay, and what is behind it does not begin with one */
        NODE_STAR,    /* stays, but for '/' */
        NODE_ANY,     /* stays */
        NODE_DEEP,    /* at the beginning of a component that may be skipped */
        NODE_DEEP_IN, /* within it; always the node behind the NODE_DEEP */
};

struct node {
        uint32_t parent;
        uint32_t children, stars; /* lists, linked by `next`: reached by a token, and without any */
        uint32_t next;
        uint32_t tree;    /* the NODE_ANY below the '/' behind it */
        uint32_t accepts; /* first of the patterns that end here, linked by nfa.next_accept */
        uint32_t chars;   /* index of nfa.chars, or NONE: it is reached by `byte` */
        uint8_t kind;     /* enum node_kind */
        uint8_t byte;
        bool literal; /* all from the root to here are plain bytes */
};

struct nfa {
        struct node *nodes; /* nodes[0]: the root */
        size_t n, cap;
        struct path_token *chars;
        size_t n_chars;
        const struct path_pattern *patterns;
        uint32_t *next_accept, *ends; /* for each pattern: the next one of the same node, and the node it ends at */
        size_t n_patterns;
};

int nfa_make(const struct path_pattern *patterns, size_t n, size_t max_nodes, struct nfa *ret, struct err *err);
void nfa_done(struct nfa *nfa);

/* ---- deterministic automata ---------------------------------------------------------------------------------------- */

struct edge {
        uint32_t to;
        uint8_t byte;
};
struct dfa_state {
        uint32_t accept;    /* a number of the interned sets of patterns */
        uint32_t otherwise; /* where all bytes lead that have no edge */
        size_t edges;       /* index of dfa.edges: ascending by byte, none to `otherwise` */
        uint16_t n;         /* how many */
        bool literal;
};
struct dfa {
        struct dfa_state *states; /* states[DEAD] */
        size_t n, cap;
        struct edge *edges;
        size_t n_edges, cap_edges;
        uint32_t start;
};
void dfa_done(struct dfa *dfa);
/* Room for so many more edges, to be written behind n_edges. */
int dfa_reserve(struct dfa *dfa, size_t n_edges);
/* Appends a state with the edges that were written behind n_edges. */
int dfa_add(struct dfa *dfa, struct dfa_state state);
/* From where each of the bytes 1 to 255 leads: into at most 255 edges, and what is left. Equal rows give equal edges. */
uint16_t edges_of_row(const uint32_t row[256], struct edge *ret, uint32_t *ret_otherwise);

/* Subset construction: sets of patterns go to `sets`, in which the empty one is 0. */
int dfa_make(const struct nfa *nfa, const struct automaton_limits *limits, struct intern *sets, struct dfa *ret, struct err *err);
/* The same language and the same sets with as few states as there can be. */
int dfa_minimise(const struct dfa *dfa, struct dfa *ret);
/* Its first half: which of the states that are not literal nothing distinguishes. class_of: for each state; the classes are numbered
 * from 0. */
int dfa_refine(const struct dfa *dfa, uint32_t *class_of, uint32_t *ret_n);
/* A state's edges when each state stands for its class. */
uint16_t edges_by_class(const struct dfa *dfa, const struct dfa_state *state, const uint32_t *class_of, struct edge *ret,
                        uint32_t *ret_otherwise);

/* What matches in or after each state: numbers of `sets`. -E2BIG: more members than that. */
int dfa_below(const struct dfa *dfa, size_t n_patterns, size_t max_members, struct intern *sets, uint32_t **ret, struct err *err);
/* records: for each state. Fills cells, n_cells and start. */
int cells_pack(const struct dfa *dfa, const uint32_t *records, size_t max_cells, struct automaton *ret, struct err *err);

/* ---- small things -------------------------------------------------------------------------------------------------- */

int u32_cmp(const void *a, const void *b);
