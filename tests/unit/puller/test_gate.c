/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: a word that is wrong in one bit enforces the wrong generation, or none. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gate.h"
#include "util.h"
#include "wait.h"

#define HOUR_NS (3600 * 1000000000LL)
#define UNIT_NS (1LL << 20) /* one tick of the deadline's clock */
#define SEQ_LAST 0x7ffffu

/* The word's fields by the layout that lsm_abi.h describes, taken apart without its macros. */
struct fields {
        uint32_t active, fallback, probe, seq, deadline;
        bool pending;
};

static struct fields fields_of(uint64_t word) {
        return (struct fields){
                .active = word & 0xf,
                .fallback = word >> 4 & 0xf,
                .probe = word >> 8 & 0xf,
                .pending = word >> 12 & 1,
                .seq = word >> 13 & SEQ_LAST,
                .deadline = (uint32_t)(word >> 32),
        };
}

static uint64_t word_of(struct fields f) {
        return f.active | f.fallback << 4 | f.probe << 8 | (uint64_t)f.pending << 12 | (uint64_t)f.seq << 13 |
               (uint64_t)f.deadline << 32;
}

#define assert_fields(word, ...)                                                                                \
        do {                                                                                                    \
                uint64_t _want = word_of((struct fields){__VA_ARGS__});                                         \
                if ((word) != _want)                                                                            \
                        fail_msg("the word is %#llx, not %#llx (" #__VA_ARGS__ ")", (unsigned long long)(word), \
                                 (unsigned long long)_want);                                                    \
        } while (0)

static uint32_t ticks(int64_t ns) {
        return (uint32_t)(ns >> 20);
}

/* ---- one transition after the other ------------------------------------------------------------------------------- */

static void flip(void **state) {
        struct lsm_gate map = {.word = word_of((struct fields){.active = 1, .seq = 7}), .misses = 3, .expiries = 5};
        struct gate g = {&map};
        int64_t deadline = monotonic_ns() + HOUR_NS;
        uint64_t word = gate_flip(&g, 1, 2, deadline);

        assert_int_equal(word, map.word);
        assert_fields(word, .active = 2, .fallback = 1, .pending = true, .seq = 8, .deadline = ticks(deadline));
        assert_true(gate_pending(word));
        assert_int_equal(map.misses, 3);
        assert_int_equal(map.expiries, 5);
}

static void flip_from_nothing(void **state) {
        struct lsm_gate map = {};
        struct gate g = {&map};

        assert_int_not_equal(gate_flip(&g, 0, 1, monotonic_ns() + HOUR_NS), 0);
        assert_int_equal(fields_of(map.word).active, 1);
        assert_int_equal(fields_of(map.word).fallback, 0);
}

static void flip_ends_a_probe(void **state) {
        struct lsm_gate map = {.word = word_of((struct fields){.active = 1, .probe = 2})};
        struct gate g = {&map};

        assert_int_not_equal(gate_flip(&g, 1, 2, monotonic_ns() + HOUR_NS), 0);
        assert_int_equal(fields_of(map.word).probe, 0);
}

static void flip_refused(void **state) {
        const uint64_t words[] = {
                word_of((struct fields){.active = 2, .seq = 4}), /* not where the caller believes it to be */
                word_of((struct fields){
                        .active = 1, .fallback = 3, .pending = true, .deadline = ticks(monotonic_ns() + HOUR_NS)}),
                word_of((struct fields){.active = 1, .fallback = 3, .pending = true, .deadline = ticks(monotonic_ns()) - 9}),
        };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                struct lsm_gate map = {.word = words[i]};
                struct gate g = {&map};

                assert_int_equal(gate_flip(&g, 1, 3, monotonic_ns() + HOUR_NS), 0);
                assert_int_equal(map.word, words[i]);
        }
}

static void confirm(void **state) {
        struct lsm_gate map = {.word = word_of((struct fields){.active = 1})};
        struct gate g = {&map};
        uint64_t pending = gate_flip(&g, 1, 2, monotonic_ns() + HOUR_NS);

        assert_true(gate_confirm(&g, pending));
        assert_fields(map.word, .active = 2, .seq = 2);
        assert_false(gate_confirm(&g, pending)); /* once is all there is to confirm */
        assert_fields(map.word, .active = 2, .seq = 2);
        assert_int_equal(map.expiries, 0);
}

