/* SPDX-License-Identifier: Apache-2.0 */
/* What a signer is asked to sign: everything in which a change differs from what is in force. */
#pragma once

#include "repo_change.h"

/* Each document field by field, each new bundle as `lsmbundle diff` shows it against what the rings run (or, where no rollout
 * names the bundle, against its newest release), each rollout field by field. */
int repo_review(const struct repo *repo, const struct repo_change *c, struct buf *out, struct err *err);
/* Builds the bundle of a pending release from its sources: digest-mismatch when another content comes out. With the same compiler
 * and the same commit, the same does. */
int repo_rebuild(const struct repo *repo, const struct repo_change *c, const char *source, struct err *err);
