/* SPDX-License-Identifier: Apache-2.0 */
#include "health.h"

#include "bpffs.h"
#include "fileio.h"
#include "health_command.h"
#include "probe_cgroup.h"
#include "rehearsal.h"
#include "scope_probe.h"
#include "selftest_run.h"

#define SELFTESTS_BYTES_MAX (4u << 20)
#define WATCH_STEP_NS 200000000LL

static int selftests_read(const struct release *rel, struct selftests *ret, struct err *err) {
        cleanup_buf struct buf bytes = {0};
        int r;

        if (rel->manifest->selftests < 0) {
                *ret = (struct selftests){0};
                return 0;
        }
        r = memfd_read(rel->members[rel->manifest->selftests], SELFTESTS_BYTES_MAX, &bytes, err);
        return r < 0 ? r : selftests_parse(bytes.data, bytes.len, ret, err);
}

static uint64_t denials(const struct bundle *b, const struct release *rel, uint32_t slot) {
        uint64_t sum = 0;

        for (size_t i = 0; i < rel->manifest->n_policies; i++) {
                struct lsm_counters c;

                if (enforcement_counters(&b->kernel, slot, rel->manifest->policies[i].name, &c) >= 0)
                        sum += c.denied;
        }
        return sum;
}

struct witness {
        const struct node *node;
        const struct bundle *bundle;
        uint32_t slot;
};

static void denials_look(void *ctx, struct selftest_denials *ret) {
        const struct witness *w = ctx;
        struct lsm_counters c;

        enforcement_counters_all(&w->bundle->kernel, w->slot, &c);
        *ret = (struct selftest_denials){.own = c.denied, .would_own = c.would_deny};
        for (size_t i = 0; i < w->node->n_bundles; i++) {
                const struct bundle *b = w->node->bundles[i];

                if (b == w->bundle || b->kernel.gate_fd < 0)
                        continue;
                enforcement_counters_all(&b->kernel, LSM_GATE_ACTIVE(gate_word(&b->kernel.gate)), &c);
                ret->others += c.denied;
        }
}

/* What a plain policy denies is not counted. */
static bool denials_counted(const struct release *rel) {
        for (size_t i = 0; i < rel->manifest->n_policies; i++)
                if (rel->manifest->policies[i].plain)
                        return false;
        return true;
}

static void report_say(const struct node *n, const struct bundle *b, const struct selftest_report *report) {
        node_say(n, "%s: %zu self-tests passed", b->name, report->n_passed);
        if (report->n_audited > 0)
                node_say(n, "%s: %zu of them expect a denial by a policy that only audits, which would have come", b->name,
                         report->n_audited);
        if (report->n_others > 0)
                node_say(
                        n,
                        "%s: warning: %zu expected denials were another bundle's doing: those self-tests prove nothing of this one",
                        b->name, report->n_others);
}

/* A node on which everything is lowered to audit denies nothing: what is left to show is that what should work still does. */
static void denials_leave_out(const struct node *n, const struct bundle *b, struct selftests *tests) {
        size_t kept = 0, all = tests->n;

        if (n->mode != NODE_AUDIT)
                return;
        for (size_t i = 0; i < all; i++) {
                if (tests->tests[i].expect == 0)
                        tests->tests[kept++] = tests->tests[i];
                else
                        selftest_done(&tests->tests[i]);
        }
        tests->n = kept;
        if (kept < all && !gate_pending(gate_word(&b->kernel.gate))) /* once: they run again while on trial */
                node_say(n, "%s: %zu self-tests expect a denial and are left out: this node only audits (%s)", b->name,
                         all - kept, n->mode_source);
}

/* Where the self-tests of one release are tried: the probe's cgroup, a fresh one for each scope. */
struct ground {
        struct bundle *bundle;
        const struct manifest *manifest;
        uint32_t slot;
        bool probing; /* the gate has to be told of the cgroup */
        char probes[PATH_MAX];
        struct probe_cgroup cgroup;
};

static int ground_enter(void *ctx, const char *scope, int *ret_cgroup, struct err *err) {
        struct ground *g = ctx;
        int r = probe_cgroup_renew(&g->cgroup, err);

        if (r >= 0 && *scope)
                r = scope_probe_enter(g->probes, g->manifest, scope, g->cgroup.id, err);
        if (r >= 0 && g->probing && !gate_probe(&g->bundle->kernel.gate, g->slot, g->cgroup.id))
                r = err_set(err, -EBUSY, REASON_BUSY, "the gate of '%s' has moved", g->bundle->name);
        *ret_cgroup = g->cgroup.fd;
        return r;
}

static void ground_done(struct ground *g) {
        if (g->probing)
                gate_probe(&g->bundle->kernel.gate, 0, 0);
        probe_cgroup_close(&g->cgroup);
        scope_probe_leave(g->probes, NULL); /* what is left is about a cgroup that is gone */
}

