/* SPDX-License-Identifier: Apache-2.0 */
/* A bake: what was found out under other conditions must not decide whether a release is enforced; what a disk returns neither. */
#include "state_fixture.h"

#include <linux/types.h>

#include "bake.h"
#include "folder.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define BOOT "01234567-89ab-cdef-0123-456789abcdef"
#define BOOT_2 "11111111-89ab-cdef-0123-456789abcdef"

/* Release A bakes beside release B since second 1000. */
static struct bake_record record(enum bake_step step) {
        struct bake_record b = {
                .present = true,
                .step = step,
                .content_hex = HEX_A,
                .version = "1.4.0",
                .release = 42,
                .base_hex = HEX_B,
                .boot_id = BOOT,
                .started = 1700000001,
                .started_clock = 1000,
                .for_s = 1800,
                .allow = 3,
        };

        if (step == BAKE_DONE || step == BAKE_FAILED) {
                b.seconds = 1801;
                b.would_deny = step == BAKE_DONE ? 2 : 9;
        }
        return b;
}

static struct bake_scene scene(const struct bake_record *b, uint64_t now, uint64_t would_deny) {
        return (struct bake_scene){.record = b,
                                   .boot_id = BOOT,
                                   .base_hex = HEX_B,
                                   .content_hex = HEX_A,
                                   .shadow_hex = b->step == BAKE_RUNNING ? HEX_A : "",
                                   .now = now,
                                   .would_deny = would_deny};
}

static const struct bake_terms terms = {.for_s = 1800, .allow = 3};

/* ---- the decision --------------------------------------------------------------------------------------------------- */

static void running(void **state) {
        static const struct {
                uint64_t now, would_deny;
                enum bake_state wanted;
                uint64_t left;
        } cases[] = {
                {1000, 0, BAKE_STATE_BAKING, 1800}, /* it has just begun */
                {2799, 3, BAKE_STATE_BAKING, 1},    /* what is allowed is all right */
                {2800, 3, BAKE_STATE_DONE, 0},      /* the last second */
                {99999, 0, BAKE_STATE_DONE, 0},     /* nobody has asked for long */
                {1000, 4, BAKE_STATE_FAILED, 1800}, /* one too many, at once */
                {2800, 4, BAKE_STATE_FAILED, 0},    /* and however long it has run */
                {1001, UINT64_MAX, BAKE_STATE_FAILED, 1799},
                {999, 0, BAKE_STATE_NONE, 1800}, /* before it began: the record is not of this clock */
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct bake_record b = record(BAKE_RUNNING);
                const struct bake_scene s = scene(&b, cases[i].now, cases[i].would_deny);
                struct bake_facts facts;

                if (bake_decide(&s, &terms, &facts) != cases[i].wanted || facts.state != cases[i].wanted ||
                    facts.left_s != cases[i].left)
                        fail_msg("case %zu: state %d, %llu s left", i, facts.state, (unsigned long long)facts.left_s);
                assert_string_equal(facts.content_hex, HEX_A);
                if (facts.state != BAKE_STATE_NONE) {
                        assert_int_equal(facts.release, 42);
                        assert_int_equal(facts.seconds, cases[i].now - 1000);
                        assert_int_equal(facts.would_deny, cases[i].would_deny);
                }
        }
}

/* Anything that makes the figures those of another question. */
static void anew(void **state) {
        for (int step = BAKE_STARTING; step <= BAKE_FAILED; step++)
                for (int change = 0; change < 6; change++) {
                        struct bake_record b = record((enum bake_step)step);
                        struct bake_scene s = scene(&b, 9000, 0);
                        struct bake_facts facts;

                        switch (change) {
                        case 0:
                                b.present = false;
                                break;
                        case 1: /* another release is to bake */
                                s.content_hex = HEX_C;
                                break;
                        case 2: /* another is in force */
                                s.base_hex = HEX_C;
                                break;
                        case 3: /* nothing is in force any more */
                                s.base_hex = "";
                                break;
                        case 4:
                                s.boot_id = BOOT_2;
                                break;
                        case 5: /* the record says that it was only being made */
                                b.step = BAKE_STARTING;
                                break;
                        }
                        if (bake_decide(&s, &terms, &facts) != BAKE_STATE_NONE)
                                fail_msg("step %d, change %d: state %d", step, change, facts.state);
                }
}

static void shadow_gone(void **state) {
        static const char *const shadows[] = {"", HEX_B};

        for (size_t i = 0; i < ARRAY_SIZE(shadows); i++) {
                const struct bake_record b = record(BAKE_RUNNING);
                struct bake_scene s = scene(&b, 9000, 9);
                struct bake_facts facts;

                s.shadow_hex = shadows[i];
                assert_int_equal(bake_decide(&s, &terms, &facts), BAKE_STATE_NONE);
                assert_int_equal(facts.would_deny, 0);
        }
}

