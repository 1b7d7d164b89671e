/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of a stream must not depend on where it is computed: a race here would let a wrong member pass, or refuse a good one. */
#include <signal.h>

#include "hasher.h"
#include "unit.h"

#define PIECE 70000

/* n pieces from a ring of buffers that is written to as soon as the contract allows. */
static void message(struct hasher *h, size_t n, unsigned int seed) {
        static uint8_t buffers[HASHER_DEPTH + 1][PIECE];
        cleanup_digest struct digest *plain = digest_new();
        uint8_t want[SHA256_SIZE], got[SHA256_SIZE];

        assert_non_null(plain);
        for (size_t i = 0; i < n; i++) {
                uint8_t *b = buffers[i % ARRAY_SIZE(buffers)];
                size_t len = (seed * 7919 + i * 104729) % PIECE;

                memset(b, (int)(seed + i), PIECE);
                assert_int_equal(digest_update(plain, b, len), 0);
                assert_int_equal(hasher_update(h, b, len), 0);
                if (i % 5 == 4)
                        assert_int_equal(hasher_wait(h), 0);
        }
        assert_int_equal(digest_finish(plain, want), 0);
        assert_int_equal(hasher_finish(h, got), 0);
        assert_memory_equal(want, got, sizeof(want));
}

static void test_same_result(void **state) {
        for (int threaded = 0; threaded < 2; threaded++) {
                cleanup_hasher struct hasher *h = NULL;

                assert_int_equal(hasher_new(threaded, &h), 0);
                for (unsigned int seed = 0; seed < 50; seed++)
                        message(h, seed % 13, seed);
        }
}

/* Given up in the middle: what was handed over may be freed right afterwards. */
static void test_freed_while_busy(void **state) {
        for (int i = 0; i < 20; i++) {
                struct hasher *h = NULL;
                uint8_t *p = calloc(1, 1 << 20);

                assert_non_null(p);
                assert_int_equal(hasher_new(true, &h), 0);
                assert_int_equal(hasher_update(h, p, 1 << 20), 0);
                assert_int_equal(hasher_update(h, p, 1 << 20), 0);
                hasher_free(h);
                free(p);
        }
        hasher_free(NULL);
}

static volatile sig_atomic_t handled;
static void handler(int sig) {
        handled++;
}

/* A signal of the process goes to the caller, and its mask is what it was. */
static void test_signals_stay_with_the_caller(void **state) {
        cleanup_hasher struct hasher *h = NULL;
        sigset_t usr, mask;

        assert_ptr_not_equal(signal(SIGUSR1, handler), SIG_ERR);
        sigemptyset(&usr);
        sigaddset(&usr, SIGUSR1);
        assert_int_equal(sigprocmask(SIG_BLOCK, &usr, NULL), 0);
        assert_int_equal(hasher_new(true, &h), 0);
        assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
        assert_true(sigismember(&mask, SIGUSR1) == 1 && sigismember(&mask, SIGTERM) == 0);
        assert_int_equal(kill(getpid(), SIGUSR1), 0);
        message(h, 20, 1);
        assert_int_equal(handled, 0); /* pending, not taken by the other thread */
        assert_int_equal(sigprocmask(SIG_UNBLOCK, &usr, NULL), 0);
        assert_int_equal(handled, 1);
        signal(SIGUSR1, SIG_DFL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_same_result),
                cmocka_unit_test(test_freed_while_busy),
                cmocka_unit_test(test_signals_stay_with_the_caller),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
