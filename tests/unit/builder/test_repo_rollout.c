/* SPDX-License-Identifier: Apache-2.0 */
#include "../lib/unit.h"

#include "repo_rollout.h"

#define NOW 1795334400LL /* 2026-11-22T08:00:00Z */

static const struct release one = {.target = "bundles/sample-1.0.0.tar.zst", .bundle = "sample", .release = 1};
static const struct release two = {.target = "bundles/sample-1.1.0.tar.zst", .bundle = "sample", .release = 2};

static struct rollout *rollout_new(void) {
        struct rollout *r = calloc(1, sizeof(*r));

        assert_non_null(r);
        strcpy(r->bundle, "sample");
        return r;
}

static const struct rollout_ring *step(struct rollout *r, struct rollout_step s, int64_t now) {
        struct err err = {};

        s.ring = s.ring ?: "stable";
        assert_int_equal(repo_rollout_step(r, &s, now, &err), 0);
        return rollout_ring(r, s.ring);
}

static void assert_good(const struct rollout *r) {
        cleanup_buf struct buf text = {};
        struct err err = {};

        assert_int_equal(rollout_format(r, &text, &err), 0);
}

static void test_first(void **state) {
        cleanup_rollout struct rollout *r = rollout_new();
        const struct rollout_ring *ring = step(r, (struct rollout_step){.release = &one, .waves = "1h:1,24h:25"}, NOW);

        assert_int_equal(ring->choice.release, 1);
        assert_string_equal(ring->choice.target, one.target);
        assert_int_equal(ring->n_waves, 2);
        assert_int_equal(ring->waves[1].after_s, 86400);
        assert_int_equal(ring->waves[1].percent, 25);
        assert_true(ring->has_started && ring->started == NOW);
        assert_false(ring->has_else); /* there was nothing before */
        assert_good(r);
}

/* More of the same release: its waves go on from where they began, and nodes behind keep what they had. */
static void test_further(void **state) {
        cleanup_rollout struct rollout *r = rollout_new();
        const struct rollout_ring *ring;

        step(r, (struct rollout_step){.release = &one}, NOW);
        step(r, (struct rollout_step){.release = &two, .waves = "0s:5"}, NOW + 10);
        ring = step(r, (struct rollout_step){.release = &two, .waves = "0s:5,1h:50"}, NOW + 20);
        assert_int_equal(ring->started, NOW + 10);
        assert_true(ring->has_else);
        assert_int_equal(ring->otherwise.release, 1);
        assert_string_equal(ring->otherwise.target, one.target);
        ring = step(r, (struct rollout_step){.release = &two}, NOW + 30);
        assert_false(ring->has_else || ring->has_started || ring->n_waves);
        /* Another release begins anew. */
        ring = step(r, (struct rollout_step){.release = &one, .waves = "0s:5"}, NOW + 40);
        assert_int_equal(ring->started, NOW + 40);
        assert_int_equal(ring->otherwise.release, 2);
        assert_good(r);
}

static void test_else(void **state) {
        cleanup_rollout struct rollout *r = rollout_new();
        const struct rollout_ring *ring;

        step(r, (struct rollout_step){.release = &one}, NOW);
        ring = step(r, (struct rollout_step){.release = &two, .waves = "0s:5", .no_else = true}, NOW);
        assert_false(ring->has_else);
        ring = step(r, (struct rollout_step){.release = &two, .waves = "0s:5", .otherwise = &one}, NOW);
        assert_int_equal(ring->otherwise.release, 1);
        assert_good(r);
}

/* What the ring had is below the floor by now: nodes would refuse it. */
static void test_else_below_floor(void **state) {
        cleanup_rollout struct rollout *r = rollout_new();
        const struct rollout_ring *ring;

        step(r, (struct rollout_step){.release = &one}, NOW);
        ring = step(r, (struct rollout_step){.release = &two, .waves = "0s:5", .floor = 2}, NOW);
        assert_false(ring->has_else);
        assert_good(r);
}

static void test_rings(void **state) {
        cleanup_rollout struct rollout *r = rollout_new();
        const struct rollout_ring *canary;

        step(r, (struct rollout_step){.release = &one}, NOW);
        canary = step(r, (struct rollout_step){.ring = "canary", .release = &two, .bake_s = 1800, .bake_allow = 3}, NOW);
        assert_int_equal(r->n_rings, 2);
        assert_true(canary->has_bake && canary->bake_s == 1800 && canary->bake_allow == 3);
        assert_int_equal(rollout_ring(r, "stable")->choice.release, 1);
        assert_good(r);
}

static void test_waves_refused(void **state) {
        static const char *const bad[] = {"1h",
                                          "1h:",
                                          "1h:5,",
                                          ":5",
                                          "1h:101",
                                          "1h:x",
                                          "1x:5",
                                          "1h:5;2h:6",
                                          "1h:-5",
                                          "1h: 5",
                                          ",",
                                          "1h:5,,2h:6",
                                          "99999999999999999999h:5",
                                          "1h:99999999999999999999"};

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                cleanup_rollout struct rollout *r = rollout_new();
                struct rollout_step s = {.ring = "stable", .release = &one, .waves = bad[i]};
                struct err err = {};

                if (repo_rollout_step(r, &s, NOW, &err) == 0)
                        fail_msg("'%s' was taken", bad[i]);
                assert_int_equal(err.reason, REASON_USAGE);
        }
}

static void test_waves_too_many(void **state) {
        for (size_t n = ROLLOUT_WAVES_MAX; n <= ROLLOUT_WAVES_MAX + 1; n++) {
                cleanup_rollout struct rollout *r = rollout_new();
                cleanup_buf struct buf text = {};
                struct err err = {};

                for (size_t i = 0; i < n; i++)
                        assert_int_equal(buf_printf(&text, "%s%zuh:%zu", i ? "," : "", i, i), 0);
                assert_int_equal(repo_rollout_step(r,
                                                   &(struct rollout_step){.ring = "stable", .release = &one, .waves = text.data},
                                                   NOW, &err) == 0,
                                 n == ROLLOUT_WAVES_MAX);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first),          cmocka_unit_test(test_further),
                cmocka_unit_test(test_else),           cmocka_unit_test(test_else_below_floor),
                cmocka_unit_test(test_rings),          cmocka_unit_test(test_waves_refused),
                cmocka_unit_test(test_waves_too_many),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
