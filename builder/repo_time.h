/* SPDX-License-Identifier: Apache-2.0 */
/* Spans of time, for people. (Times and durations as documents write them: lib/rollout.h.) */
#pragma once

#include "util.h"

#define DURATION_TEXT 32
/* "12 d", "3 d 4 h", "2 h 5 min", "12 min", "0 s": the sign is left to the caller. */
void duration_show(int64_t seconds, char ret[static DURATION_TEXT]);
