/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies that the node's operator has lowered from enforce to audit: `audit: [BUNDLE/POLICY, ...]` in the configuration. There is no
 * way to raise one: what is signed as audit stays so.
 *
 * POLICY is one of the bundle's policies, or one that is written as rules: those are sets of one policy, the engine.
 */
#pragma once

#include "manifest.h"

/* Names of one bundle's policies, a space between two; "": none. */
#define LOWERED_MAX 4160

/* audit: as in struct config. What does not fit is left out; config_parse() sees to it that all fits. */
void lowered_of(char *const *audit, const char *bundle, char ret[static LOWERED_MAX]);
bool lowered_has(const char *lowered, const char *policy);
/* The policies' modes become what they are on this node. A plain policy cannot be lowered. */
void lowered_apply(const char *lowered, struct manifest *m);

/* Policies that are written as rules, of an engine: in the order of its sets. */
#define RULES_SETS_MAX 64
struct rules_sets {
        struct {
                char policy[64]; /* "": no rule is in it */
                bool enforce;    /* as signed */
        } list[RULES_SETS_MAX];
        size_t n;
};
/* members: the release's, by number. */
int rules_sets_read(const struct manifest_policy *engine, const int *members, struct rules_sets *ret, struct err *err);

/* Some policy is signed as audit, one that is written as rules included. */
bool policies_audit(const struct manifest *m, const int *members);

/* A name of `lowered` that the release has no policy for. False: there is none. */
bool lowered_unknown(const char *lowered, const struct manifest *m, const int *members, char ret[static 64]);
