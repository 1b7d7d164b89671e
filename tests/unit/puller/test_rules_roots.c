/* SPDX-License-Identifier: Apache-2.0 */
/* Where file systems are, as the engine is told: a wrong state protects something else than what the rule names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "buf.h"
#include "rules_roots.h"

/* State 0 is dead; S knows '/', from which 'a' leads on to A; from there all that follows stays in IN. */
#define S 256u
#define SLASH 512u
#define A 768u
#define IN 1024u
#define CELLS 1280u

struct record {
        uint32_t index;
        struct lsm_rules_cell cell;
};

static const struct record automaton[] = {
        {0, {LSM_CELL_OWN, 0}},
        {S, {LSM_CELL_OWN | 1, 0}},
        {S + '/', {S, SLASH}},
        {SLASH, {LSM_CELL_OWN | 2, 0}},
        {SLASH + 'a', {SLASH, A}},
        {A, {LSM_CELL_OWN | 3, 0}},
        {A + '/', {A, IN | LSM_STATE_SINK}},
        {IN, {LSM_CELL_OWN | 4, IN | LSM_STATE_SINK}},
};

static int cells_setup(void **state) {
        struct lsm_rules_cell *cells = NULL;
        int r = rules_cells_read(automaton, sizeof(automaton), CELLS, &cells, NULL);

        *state = cells;
        return r;
}

static int cells_teardown(void **state) {
        free(*state);
        return 0;
}

static struct rules_roots roots_of(const struct lsm_rules_cell *cells, const char *table) {
        cleanup_mounts struct mounts m = {0};
        struct rules_roots roots = {0};
        struct err err = {0};

        assert_int_equal(mounts_parse(table, strlen(table), &m), 0);
        if (rules_roots_find(&m, cells, CELLS, S, NULL, &roots, &err) < 0)
                fail_msg("%s", err.msg);
        return roots;
}

/* UINT32_MAX: it is not known. */
static uint32_t state_of(const struct rules_roots *r, uint32_t dev) {
        for (size_t i = 0; i < r->n; i++)
                if (r->list[i].dev == dev)
                        return r->list[i].root.state;
        return UINT32_MAX;
}

static void states(void **state) {
        cleanup_rules_roots struct rules_roots r = roots_of(*state, "20 1 8:1 / / rw - t x rw\n"
                                                                    "21 20 0:1 / /a rw - t x rw\n"
                                                                    "22 21 0:2 / /a/b\\040c rw - t x rw\n"
                                                                    "23 20 0:3 / /b rw - t x rw\n");

        assert_int_equal(r.n, 4);
        assert_int_equal(state_of(&r, 8u << 20 | 1), S);
        assert_int_equal(state_of(&r, 1), A);
        assert_int_equal(state_of(&r, 2), IN); /* and not a sink */
        assert_int_equal(state_of(&r, 3), 0);  /* known to be elsewhere */
        assert_int_equal(r.parts + r.full, 0);
}

static void several_places(void **state) {
        cleanup_rules_roots struct rules_roots r =
                roots_of(*state, "20 1 8:1 / / rw - t x rw\n"
                                 "21 20 8:1 / /again rw - t x rw\n"
                                 "22 20 0:1 / /longer rw - t x rw\n"
                                 "23 20 0:1 / /a rw - t x rw\n"
                                 "24 20 0:2 / /c rw - t x rw\n" /* shorter, but rules are about the other */
                                 "25 23 0:2 / /a/b rw - t x rw\n"
                                 "26 20 0:3 / /z rw - t x rw\n" /* mounted over */
                                 "27 26 0:4 / /z rw - t x rw\n"
                                 "28 23 0:3 / /a/longer rw - t x rw\n"
                                 "29 23 0:5 / /a/2 rw - t x rw\n"
                                 "30 20 0:5 / /bbb rw - t x rw\n");

        assert_int_equal(r.n, 6);
        assert_int_equal(state_of(&r, 8u << 20 | 1), S);
        assert_int_equal(state_of(&r, 1), A);
        assert_int_equal(state_of(&r, 2), IN);
        assert_int_equal(state_of(&r, 3), IN);
        assert_int_equal(state_of(&r, 4), 0);
        assert_int_equal(state_of(&r, 5), IN);
        assert_int_equal(r.parts, 0);
}

