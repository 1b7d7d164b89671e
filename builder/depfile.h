/* SPDX-License-Identifier: Apache-2.0 */
/* The makefile fragment that a compiler's -MD writes: what a translation unit was made from. */
#pragma once

#include "buf.h"
#include "err.h"
#include "strv.h"

/* The prerequisites of the one rule, in order. */
int depfile_parse(const void *p, size_t n, struct strv *ret, struct err *err);
