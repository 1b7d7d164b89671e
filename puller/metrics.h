/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics: the agent's figures as a text file for node_exporter's textfile collector (docs/metrics.md lists them).
 *
 * Most of them are what `lsmpull status --json` says, read from that very document, so that the two cannot disagree. How many
 * series there are depends on what is installed (bundles, policies, hooks, maps), never on what tasks do.
 */
#pragma once

#include "json.h"
#include "node.h"

/* What the agent counts itself, since it started. */
struct metrics_counts {
        uint64_t polls_ok, polls_failed;
        uint64_t refused[REASON_COUNT]; /* by reason: polls and installs */
};
/* The outcome of a poll. failed: the source could not be asked, or gave what no node may take. A release that is refused here alone
 * is no failure of the poll, and has a reason all the same. */
void metrics_count_poll(struct metrics_counts *c, bool failed, enum reason reason);
/* A release that was refused or failed, however it came. */
void metrics_count_refusal(struct metrics_counts *c, enum reason reason);

struct metrics_mode { /* of a policy, also of one that is written as rules */
        const char *policy, *is, *is_signed;
};

struct metrics_policy {
        const char *name;
        uint64_t denied, would_deny, undecided, events_dropped, events_folded;
};

/* Maps of the policies that decide: how full they are. The kernel keeps 15 characters of a name. */
struct metrics_map {
        char name[16];
        uint32_t entries, max_entries;
};

struct metrics_hook {
        char name[64];
        uint32_t free_slots; /* programs that could still be attached */
};

struct metrics_bundle {
        const char *name, *state;
        const char *version, *content; /* of what is in force; NULL: nothing */
        uint64_t release, since;       /* 0: nothing */
        uint64_t staged;               /* 0: none */
        uint64_t misses, expiries;     /* of the gate */
        uint64_t missing_hooks;
        struct metrics_policy *policies;
        size_t n_policies;
        struct metrics_mode *modes;
        size_t n_modes;
        struct metrics_map *maps;
        size_t n_maps;
        struct swap_times swaps;
        struct { /* NULL ring: there is no rollout, or it was not read yet */
                const char *ring, *why;
                uint64_t release; /* that it has for this node; 0: none */
                bool baking;
                uint64_t bake_release, bake_seconds, bake_for, bake_would_deny, bake_allow;
        } rollout;
};

struct metrics_role { /* of the repository's trusted metadata */
        const char *name;
        uint64_t expires;
};

struct metrics_quarantine {
        const char *bundle, *reason;
        uint64_t releases; /* that hold on this kernel and agent */
};

struct metrics_sink {
        const char *name;
        uint64_t written, dropped, retried;
        bool failing;
        bool network; /* then also: */
        uint64_t refused, waiting;
};

struct metrics {
        json_t *status; /* which all names below are borrowed from */
        const char *version, *kernel, *mode;
        uint64_t time;
        bool paused;
        bool has_source, stale;
        uint64_t last_success, failures;
        struct metrics_role *roles;
        size_t n_roles;
        struct metrics_counts counts;
        struct metrics_bundle *bundles;
        size_t n_bundles;
        struct metrics_hook *hooks;
        size_t n_hooks;
        struct metrics_quarantine *quarantine;
        size_t n_quarantine;
        struct metrics_sink *sinks;
        size_t n_sinks;
};
void metrics_done(struct metrics *m);
#define cleanup_metrics cleanup(metrics_done)

/* Reads a status document, which it takes over, also on failure. What is not there, or of another type, is 0 or left out. */
int metrics_read(json_t *status, const struct metrics_counts *counts, struct metrics *ret, struct err *err);
/* Adds what only the kernel and the node's memory know. What cannot be found out is left out. */
void metrics_look(struct metrics *m, const struct node *n);
/* Prometheus' text format. Whatever is in a name, the result is one. */
int metrics_format(const struct metrics *m, struct buf *out);

/* All of it, into config->metrics_file: whole or not at all, mode 0644. Nothing to do without one. */
int metrics_write(struct node *n, json_t *status, const struct metrics_counts *counts, struct err *err);
