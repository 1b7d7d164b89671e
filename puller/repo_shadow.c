/* SPDX-License-Identifier: Apache-2.0 */
/* The bake of a rollout, by way of the shadow (bake.h). */
#include "bake.h"
#include "repo_parts.h"

void repo_shadow_look(const struct node *n, const struct bundle *b, struct rollout_facts *facts,
                      char content_hex[static SHA256_HEX]) {
        struct bake_facts bake;

        bake_look(n, b, bake_clock(), &bake);
        if (bake.state == BAKE_STATE_NONE)
                return;
        memcpy(content_hex, bake.content_hex, SHA256_HEX);
        facts->shadow.active = true;
        facts->shadow.release = bake.release;
        facts->shadow.content = content_hex;
        facts->shadow.seconds = (int64_t)bake.seconds;
        facts->shadow.would_deny = bake.would_deny;
}

int repo_shadow_step(struct node *n, struct bundle *b, const struct release *rel, const struct receipt *receipt,
                     const struct rollout_ring *ring, bool *ret_done, struct err *err) {
        const struct bake_terms terms = {.for_s = (uint64_t)ring->bake_s, .allow = ring->bake_allow};
        struct bake_facts bake;
        int r = bake_step(n, b, rel, receipt, &terms, bake_clock(), &bake, err);

        *ret_done = r >= 0 && bake.state == BAKE_STATE_DONE;
        return r;
}

void repo_shadow_end(struct node *n, struct bundle *b) {
        struct err err = {};

        if (bake_end(n, b, &err) < 0)
                node_say(n, "%s: %s", b->name, err.msg);
}
