/* SPDX-License-Identifier: Apache-2.0 */
/* The two filters of sandbox_enter(); nobody else's business. */
#pragma once

#include "sandbox.h"

/* The kernel's Landlock, as far as it goes. Sets the parts it applied, and the ABI; a kernel without it is no error. */
int landlock_apply(const struct sandbox_spec *spec, struct sandbox_report *report, struct err *err);
/* The allow-list of system calls; everything else fails with EPERM. */
int seccomp_apply(const struct sandbox_spec *spec, struct err *err);
