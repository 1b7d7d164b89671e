/* SPDX-License-Identifier: Apache-2.0 */
/* Within the probe's capabilities: how each is tried. */
#pragma once

#include "probe_ops.h"

/* NULL: there is no way. */
const struct probe_op *cap_op_own(int cap);     /* probe_cap_own.c: on the process itself */
const struct probe_op *cap_op_object(int cap);  /* probe_cap_object.c: on files, sockets, other processes of its own */
const struct probe_op *cap_op_refused(int cap); /* probe_cap_refused.c: with an argument that is refused later on */

/* What the operation ended with, where `later` is what it ends with after the capability was asked for. */
int cap_answer(long r, int later);
