/* SPDX-License-Identifier: Apache-2.0 */
/* What swap*.c, shadow.c and bake.c share; nobody else includes this. */
#pragma once

#include "swap.h"

/* Loads a release into a slot that the gate does not name: dispatchers, programs, seeds. Nothing is decided by it yet. */
int stage_load(struct node *n, struct bundle *b, const struct release *rel, const struct plan *plan, uint32_t slot,
               struct err *err);

/* The verifier's whole log, beside the state; and says where. */
void verifier_log_keep(struct node *n, const struct buf *log);

/* One of slots 1 to 3 that neither the gate names nor `previous` needs. */
uint32_t stage_slot(const struct bundle *b);

/* Records that the staged generation, which the gate names, is confirmed. Durable when it returns. */
int record_confirmed(struct node *n, struct bundle *b, struct err *err);

/*
 * Records why a release is not, or no longer, in force: journal (staged and left), and the quarantine where the reason is the
 * release's fault. The gate is where it should be already. Durable when it returns.
 */
int record_left(struct node *n, struct bundle *b, const struct journal_gen *gen, const struct err *why);

/* What the journal calls confirmed is what the gate names, in this boot. */
bool confirmed_in_force(const struct node *n, const struct bundle *b);

/* Not the bundle's fault: tried again at the next poll, never quarantined. */
bool reason_is_passing(enum reason reason);

/* Releases and dispatchers that nothing needs any more. Failures are said, not returned: they cost memory, not policy. */
void retire(struct node *n, struct bundle *b);

/* The plan of a kept release, from the store. */
int kept_plan(struct node *n, const char *content_hex, struct release *ret_release, struct plan *ret_plan, struct err *err);
