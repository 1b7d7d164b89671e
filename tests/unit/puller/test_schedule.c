/* SPDX-License-Identifier: Apache-2.0 */
/* When to poll: a fleet that asks at once brings its own server down, one that backs off for ever misses the fix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule.h"

#define S 1000000000LL

static const struct schedule five_minutes = {.interval_ns = 300 * S, .jitter_percent = 10};

/* The same draws for everybody who runs this. */
static uint64_t draw(uint64_t *seed) {
        *seed += 0x9e3779b97f4a7c15ULL;
        return (*seed ^ *seed >> 31) * 0xbf58476d1ce4e5b9ULL;
}

static void the_first(void **state) {
        assert_int_equal(schedule_first(&five_minutes, 0), 0);
        assert_int_equal(schedule_first(&five_minutes, UINT64_MAX / 2 + 1), 150 * S);
        assert_true(schedule_first(&five_minutes, UINT64_MAX) < 300 * S);
        assert_true(schedule_first(&five_minutes, UINT64_MAX) >= 299 * S);
}

/* Of a fleet that boots together, every tenth of the interval sees about a tenth. */
static void a_fleet_is_spread(void **state) {
        unsigned tenth[10] = {};
        uint64_t seed = 1;

        for (int i = 0; i < 10000; i++) {
                int64_t at = schedule_first(&five_minutes, draw(&seed));

                assert_in_range(at, 0, 300 * S - 1);
                tenth[at / (30 * S)]++;
        }
        for (int i = 0; i < 10; i++)
                assert_in_range(tenth[i], 800, 1200);
}

static void after_a_success(void **state) {
        uint64_t seed = 2;

        assert_int_equal(schedule_next(&five_minutes, 0, 0, 0), 270 * S);
        assert_int_equal(schedule_next(&five_minutes, 0, 0, UINT64_MAX / 2 + 1), 300 * S);
        for (int i = 0; i < 1000; i++)
                assert_in_range(schedule_next(&five_minutes, 0, 0, draw(&seed)), 270 * S, 330 * S);
        assert_int_equal(schedule_next(&(struct schedule){.interval_ns = 60 * S}, 0, 0, UINT64_MAX),
                         60 * S); /* no jitter wanted */
}

/* Doubles with each failure, from anywhere below it, and never beyond an hour. */
static void after_failures(void **state) {
        static const int64_t ceilings[] = {600 * S, 1200 * S, 2400 * S, 3600 * S, 3600 * S, 3600 * S};
        uint64_t seed = 3;

        for (uint32_t i = 0; i < 6; i++) {
                assert_int_equal(schedule_next(&five_minutes, i + 1, 0, 0), 0);
                assert_in_range(schedule_next(&five_minutes, i + 1, 0, UINT64_MAX), ceilings[i] - 1, ceilings[i]);
                for (int k = 0; k < 100; k++)
                        assert_in_range(schedule_next(&five_minutes, i + 1, 0, draw(&seed)), 0, ceilings[i]);
        }
        assert_in_range(schedule_next(&five_minutes, UINT32_MAX, 0, UINT64_MAX), 3599 * S, 3600 * S);
        /* Who polls every minute is back within 16 of them, however long it lasted. */
        assert_in_range(schedule_next(&(struct schedule){.interval_ns = 60 * S}, 3, 0, UINT64_MAX), 479 * S, 480 * S);
        assert_in_range(schedule_next(&(struct schedule){.interval_ns = 60 * S}, 4, 0, UINT64_MAX), 959 * S, 960 * S);
        assert_in_range(schedule_next(&(struct schedule){.interval_ns = 60 * S}, UINT32_MAX, 0, UINT64_MAX), 959 * S, 960 * S);
}

/* Who polls once a day does not begin to poll every hour because it fails. */
static void a_long_interval(void **state) {
        const struct schedule daily = {.interval_ns = 86400 * S, .jitter_percent = 10};

        assert_in_range(schedule_next(&daily, 1, 0, UINT64_MAX), 86399 * S, 86400 * S);
        assert_in_range(schedule_next(&daily, 40, 0, UINT64_MAX), 86399 * S, 86400 * S);
        assert_int_equal(schedule_next(&daily, 0, 0, 0), 77760 * S);
}

