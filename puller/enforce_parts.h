/* SPDX-License-Identifier: Apache-2.0 */
/* What enforce.c and enforce_hooks.c share; nobody else includes this. */
#pragma once

#include "enforce.h"

struct enforced_hook *enforced_hook_of(const struct enforcement *e, const char *name);
/* Takes over `slots`; closes nothing on failure. */
int enforced_hook_add(struct enforcement *e, const char *name, int slots, bool attached);
/* A program into a position of a slot. */
int slot_put(int slots, uint32_t slot, uint32_t position, int program);
