/* SPDX-License-Identifier: Apache-2.0 */
/* Folded denials: a count that is taken twice or not at all makes somebody believe in more, or fewer, attacks than there were. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fold.h"
#include "util.h"

#define NOW (1000ULL << LSM_FOLD_CLOCK_SHIFT)
#define WINDOW ((uint64_t)LSM_FOLD_WINDOW << LSM_FOLD_CLOCK_SHIFT)
#define FOLDING(n) (LSM_FOLD_READY | (LSM_FOLD_BEGIN(0, NOW) + (LSM_FOLD_BURST - 1) * LSM_FOLD_TOLD_ONE + (n)))

struct taken {
        size_t n;
        uint64_t count;
        struct lsm_event last;
};

static void on_taken(void *ctx, const struct lsm_event *e) {
        struct taken *t = ctx;

        t->n++;
        t->count += e->count;
        t->last = *e;
}

static struct lsm_fold *places(void) {
        struct lsm_fold *f = calloc(LSM_FOLDS_SIZE, sizeof(*f));

        assert_non_null(f);
        return f;
}

static void test_taken_once(void **state) {
        cleanup_free struct lsm_fold *f = places();
        struct taken t = {0};

        f[7] = (struct lsm_fold){
                .word = FOLDING(41), .first_ns = NOW + 5, .last_ns = NOW + 9, .event = {.pid = 12, .count = 1, .folding = 1}};
        assert_true(fold_take(f, NOW + WINDOW - 1, false, on_taken, &t)); /* the window is open: later */
        assert_int_equal(t.n, 0);
        assert_false(fold_take(f, NOW + WINDOW, false, on_taken, &t));
        assert_int_equal(t.n, 1);
        assert_int_equal(t.last.count, 41);
        assert_int_equal(t.last.first_ns, NOW + 5);
        assert_int_equal(t.last.time_ns, NOW + 9);
        assert_int_equal(t.last.pid, 12);
        assert_int_equal(t.last.folding, 0);
        assert_false(fold_take(f, NOW + WINDOW, true, on_taken, &t));
        assert_int_equal(t.n, 1);
}

static void test_all(void **state) {
        cleanup_free struct lsm_fold *f = places();
        struct taken t = {0};

        f[0].word = FOLDING(1);
        f[LSM_FOLDS - 1].word = FOLDING(LSM_FOLD_COUNT_MASK);
        assert_true(fold_take(f, NOW + 1, true, on_taken, &t)); /* the window goes on */
        assert_int_equal(t.n, 2);
        assert_int_equal(t.count, 1 + LSM_FOLD_COUNT_MASK);
        assert_int_equal(f[0].word, FOLDING(0));
}

/* A place that is being written, or nobody's: there is nothing to read in it. */
static void test_not_ready(void **state) {
        cleanup_free struct lsm_fold *f = places();
        struct taken t = {0};

        f[1].word = FOLDING(3) & ~LSM_FOLD_READY;
        assert_false(fold_take(f, NOW + WINDOW, true, on_taken, &t));
        assert_int_equal(t.n, 0);
        assert_int_equal(f[1].word, FOLDING(3) & ~LSM_FOLD_READY);
        f[1].word = FOLDING(3);
        fold_take(f, NOW + WINDOW, true, on_taken, &t);
        assert_int_equal(t.n, 1);
}

static void test_lost(void **state) {
        cleanup_free struct lsm_fold *f = places();
        struct taken t = {0};

        f[LSM_FOLDS_LOST].word = 77;
        assert_false(fold_take(f, NOW, true, on_taken, &t));
        assert_int_equal(t.n, 0);
        assert_int_equal(fold_take_lost(f), 77);
        assert_int_equal(fold_take_lost(f), 0);
}

#define EACH 200000

struct folding {
        struct lsm_fold *f;
        atomic_bool taken; /* some of the first half: the rest comes after it */
};

static void *fold_many(void *arg) {
        struct folding *x = arg;

        for (size_t i = 0; i < EACH; i++) {
                while (i == EACH / 2 && !x->taken)
                        sched_yield();
                __atomic_fetch_add(&x->f->word, 1, __ATOMIC_SEQ_CST);
        }
        return NULL;
}

/* While others fold, as on several processors. */
static void test_exact_in_a_race(void **state) {
        cleanup_free struct lsm_fold *f = places();
        struct taken t = {0};
        struct folding x = {.f = &f[3]};
        pthread_t threads[2];

        f[3].word = FOLDING(0);
        for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
                assert_int_equal(pthread_create(&threads[i], NULL, fold_many, &x), 0);
        while (t.count < ARRAY_SIZE(threads) * EACH / 2) {
                fold_take(f, NOW + 1, true, on_taken, &t);
                x.taken = t.n > 0;
        }
        for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
                pthread_join(threads[i], NULL);
        fold_take(f, NOW + WINDOW, false, on_taken, &t);
        assert_int_equal(t.count, ARRAY_SIZE(threads) * EACH);
        assert_true(t.n > 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_taken_once),      cmocka_unit_test(test_all),
                cmocka_unit_test(test_not_ready),       cmocka_unit_test(test_lost),
                cmocka_unit_test(test_exact_in_a_race),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
