/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From patterns of paths to the automaton that finds, in one pass over a path, all patterns that match it. The cells are those of
 * lsm_rules_abi.h, in native order.
 *
 * States that agree in what matches and in where they lead are one. The numbers are: a state is an index of `cells`; its own cell
 * names (LSM_CELL_OWN) its record, an index of `states`; a record names two sets of patterns.
 */
#pragma once

#include <linux/types.h>

#include "lsm_rules_abi.h"
#include "path_pattern.h"

struct automaton_state {
        uint32_t accept; /* index of sets: the patterns that match a path that ends here */
        uint32_t below;  /* and those that match it or some path that goes on from here */
};

struct automaton_set {
        uint32_t *patterns; /* ascending */
        size_t n;
};

struct automaton {
        /* n_cells is above every state + 255. Unused cells are zero, which is what they would be as cells of the dead state. */
        struct lsm_rules_cell *cells;
        size_t n_cells;
        /* The state of the root's path, "". 0: there is no pattern. Never a sink: only '/' follows. In a `next`, a sink is flagged with
         * LSM_STATE_SINK (it leads to itself, too, so who has lost the flag loses time alone); but the dead state is plainly 0. */
        uint32_t start;
        struct automaton_state *states; /* states[0]: the dead state's; none twice */
        size_t n_states;
        struct automaton_set *sets; /* sets[0] is empty; none twice */
        size_t n_sets;
        size_t n_nodes; /* how many states there are, the dead one included: for reports */
};

/* What a set of patterns may grow to. 0: no limit but what the format has. */
struct automaton_limits {
        size_t cells;   /* at most LSM_CELLS_MAX */
        size_t states;  /* while it is made, beyond what the length of the patterns explains */
        size_t members; /* of all sets together */
};

/* -E2BIG, REASON_TOO_LARGE: too many states, with the patterns that are most to blame. */
int automaton_make(const struct path_pattern *patterns, size_t n, struct automaton *ret, struct err *err);
int automaton_make_within(const struct path_pattern *patterns, size_t n, const struct automaton_limits *limits,
                          struct automaton *ret, struct err *err);
void automaton_done(struct automaton *a);
#define cleanup_automaton cleanup(automaton_done)
