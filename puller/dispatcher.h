/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's own programs (bpf/agent/): the dispatcher, attached to a hook, and the allow stub. */
#pragma once

#include "err.h"
#include "hooks.h"

struct dispatcher_maps {
        int gate, agent, slots;
};

/* Loads a dispatcher for the hook over these maps and attaches it. Returns the link's descriptor. no-program-slot when the
 * hook takes no more programs. */
int dispatcher_attach(const struct hook *hook, const struct dispatcher_maps *maps, struct err *err);
/* Loads the stub for the hook. Returns the program's descriptor. */
int stub_load(const struct hook *hook, struct err *err);
