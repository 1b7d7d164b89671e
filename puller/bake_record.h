/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a bake: one file per bundle, STATE/bake/NAME.json, replaced durably. It says how far a bake has come; what
 * runs in the kernel says the rest, and where the two disagree the bake begins anew (bake.h).
 */
#pragma once

#include "digest.h"
#include "err.h"

enum bake_step {
        BAKE_STARTING, /* the shadow is being made: what is in the kernel may be incomplete */
        BAKE_RUNNING,
        BAKE_DONE,   /* it has held, and waits to be enforced */
        BAKE_FAILED, /* it has not, and waits for its quarantine */
};
const char *bake_step_word(enum bake_step step);

struct bake_record {
        bool present;
        enum bake_step step;
        char content_hex[SHA256_HEX];
        char version[128];
        uint64_t release;
        char base_hex[SHA256_HEX]; /* what was in force, which the shadow is compared with; "": nothing */
        char boot_id[37];
        uint64_t started;       /* seconds since the epoch: for people */
        uint64_t started_clock; /* of CLOCK_MONOTONIC, seconds: setting a clock bakes nothing, nor does a machine asleep */
        uint64_t for_s, allow;
        uint64_t seconds, would_deny; /* of a bake that has ended: how long it ran, and what it found */
};

/* -ENOENT when there is none. */
int bake_record_load(int state_fd, const char *bundle, struct bake_record *ret, struct err *err);
/* Durable when it returns. What could not be loaded again is not written. Fault points: "bake:STEP:before", "bake:STEP:after". */
int bake_record_save(int state_fd, const char *bundle, const struct bake_record *b, struct err *err);
/* Nothing to delete is success. */
int bake_record_delete(int state_fd, const char *bundle, struct err *err);
/* Names of the bundles that have one, sorted; free each and the array. */
int bake_record_list(int state_fd, char ***ret, size_t *ret_n, struct err *err);
