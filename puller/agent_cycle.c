/* SPDX-License-Identifier: Apache-2.0 */
/* The cycle: when the source is asked, and what else is looked after at that time. */
#include <stdio.h>
#include <time.h>

#include "agent_parts.h"
#include "health_command.h"
#include "pause.h"
#include "repo.h"
#include "schedule.h"

#define NS 1000000000LL
#define RESTORE_RETRY_NS (30 * NS)
#define STALE_COMMAND_NS (60 * NS)

static int source_check(void *ctx, int64_t deadline_ns, struct err *err) {
        struct agent *a = ctx;

        return source_reachable(&a->node, deadline_ns, err);
}

static void poll_source(struct agent *a) {
        char before[sizeof(a->source.message)];
        struct err err = {0};
        struct pause pause;
        bool changed;
        int r;

        pause_load(&a->node, &pause);
        if (config_source_kind(a->node.config) == SOURCE_NONE || pause.paused)
                return;
        memcpy(before, a->source.message, sizeof(before));
        a->working = true;
        r = source_poll(&a->node, &a->source, &changed, &err);
        metrics_count_poll(&a->counts, a->source.failures > 0, r < 0 ? err.reason : REASON_NONE);
        a->metrics_due = 0;
        /* Said once, not at every poll. */
        if (r < 0 && !agent_stopping() && !streq(before, err.msg))
                fprintf(stderr, "%s: %s%s%s\n", config_source_address(a->node.config), reason_word(err.reason),
                        err.reason ? ": " : "", err.msg);
        a->working = false;
        requests_canceler_answer(a);
}

/* Once for each time that the source falls silent. */
static void stale_tell(struct agent *a) {
        const struct config *c = a->config;
        uint64_t since = source_stale_since(&a->node, &a->source), now = now_seconds();
        struct err err = {0};
        uid_t uid;
        gid_t gid;

        if (!c->stale_command)
                return;
        if (now <= since) {
                a->stale_told = false;
                return;
        }
        if (a->stale_told || now - since < (uint64_t)(c->stale_after_ns / NS))
                return;
        a->stale_told = true;
        node_user(c->reporter_user, &uid, &gid);
        a->working = true;
        if (health_command_run(c->stale_command, uid, gid, &a->waiter, monotonic_ns() + STALE_COMMAND_NS, &err) < 0)
                fprintf(stderr, "on_stale: %s\n", err.msg);
        a->working = false;
}

/* What the journal says should be in force, and is not, or not as it should be. Tried again until it holds: memory, a time-out or a
 * disk may have been in the way. */
static void restore(struct agent *a) {
        struct err err = {0};

        a->working = true;
        a->restore_due = 0;
        if (swap_recover(&a->node, &err) < 0) {
                a->restore_due = monotonic_ns() + RESTORE_RETRY_NS;
                fprintf(stderr, "not everything could be restored, trying again in %lld s: %s\n",
                        (long long)(RESTORE_RETRY_NS / NS), err.msg);
        }
        a->working = false;
}

/* A fresh node is not bare until its first pull. */
static void first_boot(struct agent *a) {
        struct err err = {0};
        bool changed;

        a->working = true;
        if (repo_first_boot(&a->node, &changed, &err) < 0)
                fprintf(stderr, "first_boot: %s\n", err.msg);
        a->working = false;
}

/* Somebody with root's rights may have removed what was pinned. */
static void watch_pins(struct agent *a) {
        bool whole = true;

        for (size_t i = 0; i < a->node.n_bundles; i++)
                whole = enforcement_check(&a->node.bundles[i]->kernel) && whole;
        if (!whole)
                restore(a);
}

/* SIGHUP. What cannot change under a running agent (its directories) waits for a restart, and is said. */
static void configuration_reload(struct agent *a) {
        struct config fresh = {0}, *c = a->config;

        if (options_config(a->options, &fresh) != 0) {
                fprintf(stderr, "the configuration is left as it was\n");
                config_done(&fresh);
                return;
        }
        if (!streq(fresh.state_dir, c->state_dir) || !streq(fresh.run_dir, c->run_dir) || !streq(fresh.bpffs_dir, c->bpffs_dir)) {
                fprintf(stderr, "the configuration is left as it was: paths change with a restart only\n");
                config_done(&fresh);
                return;
        }
        agent_events_reload(a, &fresh);
        config_done(c);
        *c = fresh;
        node_mode_update(&a->node);
        restore(a);
        fprintf(stderr, "configuration read again\n");
}

void agent_loop(struct agent *a) {
        const struct config *c = a->config;
        int64_t next = monotonic_ns(), wait;
        struct schedule schedule = {.interval_ns = c->poll_interval_ns, .jitter_percent = c->poll_jitter_percent};

        /* A node that has nothing yet does not wait for its turn. */
        if (a->node.n_bundles > 0)
                next += schedule_first(&schedule, random_u64());
        while (!agent_stopping()) {
                int64_t due = next;

                if (a->restore_due && a->restore_due < due)
                        due = a->restore_due;
                if (a->waiter.wait(&a->waiter, -1, due) < 0)
                        continue;
                if (agent_hangup_take()) {
                        configuration_reload(a);
                } else if (a->restore_due && monotonic_ns() >= a->restore_due) {
                        restore(a);
                        continue;
                }
                watch_pins(a);
                poll_source(a);
                stale_tell(a);
                schedule = (struct schedule){.interval_ns = c->poll_interval_ns, .jitter_percent = c->poll_jitter_percent};
                wait = schedule_next(&schedule, a->source.failures, a->source.retry_after_s, random_u64());
                next = monotonic_ns() + schedule_wake(&schedule, wait, a->source.next_s, !a->source.next_own, random_u64());
        }
}

void agent_start(struct agent *a) {
        a->node.source_check = source_check;
        a->node.source_ctx = a;
        restore(a);
        first_boot(a);
        source_load(&a->node, &a->source);
}
