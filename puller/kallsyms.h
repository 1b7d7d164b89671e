/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of the kernel's own variables, from /proc/kallsyms: for those who have CAP_SYSLOG, as long as kernel.kptr_restrict is
 * not 2. To others the kernel shows every address as 0.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <linux/types.h>

#include "lsm_rules_abi.h"

struct kernel_symbol {
        const char *name;
        uint64_t address; /* 0: not found, or not shown */
};

/* Looks for global data of the kernel itself, not of modules, in a text like /proc/kallsyms; ends when all of it is found, in
 * bounded memory. 0, or what reading failed with. */
int kallsyms_find(int fd, struct kernel_symbol *symbols, size_t n);

/* The locks whose sequences the rules' engine watches; zeros, both, when either is not to be known. root: stands before /proc. */
void kallsyms_rules_locks(const char *root, struct lsm_rules_kernel *ret);
