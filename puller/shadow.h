/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shadow: a release that runs in the kernel beside the one in force and denies nothing (docs/swap.md, "Bake"). On each hook
 * on which the release would deny stands a second dispatcher, behind the one that enforces, with an array of its own: what
 * everybody has allowed so far is put to the release, its answer is counted and reported, and dropped.
 *
 * Left out are plain policies, which would deny, and policies that only audit, which would not. All of it is pinned, so that it
 * outlives the agent:
 *
 *      BPFFS/lsmpull/bundle/NAME/shadow/CONTENT-ID/hook/HOOK/slots    the generation, in LSM_SHADOW_SLOT
 *                                                           /link     the shadow's dispatcher
 *                                                 /counters/POLICY
 *                                                 /rules            what each rule would have done (rules_counts.h)
 *                                                 /newest-first       a folder, made last: it is whole, and the kernel runs
 *                                                                     programs in this order; or oldest-first
 */
#pragma once

#include "node.h"
#include "release.h"

/*
 * Loads the release as the bundle's shadow; one that runs already gives way. Where the kernel runs the newest program first, the
 * enforcing dispatchers are put on anew, never a moment without. It counts from when this returns. On failure there is no shadow,
 * and what enforces enforces: no-program-slot before anything is changed, busy while any bundle is on trial, else as in a swap.
 */
int shadow_start(struct node *n, struct bundle *b, const struct release *rel, struct err *err);

/* The content id of the shadow that runs, whole and behind the dispatchers that enforce. */
bool shadow_running(const struct node *n, const struct bundle *b, char ret_content_hex[static SHA256_HEX]);

/* Is anything of a shadow in the kernel, whole or not? */
bool shadow_exists(const struct node *n, const char *bundle);

/* Names of the policies that run in it, sorted; free each and the array. -ENOENT: there is none. */
int shadow_policies(const struct node *n, const struct bundle *b, char ***ret, size_t *ret_n, struct err *err);
/* What one of its policies has counted since the start; zeros when it does not run. */
int shadow_counters(const struct node *n, const struct bundle *b, const char *policy, struct lsm_counters *ret);
/* What each of its rules would have done (rules_counts.h). */
json_t *shadow_rules_json(const struct node *n, const struct bundle *b);
/* Sum over its policies of the calls that were allowed and that the release would deny. */
int shadow_count(const struct node *n, const struct bundle *b, uint64_t *ret_would_deny, struct err *err);

/* Takes all of it away, whatever there is. Nothing to take away is success. */
int shadow_stop(const struct node *n, const char *bundle, struct err *err);
