/* SPDX-License-Identifier: Apache-2.0 */
/* A mount table, whose paths anybody may have chosen. Paths begin with '/' or are the root's; each file system gets one place at most,
 * and the state of it is one of the automaton's. */
#include "../../puller/rules_roots.h"
#include "fuzz.h"

#define START 256u
#define CELLS 768u

/* "/a" and what is below it, and all else. */
static const struct {
        uint32_t index;
        struct lsm_rules_cell cell;
} automaton[] = {
        {0, {LSM_CELL_OWN, 0}},       {START, {LSM_CELL_OWN | 1, 0}}, {START + '/', {START, 512}},
        {512, {LSM_CELL_OWN | 2, 0}}, {512 + 'a', {512, START}},
};

static void check(const struct mounts *m, const struct rules_roots *r) {
        must(r->n <= LSM_ROOTS_MAX && r->n + r->full + r->parts <= m->n);
        for (size_t i = 0; i < r->n; i++) {
                uint32_t state = r->list[i].root.state;
                bool mounted = false;

                must(state == 0 || state == START || state == 512);
                for (size_t k = 0; k < m->n; k++)
                        mounted |= m->list[k].dev == r->list[i].dev && m->list[k].whole && m->list[k].seen;
                must(mounted);
                for (size_t k = 0; k < i; k++)
                        must(r->list[k].dev != r->list[i].dev);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        cleanup_free struct lsm_rules_cell *cells = NULL;
        cleanup_rules_roots struct rules_roots roots = {0};
        cleanup_mounts struct mounts m = {0};

        must(mounts_parse(data, size, &m) == 0);
        for (size_t i = 0; i < m.n; i++)
                must(!*m.list[i].path || (*m.list[i].path == '/' && m.list[i].path[1]));
        must(rules_cells_read(automaton, sizeof(automaton), CELLS, &cells, NULL) == 0);
        must(rules_roots_find(&m, cells, CELLS, START, NULL, &roots, NULL) == 0);
        check(&m, &roots);
        return 0;
}