/* Never sooner than the server asked, not all at that moment, and with a back-off that grows all the same. */
static void as_the_server_asks(void **state) {
        uint64_t seed = 4;

        assert_int_equal(schedule_next(&five_minutes, 1, 3600, 0), 3600 * S);
        assert_in_range(schedule_next(&five_minutes, 1, 3600, UINT64_MAX), 4199 * S, 4200 * S);
        assert_int_equal(schedule_next(&five_minutes, 9, 1, 0), 1 * S);
        assert_in_range(schedule_next(&five_minutes, 9, 1, UINT64_MAX), 3600 * S, 3601 * S);
        for (int i = 0; i < 1000; i++)
                assert_in_range(schedule_next(&five_minutes, 2, 60, draw(&seed)), 60 * S, 1260 * S);
        assert_int_equal(schedule_next(&five_minutes, 1, -5, 0), 0);
        /* asked while all is well: nothing to do with this */
        assert_int_equal(schedule_next(&five_minutes, 0, 3600, 0), 270 * S);
}

/* A mirror cannot send a node away for a year. */
static void as_a_hostile_server_asks(void **state) {
        const struct schedule daily = {.interval_ns = 86400 * S, .jitter_percent = 10};

        assert_int_equal(schedule_next(&five_minutes, 1, INT32_MAX, 0), 3600 * S);
        assert_in_range(schedule_next(&five_minutes, UINT32_MAX, INT32_MAX, UINT64_MAX), 7199 * S, 7200 * S);
        assert_int_equal(schedule_next(&daily, 1, INT32_MAX, 0), 86400 * S);
}

static void when_the_rollout_changes(void **state) {
        const struct schedule daily = {.interval_ns = 86400 * S, .jitter_percent = 10};
        uint64_t seed = 5;

        for (int shared = 0; shared < 2; shared++) {
                assert_int_equal(schedule_wake(&daily, 50000 * S, 0, shared, 7), 50000 * S);     /* it does not */
                assert_int_equal(schedule_wake(&daily, 50000 * S, 50001, shared, 7), 50000 * S); /* the poll comes first */
                assert_int_equal(schedule_wake(&daily, 50000 * S, INT64_MAX, shared, 7), 50000 * S);
                assert_int_equal(schedule_wake(&daily, 50000 * S, -1, shared, 7), 50000 * S);
                assert_int_equal(schedule_wake(&daily, 50000 * S, 3600, shared, 0), 3600 * S);
                assert_int_equal(schedule_wake(&five_minutes, 0, 0, shared, 7), 0);
                assert_int_equal(schedule_wake(&five_minutes, 0, 1, shared, 7), 0);
        }
        assert_int_equal(schedule_wake(&daily, 50000 * S, 3600, false, UINT64_MAX), 3600 * S);
        assert_in_range(schedule_wake(&daily, 50000 * S, 3600, true, UINT64_MAX), 3899 * S, 3900 * S);
        for (int i = 0; i < 1000; i++)
                assert_in_range(schedule_wake(&daily, 3700 * S, 3600, true, draw(&seed)), 3600 * S, 3700 * S);
        /* who polls that often comes with the next poll, or all of a wave would come in half the time */
        assert_int_equal(schedule_wake(&five_minutes, 300 * S, 100, true, 7), 300 * S);
        assert_int_equal(schedule_wake(&five_minutes, 300 * S, 100, false, 7), 100 * S);
}

static void numbers_differ(void **state) {
        uint64_t a = random_u64(), b = random_u64(), c = random_u64();

        assert_true(a != b && b != c && a != c);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_first),
                cmocka_unit_test(a_fleet_is_spread),
                cmocka_unit_test(after_a_success),
                cmocka_unit_test(after_failures),
                cmocka_unit_test(a_long_interval),
                cmocka_unit_test(as_the_server_asks),
                cmocka_unit_test(as_a_hostile_server_asks),
                cmocka_unit_test(when_the_rollout_changes),
                cmocka_unit_test(numbers_differ),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
