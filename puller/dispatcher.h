/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's own programs (bpf/agent/): the dispatchers, attached to a hook, the allow stub, and a look at the kernel. */
#pragma once

#include "err.h"
#include "hooks.h"

struct dispatcher_maps {
        int gate, agent, slots;
};

/* Loads a dispatcher for the hook over these maps and attaches it. Returns the link's descriptor. no-program-slot when the
 * hook takes no more programs. */
int dispatcher_attach(const struct hook *hook, const struct dispatcher_maps *maps, struct err *err);
/* The shadow's: it hands over to LSM_SHADOW_SLOT of `slots`, and denies nothing whatever comes back. */
int shadow_dispatcher_attach(const struct hook *hook, int slots, struct err *err);
/* Loads the stub for the hook. Returns the program's descriptor. */
int stub_load(const struct hook *hook, struct err *err);

enum hook_order {
        HOOK_NEWEST_FIRST, /* what was attached last runs first: every kernel seen so far */
        HOOK_OLDEST_FIRST,
};
/* In which order this kernel runs the programs on a hook: tried out, not assumed. kernel-unsupported when it cannot be told. */
int hook_order_find(const struct btf *btf, enum hook_order *ret, struct err *err);