static void folders_of_file_systems(void **state) {
        cleanup_rules_roots struct rules_roots r = roots_of(*state, "20 1 0:30 /@ / rw - btrfs x rw\n"
                                                                    "21 20 0:30 /@home /home rw - btrfs x rw\n"
                                                                    "22 20 0:31 /x /b rw - t x rw\n"
                                                                    "23 20 0:31 / /a rw - t x rw\n"
                                                                    "24 20 0:32 / /c/d rw - t x rw\n" /* nowhere to be seen */
                                                                    "25 20 0:33 / /c rw - t x rw\n");

        assert_int_equal(r.n, 2);
        assert_int_equal(state_of(&r, 30), UINT32_MAX);
        assert_int_equal(state_of(&r, 31), A);
        assert_int_equal(state_of(&r, 32), UINT32_MAX);
        assert_int_equal(r.parts, 2);
}

/* The same, when `table` was there before. */
static struct rules_roots after(const struct lsm_rules_cell *cells, const struct rules_roots *before, const char *table) {
        cleanup_mounts struct mounts m = {0};
        struct rules_roots roots = {0};

        assert_int_equal(mounts_parse(table, strlen(table), &m), 0);
        assert_int_equal(rules_roots_find(&m, cells, CELLS, S, before, &roots, NULL), 0);
        return roots;
}

#define DISK (8u << 20 | 2)

static void rules_first(void **state) {
        cleanup_rules_roots struct rules_roots r =
                roots_of(*state, "20 1 8:1 / / rw - t x rw\n"
                                 "21 20 8:2 / /b rw - t x rw\n" /* shorter, and nothing to protect */
                                 "22 20 8:2 / /a/long rw - t x rw\n");

        assert_int_equal(state_of(&r, DISK), IN);
}

static void places_that_stay(void **state) {
        cleanup_rules_roots struct rules_roots r = roots_of(*state, "20 1 8:1 / / rw - t x rw\n"
                                                                    "21 20 8:2 / /a rw - t x rw\n"
                                                                    "22 21 0:5 / /a/t rw - t x rw\n"
                                                                    "23 20 0:6 / /b rw - t x rw\n");
        cleanup_rules_roots struct rules_roots moved =
                after(*state, &r,
                      "20 1 8:1 / / rw - t x rw\n"
                      "21 20 8:2 / /b rw - t x rw\n"   /* moved to where no rule is about it */
                      "22 20 0:5 /x /c rw - t x rw\n"  /* of it, there is only a folder */
                      "24 20 0:6 / /a rw - t x rw\n"); /* where nothing was, and now is */
        cleanup_rules_roots struct rules_roots gone = after(*state, &moved, "20 1 8:1 / / rw - t x rw\n");
        cleanup_rules_roots struct rules_roots again = after(*state, &gone,
                                                             "20 1 8:1 / / rw - t x rw\n"
                                                             "21 20 0:5 / /b rw - t x rw\n");

        assert_int_equal(state_of(&moved, DISK), A);
        assert_int_equal(state_of(&moved, 5), IN);
        assert_int_equal(state_of(&moved, 6), A);
        assert_int_equal(moved.parts, 0);
        assert_int_equal(state_of(&gone, DISK), A); /* somebody may have it open */
        assert_int_equal(state_of(&gone, 5), UINT32_MAX);
        assert_int_equal(state_of(&again, 5), 0); /* another file system by that number */
        assert_int_equal(state_of(&again, 8u << 20 | 1), S);
}

static uint32_t special(const struct rules_roots *r, uint32_t key) {
        for (size_t i = 0; i < r->n_special; i++)
                if (r->special[i].dev == key)
                        return r->special[i].root.state;
        return UINT32_MAX;
}

