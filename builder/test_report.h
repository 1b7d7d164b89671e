/* SPDX-License-Identifier: Apache-2.0 */
/* What came of testing a bundle, for people and as JSON. */
#pragma once

#include <jansson.h>

#include "manifest.h"
#include "test_guest.h"

int test_report_text(const struct manifest *m, const struct test_result *results, size_t n, struct buf *out);
/* NULL: no memory. */
json_t *test_report_json(const struct manifest *m, const struct test_result *results, size_t n);
