/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A path through the automaton of lsm_rules_abi.h, as the engine in the kernel does it. The cells are a bundle's: signed, but made
 * by others, so no index in them is believed.
 */
#pragma once

#include <linux/types.h>

#include "lsm_rules_abi.h"
#include "util.h"

/* No state: the cells do not make an automaton. */
#define RULES_STATE_BAD UINT32_MAX

/* The state after `path` from `state`, both without LSM_STATE_SINK. path: "" or "/a/b" (from the root on, or from a mount point). */
uint32_t rules_walk(const struct lsm_rules_cell *cells, size_t n_cells, uint32_t state, const char *path);

/* The index of the state's lsm_rules_state; RULES_STATE_BAD when it is no state. The caller knows how many there are. */
uint32_t rules_state_record(const struct lsm_rules_cell *cells, size_t n_cells, uint32_t state);