/* The kernel has fallen back, or an operator has rolled back, since the flip: to confirm would undo that. */
static void confirm_of_what_has_moved(void **state) {
        struct lsm_gate map = {.word = word_of((struct fields){.active = 1})};
        struct gate g = {&map};
        int64_t deadline = monotonic_ns() + HOUR_NS;
        uint64_t pending = gate_flip(&g, 1, 2, deadline), after;

        gate_set(&g, 1);
        after = map.word;
        assert_false(gate_confirm(&g, pending));
        assert_int_equal(map.word, after);

        /* Flipped again to the same slot, with the same deadline even: still not the flip that is confirmed. */
        assert_int_not_equal(gate_flip(&g, 1, 2, deadline), 0);
        after = map.word;
        assert_false(gate_confirm(&g, pending));
        assert_int_equal(map.word, after);
}

/* Nobody has called a hook, so nobody has noticed the deadline: the supervisor itself must. */
static void confirm_past_the_deadline(void **state) {
        struct lsm_gate map = {.word = word_of((struct fields){.active = 1, .seq = 20})};
        struct gate g = {&map};
        uint64_t pending = gate_flip(&g, 1, 2, monotonic_ns() - 2 * UNIT_NS);

        assert_int_not_equal(pending, 0);
        assert_false(gate_confirm(&g, pending));
        assert_fields(map.word, .active = 1, .seq = 22);
        assert_int_equal(map.expiries, 1);
}

static void set(void **state) {
        const uint64_t words[] = {
                0,
                word_of((struct fields){.active = 2, .seq = 4}),
                word_of((struct fields){.active = 2, .probe = 3, .seq = 4}),
                word_of((struct fields){.active = 2, .fallback = 1, .pending = true, .seq = 4, .deadline = 17}),
                UINT64_MAX,
        };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                for (uint32_t slot = 0; slot < LSM_SLOTS; slot++) {
                        struct lsm_gate map = {.word = words[i], .expiries = 2};
                        struct gate g = {&map};

                        gate_set(&g, slot);
                        assert_fields(map.word, .active = slot, .seq = (fields_of(words[i]).seq + 1) & SEQ_LAST);
                        assert_int_equal(map.expiries, 2); /* a rollback is not an expiry */
                }
}

static void expire(void **state) {
        struct lsm_gate map = {.word = word_of((struct fields){.active = 3, .seq = 5})};
        struct gate g = {&map};

        assert_false(gate_expire(&g)); /* at rest */
        assert_int_not_equal(gate_flip(&g, 3, 1, monotonic_ns() + HOUR_NS), 0);
        assert_false(gate_expire(&g)); /* there is time left */
        assert_true(gate_pending(map.word));
        assert_int_equal(map.expiries, 0);

        gate_set(&g, 3);
        assert_int_not_equal(gate_flip(&g, 3, 1, monotonic_ns() - UNIT_NS), 0);
        assert_true(gate_expire(&g));
        assert_fields(map.word, .active = 3, .seq = 9);
        assert_int_equal(map.expiries, 1);
        assert_false(gate_expire(&g)); /* latched */
        assert_fields(map.word, .active = 3, .seq = 9);
        assert_int_equal(map.expiries, 1);
}

/* A deadline of zero bits is a time like any other: only PENDING makes it one that counts. */
static void deadline_without_pending(void **state) {
        struct lsm_gate map = {.word = word_of((struct fields){.active = 2, .fallback = 1, .seq = 1, .deadline = 1})};
        struct gate g = {&map};

        assert_false(gate_past_deadline(map.word, monotonic_ns()));
        assert_false(gate_expire(&g));
        assert_int_equal(fields_of(map.word).active, 2);
}

static void probe(void **state) {
        struct lsm_gate map = {.word = word_of((struct fields){.active = 1, .seq = 3})};
        struct gate g = {&map};

        assert_true(gate_probe(&g, 2, 0x1234567890));
        assert_fields(map.word, .active = 1, .probe = 2, .seq = 4);
        assert_int_equal(map.probe_cgroup, 0x1234567890);
        assert_true(gate_probe(&g, 3, 99)); /* another one */
        assert_fields(map.word, .active = 1, .probe = 3, .seq = 5);
        assert_int_equal(map.probe_cgroup, 99);
        assert_true(gate_probe(&g, 0, 0));
        assert_fields(map.word, .active = 1, .seq = 6);
}

static void probe_while_pending(void **state) {
        struct lsm_gate map = {.word = word_of((struct fields){.active = 1})};
        struct gate g = {&map};
        uint64_t pending = gate_flip(&g, 1, 2, monotonic_ns() + HOUR_NS);

        assert_false(gate_probe(&g, 3, 1));
        assert_false(gate_probe(&g, 0, 0));
        assert_int_equal(map.word, pending);
        assert_true(gate_confirm(&g, pending));
}