/* Decided once, and known until it is enforced, or quarantined; but terms are today's. */
static void decided(void **state) {
        const struct bake_terms longer = {.for_s = 3600, .allow = 3}, stricter = {.for_s = 1800, .allow = 1},
                                looser = {.for_s = 1800, .allow = 9}, longer_looser = {.for_s = 3600, .allow = 9};
        const struct {
                enum bake_step step;
                const struct bake_terms *terms;
                enum bake_state wanted;
        } cases[] = {
                {BAKE_DONE, &terms, BAKE_STATE_DONE},           {BAKE_DONE, &looser, BAKE_STATE_DONE},
                {BAKE_DONE, &stricter, BAKE_STATE_FAILED},      {BAKE_DONE, &longer, BAKE_STATE_NONE},
                {BAKE_FAILED, &terms, BAKE_STATE_FAILED},       {BAKE_FAILED, &longer, BAKE_STATE_FAILED},
                {BAKE_FAILED, &looser, BAKE_STATE_DONE},        {BAKE_FAILED, &stricter, BAKE_STATE_FAILED},
                {BAKE_FAILED, &longer_looser, BAKE_STATE_NONE},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct bake_record b = record(cases[i].step);
                const struct bake_scene s = scene(&b, 999999, 77); /* of a shadow that is not asked any more */
                struct bake_facts facts;

                if (bake_decide(&s, cases[i].terms, &facts) != cases[i].wanted)
                        fail_msg("case %zu: state %d", i, facts.state);
                assert_int_equal(facts.would_deny, b.would_deny);
                assert_int_equal(facts.seconds, 1801);
        }
}

static void bare_node(void **state) {
        struct bake_record b = record(BAKE_RUNNING);
        struct bake_scene s = scene(&b, 1500, 1);
        struct bake_facts facts;

        *b.base_hex = '\0';
        s.base_hex = "";
        assert_int_equal(bake_decide(&s, &terms, &facts), BAKE_STATE_BAKING);
        s.base_hex = HEX_B; /* something was installed meanwhile */
        assert_int_equal(bake_decide(&s, &terms, &facts), BAKE_STATE_NONE);
}

/* ---- the record ------------------------------------------------------------------------------------------------------ */

static void assert_record_equal(const struct bake_record *a, const struct bake_record *b) {
        assert_int_equal(a->present, b->present);
        assert_int_equal(a->step, b->step);
        assert_string_equal(a->content_hex, b->content_hex);
        assert_string_equal(a->version, b->version);
        assert_string_equal(a->base_hex, b->base_hex);
        assert_string_equal(a->boot_id, b->boot_id);
        assert_int_equal(a->release, b->release);
        assert_int_equal(a->started, b->started);
        assert_int_equal(a->started_clock, b->started_clock);
        assert_int_equal(a->for_s, b->for_s);
        assert_int_equal(a->allow, b->allow);
        assert_int_equal(a->seconds, b->seconds);
        assert_int_equal(a->would_deny, b->would_deny);
}

static void kept(void **state) {
        const struct place *p = *state;
        struct bake_record got;
        struct err err = {0};

        assert_int_equal(bake_record_load(p->fd, "baseline", &got, &err), -ENOENT);
        for (int step = BAKE_STARTING; step <= BAKE_FAILED; step++) {
                const struct bake_record b = record((enum bake_step)step);

                assert_int_equal(bake_record_save(p->fd, "baseline", &b, &err), 0);
                memset(&got, 0xff, sizeof(got));
                assert_int_equal(bake_record_load(p->fd, "baseline", &got, &err), 0);
                assert_record_equal(&got, &b);
        }
        assert_int_equal(bake_record_delete(p->fd, "baseline", &err), 0);
        assert_int_equal(bake_record_load(p->fd, "baseline", &got, &err), -ENOENT);
        assert_int_equal(bake_record_delete(p->fd, "baseline", &err), 0);
}

static void listed(void **state) {
        const struct place *p = *state;
        const struct bake_record b = record(BAKE_RUNNING);
        char **names;
        size_t n;

        assert_int_equal(bake_record_list(p->fd, &names, &n, NULL), 0);
        assert_int_equal(n, 0);
        free(names);
        assert_int_equal(bake_record_save(p->fd, "second", &b, NULL), 0);
        assert_int_equal(bake_record_save(p->fd, "first", &b, NULL), 0);
        assert_int_equal(file_replace(p->fd, "bake/.first.json.Ab3dEf", 0600, "x", 1, NULL), 0);
        assert_int_equal(bake_record_list(p->fd, &names, &n, NULL), 0);
        assert_int_equal(n, 2);
        assert_string_equal(names[0], "first");
        assert_string_equal(names[1], "second");
        for (size_t i = 0; i < n; i++)
                free(names[i]);
        free(names);
}

