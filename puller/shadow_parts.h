/* SPDX-License-Identifier: Apache-2.0 */
/* What shadow.c and shadow_state.c share; of others, only a test of the order includes this. */
#pragma once

#include "dispatcher.h"
#include "shadow.h"

/* shadow_start() on a kernel that runs programs in this order. */
int shadow_start_ordered(struct node *n, struct bundle *b, const struct release *rel, enum hook_order order, struct err *err);

/* BPFFS/lsmpull/bundle/NAME/shadow */
int shadow_path(const struct node *n, const char *bundle, char ret[static PATH_MAX]);
const char *hook_order_word(enum hook_order order);
