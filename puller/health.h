/* SPDX-License-Identifier: Apache-2.0 */
/* What a generation must stand while it is PENDING, before it is confirmed. */
#pragma once

#include "node.h"
#include "release.h"

/* Self-tests of the release, in the probe's cgroup. While the gate is at rest on another slot, `slot` is named for the probe
 * alone; no other task meets it. */
int health_selftests(struct node *n, struct bundle *b, const struct release *rel, uint32_t slot, int64_t deadline_ns,
                     struct err *err);

/* All checks of the PENDING phase; returns when config.health_ns have passed, or at the first failure. */
int health_watch(struct node *n, struct bundle *b, const struct release *rel, uint64_t pending, int64_t deadline_ns,
                 struct err *err);

/* Before the flip: is the agent well without the new generation? If not, that is not the release's fault. */
int health_before(struct node *n, int64_t deadline_ns, struct err *err);
