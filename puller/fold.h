/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Denials that policies have folded (lsm_abi.h, "storms") and that no event has told yet: they are taken from the map and become
 * events of their own. Several may take at the same time, while policies go on: each denial is in one count.
 */
#pragma once

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "lsm_abi.h"

/* Of the map of LSM_FOLDS_SIZE places; shared and writable. */
int fold_map(int fd, struct lsm_fold **ret, struct err *err);
void fold_unmap(struct lsm_fold *folds);

/* A copy, with the number in `count`, and when the last and the first of them were. */
typedef void (*fold_fn)(void *ctx, const struct lsm_event *e);

/* Takes what was folded in windows that are over; with `all`, in every window. Returns whether something is there, or may come,
 * that needs another look. */
bool fold_take(struct lsm_fold *folds, uint64_t now_ns, bool all, fold_fn fn, void *ctx);

/* Takes the number of events that found the ring buffer full since it was last taken. */
uint64_t fold_take_lost(struct lsm_fold *folds);