static void not_written(void **state) {
        const struct place *p = *state;
        struct bake_record bad[8], got;
        size_t n = 0;

        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                bad[i] = record(BAKE_RUNNING);
        bad[n++].step = (enum bake_step)(BAKE_FAILED + 1);
        bad[n++].content_hex[3] = 'X';
        *bad[n++].content_hex = '\0';
        bad[n++].base_hex[63] = '\0';
        *bad[n++].boot_id = '\0';
        bad[n++].boot_id[0] = '/';
        *bad[n++].version = '\0';
        bad[n++].would_deny = UINT64_MAX;
        for (size_t i = 0; i < n; i++)
                if (bake_record_save(p->fd, "baseline", &bad[i], NULL) != -EINVAL)
                        fail_msg("case %zu was written", i);
        assert_int_equal(bake_record_save(p->fd, "../baseline", &bad[0], NULL), -EINVAL);
        assert_int_equal(bake_record_load(p->fd, "baseline", &got, NULL), -ENOENT);
        assert_int_equal(bake_record_load(p->fd, "../baseline", &got, NULL), -EINVAL);
}

/* Whatever stands in the file, ret is untouched unless all of it is right. */
static void not_believed(void **state) {
#define REST                                                                                                          \
        ",\"allow\":3,\"base\":\"\",\"boot_id\":\"" BOOT "\",\"for\":1800,\"format\":1,\"release\":42,\"seconds\":0," \
        "\"started\":5,\"started_clock\":5,\"version\":\"1.4.0\",\"would_deny\":0"
        static const char *const texts[] = {
                "",
                "{}",
                "[]",
                "{\"_type\":\"lsm-bake\"" REST "}",
                "{\"_type\":\"lsm-journal\",\"bundle\":\"baseline\",\"content\":\"" HEX_A "\",\"step\":\"running\"" REST "}",
                "{\"_type\":\"lsm-bake\",\"bundle\":\"other\",\"content\":\"" HEX_A "\",\"step\":\"running\"" REST "}",
                "{\"_type\":\"lsm-bake\",\"bundle\":\"baseline\",\"content\":\"" HEX_A "\",\"step\":\"baked\"" REST "}",
                "{\"_type\":\"lsm-bake\",\"bundle\":\"baseline\",\"content\":\"" HEX_A "a\",\"step\":\"running\"" REST "}",
                "{\"_type\":\"lsm-bake\",\"bundle\":\"baseline\",\"content\":17,\"step\":\"running\"" REST "}",
                "{\"_type\":\"lsm-bake\",\"bundle\":\"baseline\",\"content\":\"" HEX_A "\",\"step\":\"running\"" REST
                ",\"for\":-1}",
        };
        const struct place *p = *state;
        struct bake_record got;
        int fd = folder_open(p->fd, "bake", true, NULL);

        assert_true(fd >= 0);
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct err err = {0};
                int r;

                memset(&got, 0x5a, sizeof(got));
                assert_int_equal(file_replace(fd, "baseline.json", 0600, texts[i], strlen(texts[i]), NULL), 0);
                r = bake_record_load(p->fd, "baseline", &got, &err);
                if (r >= 0 || r == -ENOENT || got.release != 0x5a5a5a5a5a5a5a5aULL)
                        fail_msg("case %zu was believed: %d", i, r);
        }
        /* That the rest of those is right. */
        {
                static const char good[] =
                        "{\"_type\":\"lsm-bake\",\"bundle\":\"baseline\",\"content\":\"" HEX_A "\",\"step\":\"running\"" REST "}";

                assert_int_equal(file_replace(fd, "baseline.json", 0600, good, sizeof(good) - 1, NULL), 0);
                assert_int_equal(bake_record_load(p->fd, "baseline", &got, NULL), 0);
                assert_int_equal(got.step, BAKE_RUNNING);
        }
        close(fd);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(running),
                cmocka_unit_test(anew),
                cmocka_unit_test(shadow_gone),
                cmocka_unit_test(decided),
                cmocka_unit_test(bare_node),
                cmocka_unit_test_setup_teardown(kept, place_make, place_remove),
                cmocka_unit_test_setup_teardown(listed, place_make, place_remove),
                cmocka_unit_test_setup_teardown(not_written, place_make, place_remove),
                cmocka_unit_test_setup_teardown(not_believed, place_make, place_remove),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
