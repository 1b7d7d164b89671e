/* SPDX-License-Identifier: Apache-2.0 */
/* A line that counts, on a terminal only. */
#pragma once

#include <stddef.h>

/* ctx: what is being done, as a string. */
void progress_show(void *ctx, size_t done, size_t n);
/* Removes the line. */
void progress_end(void);