static void instances(void **state) {
        cleanup_rules_roots struct rules_roots r = roots_of(*state, "20 1 8:1 / / rw - t x rw\n"
                                                                    "21 20 0:1 / /a rw shared:7 - proc proc rw\n"
                                                                    "22 20 0:2 / /a/longer rw - proc proc rw\n"
                                                                    "23 20 0:3 /x /a/x rw - sysfs sysfs rw\n");

        assert_int_equal(special(&r, LSM_ROOT_PROC), A);
        assert_int_equal(special(&r, LSM_ROOT_SYS), UINT32_MAX); /* a folder of it */
        assert_int_equal(special(&r, LSM_ROOT_START), S);
}

static void too_many(void **state) {
        cleanup_buf struct buf text = {0};
        cleanup_rules_roots struct rules_roots r = {0};

        assert_int_equal(buf_printf(&text, "20 1 8:1 / / rw - t x rw\n"), 0);
        for (unsigned i = 0; i < 2000; i++)
                assert_int_equal(buf_printf(&text, "%u 20 0:%u / /b%u rw - t x rw\n", 100 + i, 1 + i, i), 0);
        assert_int_equal(buf_printf(&text, "9999 20 0:5000 / /a rw - t x rw\n"), 0);
        r = roots_of(*state, text.data);
        assert_int_equal(r.n, LSM_ROOTS_MAX);
        assert_int_equal(r.full, 2002 - LSM_ROOTS_MAX);
        assert_int_equal(state_of(&r, 5000), A); /* those that rules may be about are not what is left out */
        assert_int_equal(state_of(&r, 8u << 20 | 1), S);
}

static void broken_cells(void **state) {
        struct lsm_rules_cell *cells = NULL;
        const struct record outside = {CELLS, {0, 0}};
        struct err err = {0};

        assert_int_equal(rules_cells_read(automaton, sizeof(automaton) - 1, CELLS, &cells, &err), -EBADMSG);
        assert_int_equal(err.reason, REASON_MALFORMED);
        assert_int_equal(rules_cells_read(&outside, sizeof(outside), CELLS, &cells, NULL), -EBADMSG);
        assert_int_equal(rules_cells_read(automaton, sizeof(automaton), 0, &cells, NULL), -EBADMSG);
        assert_int_equal(rules_cells_read(automaton, sizeof(automaton), (size_t)LSM_CELLS_MAX + 1, &cells, NULL), -EBADMSG);
        assert_null(cells);
}

/* A start that is no state, and a step that leads to none. */
static void no_automaton(void **state) {
        static const char table[] = "20 1 8:1 / / rw - t x rw\n21 20 0:1 / /a/b rw - t x rw\n";
        cleanup_mounts struct mounts m = {0};
        cleanup_free struct lsm_rules_cell *cells = NULL;
        struct rules_roots roots = {0};
        struct err err = {0};

        assert_int_equal(mounts_parse(table, strlen(table), &m), 0);
        assert_int_equal(rules_roots_find(&m, *state, CELLS, S + 1, NULL, &roots, &err), -EBADMSG);
        assert_int_equal(err.reason, REASON_MALFORMED);
        assert_int_equal(rules_roots_find(&m, *state, CELLS, UINT32_MAX, NULL, &roots, NULL), -EBADMSG);
        assert_int_equal(rules_cells_read(automaton, sizeof(automaton), CELLS, &cells, NULL), 0);
        cells[A + '/'].next = CELLS + 7;
        assert_int_equal(rules_roots_find(&m, cells, CELLS, S, NULL, &roots, NULL), -EBADMSG);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(states),      cmocka_unit_test(several_places),   cmocka_unit_test(folders_of_file_systems),
                cmocka_unit_test(rules_first), cmocka_unit_test(places_that_stay), cmocka_unit_test(instances),
                cmocka_unit_test(too_many),    cmocka_unit_test(broken_cells),     cmocka_unit_test(no_automaton),
        };

        return cmocka_run_group_tests(tests, cells_setup, cells_teardown);
}
