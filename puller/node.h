/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node as the supervisor holds it: its directories, its maps in the kernel, and each bundle with its journal and its
 * mapped gate. Everything a rollback needs is open and mapped from the start.
 */
#pragma once

#include <stdio.h>

#include "bake_record.h"
#include "config.h"
#include "enforce.h"
#include "journal.h"
#include "wait.h"

/* Kernel command line, `lsmpull.mode=`: the way out when a policy locks its owners out of their own machine. */
enum node_mode { NODE_ENFORCE, NODE_AUDIT, NODE_OFF };

/* Of the swaps that this process has made, for metrics. Times of the last one; 0: it did not come so far. */
struct swap_times {
        uint64_t confirmed, failed;
        int64_t started; /* CLOCK_MONOTONIC, ns; verified */
        int64_t load_ns, enforced_ns, confirmed_ns;
};

struct bundle {
        char name[64];
        struct journal journal;
        struct enforcement kernel; /* gate_fd < 0: nothing of it is in the kernel */
        struct bake_record bake;   /* of a release that runs, or has run, in its shadow */
        struct swap_times swaps;
};

/* How the last generation was loaded, for status; kept in STATE/loader.json. */
struct loader_facts {
        bool known, token;
        uid_t uid;
        char no_token[128];
        bool rules; /* one with rules was loaded; of the last such: */
        bool locks; /* its engine may remember what it has found out */
        struct loader_roots roots;
};

struct node {
        const struct config *config;
        enum node_mode mode;
        char mode_source[64]; /* where audit or off comes from, for status; "" when enforcing */
        int state_fd, lock_fd;
        char boot_id[37];
        struct agent_maps agent;
        struct rollback_page *page;
        struct bundle **bundles; /* sorted by name */
        size_t n_bundles;
        struct loader_facts loader;
        struct lsm_rules_kernel rules_kernel; /* as long as this kernel runs; zeros: not known (yet) */
        struct waiter *waiter;
        /* Called with what is being done and what became of it, a line each; may be NULL. */
        void (*say)(void *ctx, const char *line);
        void *say_ctx;
        /* What the reporter does with events; NULL, and no descriptor, where none is kept. Its to write: nothing to rely on. */
        struct sinks_counts *sinks;
        int sinks_fd;
        bool serving; /* a control socket is open: the agent, not a single command */
        /* May the node still reach its source? Asked while a generation is PENDING; NULL: there is none to ask. */
        int (*source_check)(void *ctx, int64_t deadline_ns, struct err *err);
        void *source_ctx;
        /* Set by whoever calls a pending swap off (waiter returns -ECANCELED then). */
        enum reason canceled;
};

/*
 * Opens the state directory, the lock, bpffs and every bundle that has a journal. The calling process becomes the supervisor
 * (agent map). -EWOULDBLOCK (busy): another process holds the lock. A bundle whose journal cannot be read is left as it is in
 * the kernel, and said; it does not keep the others from being enforced. ret->say and say_ctx are read, and kept; bundles point
 * into *ret, which must stay where it is.
 */
enum node_access {
        NODE_READ, /* to look: no lock, nothing is made, nobody becomes the supervisor */
        NODE_WRITE,
};
int node_open(const struct config *config, enum node_access access, struct waiter *w, struct node *ret, struct err *err);
void node_close(struct node *n);

struct bundle *node_bundle(const struct node *n, const char *name);
/* The bundle, with an empty journal when the node has never heard of it. */
int node_bundle_add(struct node *n, const char *name, struct bundle **ret, struct err *err);
void node_bundle_drop(struct node *n, struct bundle *b);
/* The bundle whose gate is PENDING, or NULL. */
struct bundle *node_pending(const struct node *n);

/* The locks that the engine of a release's rules watches: read from the kernel the first time that there are rules. */
void node_rules_locks(struct node *n, const struct manifest *m, struct lsm_rules_kernel *ret);

/* Remembers how the loader ran. A failure costs status a line. */
void node_loader_set(struct node *n, const struct loader_facts *facts);

void node_say(const struct node *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Kernel command line and configuration say which mode holds; swap_recover() then makes what is in force follow. */
void node_mode_update(struct node *n);
/* `lsmpull.mode=` of a kernel command line. */
enum node_mode node_mode_parse(const char *cmdline);
/* uid and gid of one of the agent's own users; nobody's when the system does not have it. */
void node_user(const char *name, uid_t *ret_uid, gid_t *ret_gid);
uint64_t now_seconds(void);
