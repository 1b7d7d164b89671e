/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The swap: one release, from verified to confirmed, or back to what was in force (docs/swap.md).
 *
 *      admit -> stage (store, dispatchers, load, fill) -> probe -> flip -> watch (PENDING) -> confirm -> retire
 *
 * Straight-line code: whoever runs it waits through node->waiter. An error never leaves the node with less than before.
 */
#pragma once

#include "node.h"
#include "store.h"

struct swap_result {
        bool unchanged; /* this very content is in force already */
        bool first;     /* nothing was enforced before */
};

/* `polled`: found at the configured source rather than named by an operator: a release below the highest confirmed is refused.
 * Failures are recorded (journal, quarantine) before this returns. */
int swap_apply(struct node *n, const struct release *rel, const struct receipt *receipt, bool polled, struct swap_result *ret,
               struct err *err);

/* Back to the previous generation of a bundle, at once: the gate first, then everything else. The release that is left is
 * quarantined (`operator`). While PENDING: back to what was in force. */
int swap_rollback(struct node *n, struct bundle *b, struct err *err);

/* Stops enforcing a bundle and forgets it, until the next install. */
int swap_remove(struct node *n, struct bundle *b, struct err *err);

/*
 * At start, and after a reboot: makes kernel, gate and journal agree, for every bundle. What was in flight is finished or
 * undone; after a reboot the confirmed release is verified from the store and enforced, without PENDING. Every bundle is tried;
 * the first error is returned.
 */
int swap_recover(struct node *n, struct err *err);
