/* SPDX-License-Identifier: Apache-2.0 */
/* Times of metadata: "2030-01-31T23:59:59Z", and nothing else (TUF 1.0.34, section 4.2). */
#pragma once

#include "err.h"
#include "util.h"

#define TUF_TIME_SIZE 21

/* Seconds since 1970, also before it and beyond 2038; -EINVAL. */
int tuf_time_parse(const char *text, int64_t *ret);
/* Years 0 to 9999; a time beyond is written as the nearest of these. */
void tuf_time_format(int64_t t, char ret[static TUF_TIME_SIZE]);
