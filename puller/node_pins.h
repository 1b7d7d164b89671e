/* SPDX-License-Identifier: Apache-2.0 */
/* What is pinned for the releases that are loaded, of all bundles: those in the slots, and those in shadow. */
#pragma once

#include "node.h"

/* Folders below the agent's own: bundle/BUNDLE/WHAT/NAME and bundle/BUNDLE/shadow/NAME/WHAT. One may be gone when it is looked into:
 * a release is retired meanwhile. A bundle that has none is passed over. */
void node_pins_each(const struct node *n, const char *what, void (*each)(void *ctx, const char *dir), void *ctx);