/* ---- where numbers end ---------------------------------------------------------------------------------------------- */

/* The sequence begins anew, and nothing of it reaches the deadline above it or PENDING below. */
static void sequence_wraps(void **state) {
        struct lsm_gate map = {.word = word_of((struct fields){.active = 1, .seq = SEQ_LAST})};
        struct gate g = {&map};
        int64_t deadline = monotonic_ns() + HOUR_NS;
        uint64_t pending = gate_flip(&g, 1, 2, deadline);

        assert_fields(pending, .active = 2, .fallback = 1, .pending = true, .seq = 0, .deadline = ticks(deadline));
        assert_true(gate_confirm(&g, pending));
        assert_fields(map.word, .active = 2, .seq = 1);

        map.word = word_of((struct fields){
                .active = 2, .fallback = 1, .pending = true, .seq = SEQ_LAST, .deadline = ticks(monotonic_ns()) - 1});
        assert_true(gate_expire(&g));
        assert_fields(map.word, .active = 1, .seq = 0);

        map.word = word_of((struct fields){.active = 3, .seq = SEQ_LAST});
        gate_set(&g, 2);
        assert_fields(map.word, .active = 2, .seq = 0);

        map.word = word_of((struct fields){.active = 3, .seq = SEQ_LAST});
        assert_true(gate_probe(&g, 1, 1));
        assert_fields(map.word, .active = 3, .probe = 1, .seq = 0);
}

/* The clock of deadlines has 32 bits and begins anew every 52 days of uptime. */
static void clock_wraps(void **state) {
        static const struct {
                uint32_t deadline;
                uint64_t now; /* ticks; above 32 bits: the machine has been up for longer than one round */
                bool past;
        } cases[] = {
                {100, 99, false},
                {100, 100, true},
                {100, 101, true},
                {100, 0x100000063, false},
                {100, 0x100000064, true},
                {0, 0xffffffff, false}, /* the deadline is in the next round */
                {0, 0x100000000, true},
                {5, 0xfffffff0, false},
                {5, 0x100000004, false},
                {5, 0x100000005, true},
                {0xffffffff, 0xfffffffe, false},
                {0xffffffff, 0xffffffff, true},
                {0xffffffff, 0x100000000, true}, /* it was in the round before */
                {0xfffffff0, 0x100000020, true},
                {0x7fffffff, 0x7ffffffe, false}, /* where a signed 32-bit number ends */
                {0x7fffffff, 0x80000000, true},
                {0x80000000, 0x7fffffff, false},
                {0x80000000, 0x80000000, true},
                {100, 100u + 0x7fffffff, true}, /* half a round: 26 days too late are still too late */
                {0x10000000, 0x8fffffff, true},
                {0x90000000, 0x10000001, false}, /* 26 days ahead */
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                uint64_t word =
                        word_of((struct fields){.active = 2, .fallback = 1, .pending = true, .deadline = cases[i].deadline});
                int64_t now = (int64_t)(cases[i].now << 20);

                if (gate_past_deadline(word, now) != cases[i].past ||
                    gate_past_deadline(word, now + UNIT_NS - 1) != cases[i].past)
                        fail_msg("case %zu: deadline %#x at %#llx", i, cases[i].deadline, (unsigned long long)cases[i].now);
                assert_false(gate_past_deadline(word & ~LSM_GATE_PENDING, now));
        }
}

/* ---- all transitions, against a plain description of them ------------------------------------------------------------- */

static uint32_t draw(uint32_t *seed, uint32_t n) {
        *seed = *seed * 1664525u + 1013904223u;
        return (*seed >> 8) % n;
}

struct walk {
        struct lsm_gate map;
        struct gate g;
        struct fields want;
        uint64_t expiries, pending; /* pending: what the last flip returned */
        bool overdue;
};

static void rest(struct fields *f, uint32_t slot) {
        *f = (struct fields){.active = slot, .seq = (f->seq + 1) & SEQ_LAST};
}

static void walk_flip(struct walk *w, uint32_t *seed) {
        uint32_t active = draw(seed, 4), slot = draw(seed, 4);
        bool overdue = draw(seed, 2), can = !w->want.pending && w->want.active == active;
        int64_t deadline = monotonic_ns() + (overdue ? -3 * UNIT_NS : HOUR_NS);
        uint64_t word = gate_flip(&w->g, active, slot, deadline);

        assert_int_equal(word != 0, can);
        if (!can)
                return;
        rest(&w->want, slot);
        w->want.fallback = active;
        w->want.pending = true;
        w->want.deadline = ticks(deadline);
        w->overdue = overdue;
        w->pending = word;
}

