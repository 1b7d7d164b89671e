/* SPDX-License-Identifier: Apache-2.0 */
/* What is in a bundle, as text and as JSON. */
#pragma once

#include "bundle_file.h"

int inspect_text(const struct bundle_file *f, struct buf *out, struct err *err);
int inspect_json(const struct bundle_file *f, json_t **ret, struct err *err);

/* {"_type", "format", "tests": [...]} of a bundle. */
int bundle_selftests(const struct bundle_file *f, json_t **ret, struct err *err);
