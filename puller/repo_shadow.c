/* SPDX-License-Identifier: Apache-2.0 */
/* The bake of a rollout, by way of the shadow. */
#include "repo_parts.h"

void repo_shadow_look(const struct node *n, const struct bundle *b, struct rollout_facts *facts) {
}

int repo_shadow_step(struct node *n, struct bundle *b, const struct release *rel, const struct receipt *receipt,
                     const struct rollout_ring *ring, bool *ret_done, struct err *err) {
        return err_set(err, -ENOTSUP, REASON_UNSUPPORTED_FORMAT, "this agent cannot bake a release");
}

void repo_shadow_end(struct node *n, struct bundle *b) {
}
