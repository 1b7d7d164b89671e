/* SPDX-License-Identifier: Apache-2.0 */
/* What enforce*.c and shadow*.c share; nobody else includes this. */
#pragma once

#include <linux/bpf.h>

#include "enforce.h"

struct enforced_hook *enforced_hook_of(const struct enforcement *e, const char *name);
/* Takes over `slots`; closes nothing on failure. */
int enforced_hook_add(struct enforcement *e, const char *name, int slots, bool attached);
/* A program into a position of a slot. */
int slot_put(int slots, uint32_t slot, uint32_t position, int program);
/* What the kernel says of a pinned link. */
int link_info(const char *path, struct bpf_link_info *ret);
/* Detaches: removes the pin of a link, its last reference, and waits until the program has gone. Nothing there is success. */
int link_remove(const char *path, struct err *err);
/* no-program-slot unless the hook takes `more` programs. `what` says what for. */
int hook_room_check(const struct hook *hook, int more, const char *what, struct err *err);
/* Sum over the processors of the counters pinned there; zeros when there are none. */
int counters_read(const char *path, struct lsm_counters *ret);
