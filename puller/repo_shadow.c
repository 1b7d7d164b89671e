/* SPDX-License-Identifier: Apache-2.0 */
/* The bake of a rollout, by way of the shadow. */
#include "bake.h"
#include "repo_parts.h"

void repo_shadow_look(const struct node *n, const struct bundle *b, struct rollout_facts *facts) {
        struct bake_facts bake;

        bake_look(n, b, bake_clock(), &bake);
        if (bake.state == BAKE_STATE_NONE)
                return;
        facts->shadow.active = true; /* or it has been, and what it showed still counts */
        facts->shadow.release = bake.release;
        facts->shadow.content = b->bake.content_hex;
        facts->shadow.seconds = (int64_t)bake.seconds;
        facts->shadow.would_deny = bake.would_deny;
}

int repo_shadow_step(struct node *n, struct bundle *b, const struct release *rel, const struct receipt *receipt,
                     const struct rollout_ring *ring, bool *ret_done, struct err *err) {
        const struct bake_terms terms = {.for_s = (uint64_t)ring->bake_s, .allow = ring->bake_allow};
        struct bake_facts facts;
        int r = bake_step(n, b, rel, receipt, &terms, bake_clock(), &facts, err);

        *ret_done = r >= 0 && facts.state == BAKE_STATE_DONE;
        return r;
}

void repo_shadow_end(struct node *n, struct bundle *b) {
        struct err err = {0};

        if (bake_end(n, b, &err) < 0)
                node_say(n, "%s: the bake cannot be ended: %s", b->name, err.msg);
}
