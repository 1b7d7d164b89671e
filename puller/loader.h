/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading a generation's programs in a child: in a user namespace through a BPF token where the kernel has them (6.9), as a
 * process that is nobody outside; else with CAP_BPF and CAP_PERFMON alone. The child opens the verified objects with libbpf,
 * writes parameters and seeds, loads, and hands over descriptors. It attaches nothing.
 */
#pragma once

#include "guard.h"
#include "hooks.h"
#include "loader_proto.h"
#include "plan.h"
#include "release.h"
#include "wait.h"

struct loader_request {
        const struct release *release;
        const struct plan *plan;
        const int *slots; /* PROG_ARRAY of each of the plan's hooks, in its order; of an absent one nothing */
        int events;       /* the agent's ring buffer */
        int folds;        /* ... and its map of denials that are counted and not told yet */
        const struct guard *guard;
        uint32_t slot;
        uint32_t bundle_number;
        struct lsm_rules_kernel kernel;
        bool audit;          /* lower every policy to audit */
        const char *lowered; /* lower these (lowered.h) */
        bool shadow;         /* what plan_shadow() leaves, in shadow mode; `plan` is what it leaves */
        bool use_token;
        uid_t uid; /* of the loader, outside its namespace */
        gid_t gid;
        int64_t deadline_ns;
};

struct loaded_policy {
        int *programs;               /* descriptors, in the manifest's order */
        int counters;                /* -1: a plain policy has none */
        int rule_counts, rule_table; /* of the rules' engine; -1 */
        int rule_cells, rule_roots;
        int scope_hash;   /* scope_collect.h; -1: there is none, or the kernel has storage at its cgroups */
        int scope_probes; /* scope_probe.h; -1: it has no scope */
};

struct loaded {
        struct loaded_policy *policies;
        size_t n_policies;
        const struct manifest *manifest; /* borrowed from the release */
        bool token;                      /* loaded through a BPF token */
        uid_t uid;                       /* as which the loader ran, seen from outside */
        char no_token[128];              /* why not, when a token was wanted */
        bool rules;                      /* it has an engine of rules */
        struct loader_roots roots;
};

/* ret_log: the verifier's whole log on failure (may be empty); may be NULL. The message carries its end. */
int loader_run(const struct loader_request *req, struct waiter *w, struct loaded *ret, struct buf *ret_log, struct err *err);
void loaded_done(struct loaded *l);
#define cleanup_loaded cleanup(loaded_done)

/* The child's main. */
int loader_main(int sock);

/* The number that stands for a bundle's name in events. */
uint32_t bundle_number(const char *name);
