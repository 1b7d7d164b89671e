/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Baking: a release runs in the shadow of the one in force for a while, and what it would deny then decides whether it is
 * enforced (docs/swap.md, "Bake"). Somebody calls bake_step() again and again; what has been reached is recorded (bake_record.h)
 * and survives the agent, but not the boot.
 *
 * A bake begins anew when it is of another release, when another release is in force than the one it was compared with, after a
 * reboot, and when the shadow is not, or not wholly, in the kernel any more.
 */
#pragma once

#include "bake_record.h"
#include "node.h"
#include "store.h"

struct bake_terms {
        uint64_t for_s; /* in the shadow for so long */
        uint64_t allow; /* would-be denials that are all right */
};

enum bake_state {
        BAKE_STATE_NONE,   /* nothing bakes */
        BAKE_STATE_BAKING, /* go on calling */
        BAKE_STATE_DONE,   /* to be enforced: swap_apply(). The shadow has ended; that it was done stays known until then */
        BAKE_STATE_FAILED, /* more than `allow`: to be quarantined (bake-failed), then bake_end(). The shadow has ended */
};

struct bake_facts {
        enum bake_state state;
        uint64_t release;
        char content_hex[SHA256_HEX];
        uint64_t seconds;    /* in the shadow so far */
        uint64_t left_s;     /* to go */
        uint64_t would_deny; /* calls that were allowed and that the release would deny */
};

/* Seconds of a clock that nobody sets and that stands while the machine sleeps. */
uint64_t bake_clock(void);

/*
 * Begins, goes on with or ends the bake of a release. now: bake_clock(). A bake of another release gives way. For FAILED, err
 * says bake-failed with the figures, and the return value is 0 all the same; a negative one means that the bake could not begin
 * or go on, with a reason as of a swap, and that there is no shadow.
 * A node that only audits denies nothing, whatever the release: DONE at once.
 */
int bake_step(struct node *n, struct bundle *b, const struct release *rel, const struct receipt *receipt,
              const struct bake_terms *terms, uint64_t now, struct bake_facts *ret, struct err *err);

/* What the bundle's bake has come to, without changing anything; `left_s` by the terms of the last step. */
void bake_look(const struct node *n, const struct bundle *b, uint64_t now, struct bake_facts *ret);

/* Ends the bake, whatever there is of it, and forgets it. Nothing to end is success. */
int bake_end(struct node *n, struct bundle *b, struct err *err);

/* At start: what a crash or a reboot has left is finished or taken away, for every bundle. After this, pins and records agree. */
int bake_recover(struct node *n, struct err *err);

/* ---- the decisions, pure ------------------------------------------------------------------------------------------------ */

/* What is known about a bake when its next step is taken. */
struct bake_scene {
        const struct bake_record *record;
        const char *boot_id, *base_hex, *content_hex; /* this boot, what is in force ("": nothing), and what is to bake */
        const char *shadow_hex;                       /* what runs in the shadow, wholly; "": nothing does */
        uint64_t would_deny;                          /* of that */
        uint64_t now;
};

/* NONE: it begins anew. would_deny and times are in *ret. */
enum bake_state bake_decide(const struct bake_scene *s, const struct bake_terms *terms, struct bake_facts *ret);
