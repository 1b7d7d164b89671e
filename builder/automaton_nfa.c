/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of all patterns. */
#include "automaton_parts.h"

void nfa_done(struct nfa *nfa) {
        free(nfa->nodes);
        free(nfa->chars);
        free(nfa->next_accept);
        free(nfa->ends);
        *nfa = (struct nfa){};
}

static int node_add(struct nfa *nfa, struct node node, uint32_t *ret) {
        if (nfa->n == nfa->cap) {
                size_t cap = nfa->cap ? nfa->cap * 2 : 1024;
                struct node *nodes = reallocarray(nfa->nodes, cap, sizeof(*nodes));

                if (!nodes)
                        return -ENOMEM;
                nfa->nodes = nodes;
                nfa->cap = cap;
        }
        node.children = node.stars = node.tree = node.accepts = NONE;
        *ret = (uint32_t)nfa->n;
        nfa->nodes[nfa->n++] = node;
        return 0;
}

/* The child of `parent` that is like `want`, made when there is none. A list's length is that of an alphabet, mostly. */
static int child_of(struct nfa *nfa, uint32_t parent, struct node want, bool star, uint32_t *ret) {
        uint32_t first = star ? nfa->nodes[parent].stars : nfa->nodes[parent].children;
        int r;

        for (uint32_t c = first; c != NONE; c = nfa->nodes[c].next) {
                const struct node *n = &nfa->nodes[c];

                if (n->kind == want.kind && n->chars == want.chars && n->byte == want.byte) {
                        *ret = c;
                        return 0;
                }
        }
        want.parent = parent;
        want.next = first;
        r = node_add(nfa, want, ret);
        if (r < 0)
                return r;
        if (star)
                nfa->nodes[parent].stars = *ret;
        else
                nfa->nodes[parent].children = *ret;
        if (want.kind == NODE_DEEP) {
                uint32_t in;

                return node_add(nfa, (struct node){.parent = *ret, .next = NONE, .chars = NONE, .kind = NODE_DEEP_IN}, &in);
        }
        return 0;
}

static int byte_child(struct nfa *nfa, uint32_t parent, uint8_t byte, uint32_t *ret) {
        struct node want = {.chars = NONE, .byte = byte, .literal = nfa->nodes[parent].literal};

        return child_of(nfa, parent, want, false, ret);
}

static int char_child(struct nfa *nfa, uint32_t parent, const struct path_token *token, uint32_t *ret) {
        struct node want = {.kind = token->others ? NODE_CHAR : NODE_PLAIN};

        for (want.chars = 0; want.chars < nfa->n_chars; want.chars++) {
                const struct path_token *known = &nfa->chars[want.chars];

                if (known->others == token->others && known->ascii[0] == token->ascii[0] && known->ascii[1] == token->ascii[1])
                        break;
        }
        if (want.chars == nfa->n_chars) {
                struct path_token *chars = reallocarray(nfa->chars, nfa->n_chars + 1, sizeof(*chars));

                if (!chars)
                        return -ENOMEM;
                nfa->chars = chars;
                nfa->chars[nfa->n_chars++] = *token;
        }
        return child_of(nfa, parent, want, false, ret);
}

static int token_child(struct nfa *nfa, uint32_t parent, const struct path_token *token, uint32_t *ret) {
        static const uint8_t star_kind[] = {
                [PATH_STAR] = NODE_STAR,
                [PATH_STAR_STAR] = NODE_ANY,
                [PATH_DEEP] = NODE_DEEP,
        };

        if (token->kind == PATH_BYTE)
                return byte_child(nfa, parent, token->byte, ret);
        if (token->kind == PATH_CHAR)
                return char_child(nfa, parent, token, ret);
        return child_of(nfa, parent, (struct node){.chars = NONE, .kind = star_kind[token->kind]}, true, ret);
}

static int pattern_add(struct nfa *nfa, uint32_t number) {
        const struct path_pattern *p = &nfa->patterns[number];
        uint32_t at = 0;
        int r;

        for (size_t i = 0; i < p->literal; i++) {
                r = byte_child(nfa, at, (uint8_t)p->prefix[i], &at);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < p->n; i++) {
                r = token_child(nfa, at, &p->tokens[i], &at);
                if (r < 0)
                        return r;
        }
        if (p->tree) {
                if (nfa->nodes[at].tree == NONE) {
                        uint32_t tree;

                        r = node_add(nfa, (struct node){.parent = at, .next = NONE, .chars = NONE, .kind = NODE_ANY}, &tree);
                        if (r < 0)
                                return r;
                        nfa->nodes[at].tree = tree;
                }
                at = nfa->nodes[at].tree;
        }
        nfa->ends[number] = at;
        nfa->next_accept[number] = nfa->nodes[at].accepts;
        nfa->nodes[at].accepts = number;
        return 0;
}

int nfa_make(const struct path_pattern *patterns, size_t n, size_t max_nodes, struct nfa *ret, struct err *err) {
        struct nfa nfa = {.patterns = patterns, .n_patterns = n};
        uint32_t root;
        int r;

        nfa.next_accept = new_array(n, sizeof(*nfa.next_accept));
        nfa.ends = new_array(n, sizeof(*nfa.ends));
        r = nfa.next_accept && nfa.ends
                    ? node_add(&nfa, (struct node){.parent = NONE, .next = NONE, .chars = NONE, .literal = true}, &root)
                    : -ENOMEM;
        /* From the last on, so that the lists of what ends at a node ascend. */
        for (size_t i = n; r == 0 && i-- > 0;) {
                r = pattern_add(&nfa, (uint32_t)i);
                if (r == 0 && nfa.n > max_nodes)
                        r = -E2BIG;
        }
        if (r < 0) {
                nfa_done(&nfa);
                return r == -E2BIG ? err_set(err, r, REASON_TOO_LARGE, "the paths of the rules are too much text for one bundle")
                                   : err_errno(err, r, "automaton");
        }
        *ret = nfa;
        return 0;
}