static void walk_confirm(struct walk *w) {
        bool current = w->want.pending && w->map.word == w->pending;
        bool can = current && !w->overdue;

        if (!w->pending)
                return;
        assert_int_equal(gate_confirm(&w->g, w->pending), can);
        if (can)
                rest(&w->want, w->want.active);
        else if (current) {
                rest(&w->want, w->want.fallback);
                w->expiries++;
        }
}

static void walk_expire(struct walk *w) {
        bool can = w->want.pending && w->overdue;

        assert_int_equal(gate_expire(&w->g), can);
        if (can) {
                rest(&w->want, w->want.fallback);
                w->expiries++;
        }
}

static void walk_step(struct walk *w, uint32_t *seed) {
        uint32_t slot = draw(seed, 4), op = draw(seed, 8);

        if (op < 3) {
                walk_flip(w, seed);
        } else if (op == 3) {
                walk_confirm(w);
        } else if (op == 4) {
                walk_expire(w);
        } else if (op == 5) {
                gate_set(&w->g, slot);
                rest(&w->want, slot);
        } else {
                assert_int_equal(gate_probe(&w->g, slot, slot), !w->want.pending);
                if (!w->want.pending) {
                        rest(&w->want, w->want.active);
                        w->want.probe = slot;
                }
        }
}

static void random_walk(void **state) {
        struct walk w = {.want = {.active = 1, .seq = SEQ_LAST - 1000}};
        uint32_t seed = 1;

        w.g.map = &w.map;
        w.map.word = word_of(w.want);
        for (int i = 0; i < 20000; i++) {
                walk_step(&w, &seed);
                if (w.map.word != word_of(w.want))
                        fail_msg("step %d: %#llx, not %#llx", i, (unsigned long long)w.map.word,
                                 (unsigned long long)word_of(w.want));
                assert_int_equal(w.map.expiries, w.expiries);
        }
        assert_true(w.expiries > 100); /* it did go everywhere */
}

/* ---- against somebody else ------------------------------------------------------------------------------------------ */

struct race {
        struct lsm_gate map;
        pthread_barrier_t start;
        uint64_t pending;
        bool fell_back;
        int rounds;
};

/* What a dispatcher does in the kernel when it finds the deadline passed. */
static void *race_kernel(void *p) {
        struct race *r = p;

        for (int i = 0; i < r->rounds; i++) {
                uint64_t seen;

                pthread_barrier_wait(&r->start);
                seen = r->pending;
                r->fell_back = __atomic_compare_exchange_n(&r->map.word, &seen, LSM_GATE_EXPIRED(r->pending), false,
                                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
                pthread_barrier_wait(&r->start);
        }
        return NULL;
}

/* Confirmed or fallen back, never both, and the word is what the winner said. */
static void confirm_against_expiry(void **state) {
        struct race r = {.rounds = 2000};
        struct gate g = {&r.map};
        pthread_t kernel;

        pthread_barrier_init(&r.start, NULL, 2);
        assert_int_equal(pthread_create(&kernel, NULL, race_kernel, &r), 0);
        for (int i = 0; i < r.rounds; i++) {
                bool won;

                gate_set(&g, 1);
                r.pending = gate_flip(&g, 1, 2, monotonic_ns() + HOUR_NS);
                pthread_barrier_wait(&r.start);
                won = gate_confirm(&g, r.pending);
                pthread_barrier_wait(&r.start);
                assert_int_equal(won, !r.fell_back);
                assert_int_equal(fields_of(r.map.word).active, won ? 2 : 1);
                assert_false(gate_pending(r.map.word));
        }
        pthread_join(kernel, NULL);
        pthread_barrier_destroy(&r.start);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(flip),
                cmocka_unit_test(flip_from_nothing),
                cmocka_unit_test(flip_ends_a_probe),
                cmocka_unit_test(flip_refused),
                cmocka_unit_test(confirm),
                cmocka_unit_test(confirm_of_what_has_moved),
                cmocka_unit_test(confirm_past_the_deadline),
                cmocka_unit_test(set),
                cmocka_unit_test(expire),
                cmocka_unit_test(deadline_without_pending),
                cmocka_unit_test(probe),
                cmocka_unit_test(probe_while_pending),
                cmocka_unit_test(sequence_wraps),
                cmocka_unit_test(clock_wraps),
                cmocka_unit_test(random_walk),
                cmocka_unit_test(confirm_against_expiry),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
