/* SPDX-License-Identifier: Apache-2.0 */
#include "rules_walk.h"

static bool is_state(const struct lsm_rules_cell *cells, size_t n_cells, uint32_t state) {
        return state < n_cells && n_cells - state > 255 && cells[state].check & LSM_CELL_OWN;
}

uint32_t rules_walk(const struct lsm_rules_cell *cells, size_t n_cells, uint32_t state, const char *path) {
        for (const uint8_t *c = (const uint8_t *)path; is_state(cells, n_cells, state); c++) {
                const struct lsm_rules_cell *cell = &cells[state + *c];

                if (!*c)
                        return state;
                state = (cell->check == state ? cell : &cells[state])->next;
                if (state & LSM_STATE_SINK) {
                        state &= ~LSM_STATE_SINK;
                        return is_state(cells, n_cells, state) ? state : RULES_STATE_BAD;
                }
        }
        return RULES_STATE_BAD;
}

uint32_t rules_state_record(const struct lsm_rules_cell *cells, size_t n_cells, uint32_t state) {
        return is_state(cells, n_cells, state) ? cells[state].check & ~LSM_CELL_OWN : RULES_STATE_BAD;
}
