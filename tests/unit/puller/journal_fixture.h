/* SPDX-License-Identifier: Apache-2.0 */
/* A journal that says something in every field, in a state folder of its own. */
#pragma once

#include "state_fixture.h"

#include "journal.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEX_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define BOOT "01234567-89ab-cdef-0123-456789abcdef"

/* Every field set, and each to another value. */
static inline struct journal full(enum journal_step step) {
        struct journal j = {
                .bundle = "baseline",
                .boot_id = BOOT,
                .confirmed = {true, HEX_A, "1.4.0", 42, 1, 1700000001},
                .previous = {true, HEX_B, "1.3.0-rc.1+b", 41, 2, 1700000002, true},
                .staged = {true, HEX_C, "2.0.0", 43, 3, 1700000003},
                .step = step,
                .attempts = 2,
                .left_reason = "health-failed",
                .left_message = "12 denials, 10 allowed",
                .left_content = HEX_B,
                .left_release = 40,
                .highest_release = 44,
                .removed = true,
                .seen = {{43, HEX_C}, {41, HEX_B}},
                .n_seen = 2,
        };

        return j;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, place_make, place_remove)