int health_selftests(struct node *n, struct bundle *b, const struct release *rel, uint32_t slot, int64_t deadline_ns,
                     struct err *err) {
        cleanup_selftest_report struct selftest_report report = {0};
        cleanup_selftests struct selftests tests = {0};
        bool probing = !gate_pending(gate_word(&b->kernel.gate));
        char lowered[LOWERED_MAX];
        struct selftest_witness witness = {
                .look = denials_look,
                .ctx = &(struct witness){n, b, slot},
                .strict = probing && denials_counted(rel), /* on trial, others are counted, too */
        };
        struct ground ground = {b, rel->manifest, slot, probing, "", PROBE_CGROUP_INIT};
        int r;

        lowered_of(n->config->audit, b->name, lowered);
        witness.audits = *lowered || policies_audit(rel->manifest, rel->members);
        r = selftests_read(rel, &tests, err);
        if (r >= 0)
                denials_leave_out(n, b, &tests);
        if (r < 0 || tests.n == 0)
                return r;
        r = pin_path(ground.probes, "%s/probes/%u", b->kernel.dir, slot);
        if (r < 0)
                return err_errno(err, r, "self-tests");
        r = probe_cgroup_open(n->config->cgroup_dir, &ground.cgroup, err);
        if (r < 0)
                return r;
        r = selftest_run(&tests, &(struct selftest_ground){ground_enter, &ground}, NULL, &witness, n->waiter, deadline_ns,
                         &report, err);
        ground_done(&ground);
        if (r >= 0 && probing)
                report_say(n, b, &report);
        return r;
}

/* The rest of the watching time: the node does its work under the new generation. */
static int watch_denials(struct node *n, struct bundle *b, const struct release *rel, uint64_t pending, uint64_t before,
                         int64_t until_ns, struct err *err) {
        for (;;) {
                int64_t now = monotonic_ns(), step = until_ns - now < WATCH_STEP_NS ? until_ns - now : WATCH_STEP_NS;
                uint64_t seen;
                int r;

                if (gate_word(&b->kernel.gate) != pending)
                        return err_set(err, -ETIME, REASON_NOT_CONFIRMED,
                                       "the kernel went back by itself while the release was watched");
                seen = denials(b, rel, LSM_GATE_ACTIVE(pending)) - before;
                if (n->config->max_denials >= 0 && seen > (uint64_t)n->config->max_denials)
                        return err_set(err, -EREMOTEIO, REASON_HEALTH_FAILED,
                                       "%llu denials while on trial, more than the %lld allowed", (unsigned long long)seen,
                                       (long long)n->config->max_denials);
                if (step <= 0)
                        return 0;
                r = n->waiter->wait(n->waiter, -1, now + step);
                if (r < 0)
                        return err_errno(err, r, "watching '%s'", b->name);
        }
}

/* What the supervisor will have to do, done by a child that the new generation decides. */
static int rehearse(struct node *n, int64_t deadline_ns, struct err *err) {
        const struct config *c = n->config;
        const struct rehearsal_spec spec = {
                .state_dir = c->state_dir,
                .run_dir = n->serving ? c->run_dir : NULL,
                .bpffs_dir = n->agent.dir,
                .cgroup_dir = c->cgroup_dir,
                .config_file = c->file,
                .notify_socket = getenv("NOTIFY_SOCKET"),
        };

        return rehearsal_run(&spec, n->waiter, deadline_ns, err);
}

int health_before(struct node *n, int64_t deadline_ns, struct err *err) {
        struct err why = {0};
        int r = rehearse(n, deadline_ns, &why);

        return r < 0 ? err_set(err, r, REASON_NONE, "the agent itself is in trouble, without any new policy: %s", why.msg) : 0;
}

int health_watch(struct node *n, struct bundle *b, const struct release *rel, uint64_t pending, int64_t deadline_ns,
                 struct err *err) {
        int64_t until = monotonic_ns() + n->config->health_ns;
        uint32_t slot = LSM_GATE_ACTIVE(pending);
        uint64_t before;
        uid_t uid;
        gid_t gid;
        int r;

        r = health_selftests(n, b, rel, slot, deadline_ns, err);
        /* The self-tests' own denials are no sign of trouble. */
        before = denials(b, rel, slot);
        if (r >= 0)
                r = rehearse(n, deadline_ns, err);
        if (r >= 0 && n->source_check)
                r = n->source_check(n->source_ctx, deadline_ns, err);
        if (r >= 0 && n->config->health_command) {
                node_user(n->config->reporter_user, &uid, &gid);
                r = health_command_run(n->config->health_command, uid, gid, n->waiter, deadline_ns, err);
        }
        return r < 0 ? r : watch_denials(n, b, rel, pending, before, until, err);
}
