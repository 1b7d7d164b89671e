/* SPDX-License-Identifier: Apache-2.0 */
/* The first frame of a bundle, which holds manifest.json alone. For bundle_read.c and bundle_write.c. */
#pragma once

#include "envelope.h"
#include "zframes.h"

/* Goes to the next frame of z, reads it whole and splits the envelope in it. Nothing is verified yet. */
int bundle_manifest_read(struct zframes *z, struct envelope *ret, uint64_t *ret_mtime, struct err *err);
