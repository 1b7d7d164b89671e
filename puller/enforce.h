/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bundle in the kernel: its gate, and on each hook a PROG_ARRAY of slots with the dispatcher that reads the gate and
 * hands over. All of it is pinned, so an agent that starts adopts what is there.
 *
 * Every slot of every hook has something at position 0 at all times: a generation's first program, or the allow stub.
 */
#pragma once

#include "agent_maps.h"
#include "gate.h"
#include "hooks.h"
#include "loader.h"
#include "plan.h"

struct enforced_hook {
        char name[64];
        int slots;
        bool attached; /* its dispatcher's link is pinned */
};

struct enforcement {
        char bundle[64];
        char dir[PATH_MAX]; /* BPFFS/lsmpull/bundle/NAME */
        const struct agent_maps *agent;
        int gate_fd;
        struct gate gate;
        struct enforced_hook *hooks;
        size_t n_hooks;
};
#define ENFORCEMENT_INIT ((struct enforcement){.gate_fd = -1})

/* Adopts a bundle's pins. -ENOENT: there are none; with `create` they are made, the gate on slot 0. */
int enforcement_open(const struct agent_maps *agent, const char *bundle, bool create, struct enforcement *ret, struct err *err);
void enforcement_close(struct enforcement *e);
#define cleanup_enforcement cleanup(enforcement_close)
bool enforcement_exists(const struct agent_maps *agent, const char *bundle);

/*
 * Gives every hook of the plan its dispatcher, attached. A new one finds the allow stub in every slot, so nothing changes for
 * anybody. no-program-slot, kernel-unsupported, attach-failed: what was attached before is as it was; what was added by this
 * call is taken back.
 */
/* Leaves out the hooks that this kernel has not and whose programs are all optional. Any other that is missing is
 * enforcement_attach()'s to refuse. */
int plan_fit(struct plan *plan, const struct manifest *m, struct err *err);
int enforcement_attach(struct enforcement *e, const struct plan *plan, struct err *err);
/* Looks at the pins again. True when every dispatcher that was attached still is; one whose link somebody has removed is not. */
bool enforcement_check(struct enforcement *e);
/* Does its dispatcher run on this hook? As of the last look. */
/* It has a place on that hook, attached or not. */
bool enforcement_knows(const struct enforcement *e, const char *hook);
bool enforcement_attached(const struct enforcement *e, const char *hook);
/* The PROG_ARRAYs of the plan's hooks, in its order: borrowed descriptors in a new array. */
int enforcement_slots(const struct enforcement *e, const struct plan *plan, int **ret);
/* Puts a generation into a slot that the gate does not name, after a grace period: its programs at their positions, the stub on
 * hooks on which it has nothing. */
int enforcement_fill(struct enforcement *e, uint32_t slot, const struct plan *plan, const struct loaded *loaded, struct err *err);
/* Empties a slot that the gate does not name: stubs everywhere, so that its programs and maps are released. */
int enforcement_clear(struct enforcement *e, uint32_t slot, struct err *err);
/*
 * Puts a second dispatcher on the hook, over the same gate and slots, and takes the first one off then: there is no moment without.
 * The new one is the last program attached there. Needs a place for one more program.
 */
int enforcement_renew(struct enforcement *e, const struct hook *hook, struct err *err);
/* Finishes what a crash in enforcement_renew() left half done. */
int enforcement_settle(struct enforcement *e, struct err *err);
/* Detaches the dispatchers of hooks that none of these plans uses. */
int enforcement_trim(struct enforcement *e, const struct plan *const *plans, size_t n_plans, struct err *err);
/* Detaches everything and removes the pins: nothing of this bundle is enforced any more. */
int enforcement_remove(struct enforcement *e, struct err *err);

/* Sum over the processors of one policy's counters in a slot; zeros when there are none. */
int enforcement_counters(const struct enforcement *e, uint32_t slot, const char *policy, struct lsm_counters *ret);
/* The same of all policies in a slot. */
void enforcement_counters_all(const struct enforcement *e, uint32_t slot, struct lsm_counters *ret);
/* What each rule has decided (rules_counts.h). */
json_t *enforcement_rules_json(const struct enforcement *e, uint32_t slot);
