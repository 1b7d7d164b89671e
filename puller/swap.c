/* SPDX-License-Identifier: Apache-2.0 */
#include "bake.h"
#include "fault.h"
#include "fileio.h"
#include "health.h"
#include "quarantine.h"
#include "swap_parts.h"

#define LOAD_TIMEOUT_NS (300 * 1000000000LL)
#define PROBE_TIMEOUT_NS (120 * 1000000000LL)

/* ---- admission: may this release be tried on this node now? --------------------------------------------------------- */

static int admit_history(const struct bundle *b, const struct release *rel, bool polled, struct err *err) {
        const struct journal *j = &b->journal;
        const struct manifest *m = rel->manifest;
        const char *seen = journal_seen(j, m->release);

        if (seen && !streq(seen, m->content_hex))
                return err_set(err, -EEXIST, REASON_RELEASE_REUSED,
                               "release %llu of '%s' was seen here with another content (%.12s, this one is %.12s)",
                               (unsigned long long)m->release, m->name, seen, m->content_hex);
        if (polled && m->release < j->highest_release)
                return err_set(err, -ESTALE, REASON_RELEASE_TOO_OLD,
                               "release %llu of '%s' is older than release %llu, which was in force",
                               (unsigned long long)m->release, m->name, (unsigned long long)j->highest_release);
        return 0;
}

static int admit(struct node *n, struct bundle *b, const struct release *rel, bool polled, struct err *err) {
        cleanup_quarantine struct quarantine q = {0};
        const struct quarantine_entry *entry;
        const struct manifest *m = rel->manifest;
        struct bundle *pending = node_pending(n);
        int r;

        if (n->mode == NODE_OFF)
                return err_set(err, -EPERM, REASON_PAUSED, "enforcement is switched off (%s)", n->mode_source);
        if (pending)
                return err_set(err, -EBUSY, REASON_BUSY, "bundle '%s' is being tried: one swap at a time", pending->name);
        if (m->abi != LSM_ABI)
                return err_set(err, -ENOTSUP, REASON_UNSUPPORTED_FORMAT, "built for ABI %u of policies, this agent knows %u",
                               m->abi, LSM_ABI);
        r = admit_history(b, rel, polled, err);
        if (r < 0)
                return r;
        r = quarantine_load(n->state_fd, &q, err);
        if (r < 0)
                return r;
        entry = quarantine_find(&q, m->content_hex);
        if (entry)
                return err_set(err, -EPERM, REASON_QUARANTINED,
                               "release %llu of '%s' %s here before (%s: %s); `lsmpull retry %s` forgets that",
                               (unsigned long long)m->release, m->name,
                               streq(entry->reason, reason_word(REASON_OPERATOR)) ? "was left" : "failed", entry->reason,
                               entry->message, m->name);
        return 0;
}

/* ---- staging: everything that nobody notices ------------------------------------------------------------------------- */

uint32_t stage_slot(const struct bundle *b) {
        uint64_t word = b->kernel.gate_fd >= 0 ? gate_word(&b->kernel.gate) : 0;

        for (uint32_t slot = 1; slot < LSM_SLOTS; slot++)
                if (slot != LSM_GATE_ACTIVE(word) && !(b->journal.previous.present && slot == b->journal.previous.slot))
                        return slot;
        return LSM_SLOTS - 1; /* three slots, two of them taken: not reached */
}

/* The whole verifier log is kept beside the state; the message says where. */
void verifier_log_keep(struct node *n, const struct buf *log) {
        if (log->len > 0 && file_replace(n->state_fd, "verifier.log", 0600, log->data, log->len, NULL) >= 0)
                node_say(n, "the verifier's whole log: %s/verifier.log", n->config->state_dir);
}

/* A policy of it asks what the agent has in the kernel. */
static bool manifest_guards(const struct manifest *m) {
        for (size_t i = 0; i < m->n_policies; i++)
                for (size_t j = 0; j < m->policies[i].n_maps; j++)
                        if (streq(m->policies[i].maps[j].name, LSM_GUARD_OBJECTS))
                                return true;
        return false;
}

int stage_load(struct node *n, struct bundle *b, const struct release *rel, const struct plan *plan, uint32_t slot,
               struct err *err) {
        struct loader_request req = {
                .release = rel,
                .plan = plan,
                .events = n->agent.events,
                .folds = n->agent.folds,
                .guard = &n->agent.guard,
                .slot = slot,
                .bundle_number = bundle_number(b->name),
                .audit = n->mode == NODE_AUDIT,
                .use_token = n->config->bpf_token,
                .deadline_ns = monotonic_ns() + LOAD_TIMEOUT_NS,
        };
        struct loader_facts facts = {.known = true};
        char lowered[LOWERED_MAX], unknown[64];
        struct loaded loaded = {0};
        cleanup_buf struct buf log = {0};
        cleanup_free int *slots = NULL;
        int64_t started;
        int r = 0;

        if (b->kernel.gate_fd < 0)
                r = enforcement_open(&n->agent, b->name, true, &b->kernel, err);
        if (r >= 0)
                r = enforcement_attach(&b->kernel, plan, err);
        if (r >= 0)
                r = enforcement_slots(&b->kernel, plan, &slots);
        if (r < 0)
                return r;
        req.slots = slots;
        lowered_of(n->config->audit, b->name, lowered);
        if (lowered_unknown(lowered, rel->manifest, rel->members, unknown))
                node_say(n, "%s: warning: 'audit' in the configuration names %s/%s, which release %llu has not", b->name, b->name,
                         unknown, (unsigned long long)rel->manifest->release);
        req.lowered = lowered;
        node_rules_locks(n, rel->manifest, &req.kernel);
        node_user(n->config->loader_user, &req.uid, &req.gid);
        started = monotonic_ns();
        r = loader_run(&req, n->waiter, &loaded, &log, err);
        b->swaps.load_ns = monotonic_ns() - started;
        if (r < 0) {
                verifier_log_keep(n, &log);
                return r;
        }
        facts.token = loaded.token;
        facts.uid = loaded.uid;
        snprintf(facts.no_token, sizeof(facts.no_token), "%s",
                 n->config->bpf_token ? loaded.no_token : "switched off (bpf-token: false)");
        facts.rules = loaded.rules;
        facts.locks = req.kernel.rename_lock != 0;
        facts.roots = loaded.roots;
        if (loaded.roots.full)
                node_say(n, "%s: %u file systems are more than the rules have room for: only by the path that a process sees",
                         b->name, loaded.roots.full);
        node_loader_set(n, &facts);
        r = enforcement_fill(&b->kernel, slot, plan, &loaded, err);
        loaded_done(&loaded);
        /* Before the gate names it: a policy that guards the agent must find what it is to guard. */
        if (r >= 0 && manifest_guards(rel->manifest)) {
                guard_children(&n->agent.guard);
                r = guard_look(&n->agent.guard, err);
        }
        return r;
}

static struct journal_gen generation(const struct node *n, const struct release *rel, uint32_t slot) {
        struct journal_gen g = {.present = true,
                                .release = rel->manifest->release,
                                .slot = slot,
                                .since = now_seconds(),
                                .audit = n->mode == NODE_AUDIT};

        lowered_of(n->config->audit, rel->manifest->name, g.lowered);
        memcpy(g.content_hex, rel->manifest->content_hex, sizeof(g.content_hex));
        snprintf(g.version, sizeof(g.version), "%s", rel->manifest->version);
        return g;
}

static int step_save(struct node *n, struct bundle *b, enum journal_step step, struct err *err) {
        b->journal.step = step;
        return journal_save(n->state_fd, &b->journal, err);
}

/* ---- the trial -------------------------------------------------------------------------------------------------------- */

static int not_confirmed(const struct node *n, const struct release *rel, struct err *err) {
        return err_set(err, -ETIME, REASON_NOT_CONFIRMED,
                       "release %llu was not confirmed within %lld s: the kernel went back by itself",
                       (unsigned long long)rel->manifest->release, (long long)(n->config->deadline_ns / 1000000000));
}

static int trial(struct node *n, struct bundle *b, const struct release *rel, uint32_t slot, struct err *err) {
        int64_t flipped, deadline;
        uint64_t pending;
        uint32_t active = LSM_GATE_ACTIVE(gate_word(&b->kernel.gate));
        int r;

        r = step_save(n, b, STEP_PROBING, err);
        if (r < 0)
                return r;
        r = health_selftests(n, b, rel, slot, monotonic_ns() + PROBE_TIMEOUT_NS, err);
        if (r >= 0)
                r = health_before(n, monotonic_ns() + PROBE_TIMEOUT_NS, err);
        if (r >= 0)
                r = step_save(n, b, STEP_FLIPPING, err);
        if (r < 0)
                return r;

        flipped = monotonic_ns();
        deadline = flipped + n->config->deadline_ns;
        pending = gate_flip(&b->kernel.gate, active, slot, deadline);
        if (!pending)
                return err_set(err, -EBUSY, REASON_BUSY, "the gate of '%s' has moved", b->name);
        b->swaps.enforced_ns = monotonic_ns() - b->swaps.started;
        fault_point("swap:flipped");
        node_say(n, "%s: release %llu enforced on trial, for %lld s at most", b->name, (unsigned long long)rel->manifest->release,
                 (long long)(n->config->deadline_ns / 1000000000));
        r = health_watch(n, b, rel, pending, deadline, err);
        if (r >= 0)
                r = step_save(n, b, STEP_CONFIRMING, err);
        if (r < 0) {
                /* Checks that run into the kernel's fall-back meet the old generation, or time out: not the release's fault. */
                bool late = gate_word(&b->kernel.gate) != pending || gate_past_deadline(pending, monotonic_ns());

                /* First of all: back. Nothing before this line may allocate, open or fork. */
                gate_set(&b->kernel.gate, active);
                node_say(n, "%s: release %llu taken back after %lld ms", b->name, (unsigned long long)rel->manifest->release,
                         (long long)((monotonic_ns() - flipped) / 1000000));
                return late && r != -ECANCELED ? not_confirmed(n, rel, err) : r;
        }
        fault_point("swap:confirm");
        if (!gate_confirm(&b->kernel.gate, pending))
                return not_confirmed(n, rel, err);
        fault_point("swap:confirmed");
        return 0;
}

bool confirmed_in_force(const struct node *n, const struct bundle *b) {
        const struct journal *j = &b->journal;
        uint64_t word;

        if (!j->confirmed.present || j->removed || b->kernel.gate_fd < 0 || !streq(j->boot_id, n->boot_id))
                return false;
        word = gate_word(&b->kernel.gate);
        return j->confirmed.slot != 0 && !gate_pending(word) && LSM_GATE_ACTIVE(word) == j->confirmed.slot;
}

static int stage(struct node *n, struct bundle *b, const struct release *rel, const struct receipt *receipt, uint32_t *ret_slot,
                 struct err *err) {
        cleanup_plan struct plan plan = {0};
        struct journal *j = &b->journal;
        int r;

        /* Slots of another boot, or of a restore that failed, hold nothing that one could go back to. */
        if (!confirmed_in_force(n, b)) {
                j->confirmed.slot = 0;
                j->previous = (struct journal_gen){0};
        }
        *ret_slot = stage_slot(b);
        r = plan_make(rel->manifest, &plan, err);
        if (r >= 0)
                r = plan_fit(&plan, rel->manifest, err);
        for (size_t i = 0; r >= 0 && i < plan.n; i++)
                if (plan.hooks[i].absent)
                        node_say(n, "%s: this kernel has no hook %s, and needs none: another asks the same here", b->name,
                                 plan.hooks[i].name);
        if (r >= 0)
                r = store_put(n->state_fd, rel, receipt, err);
        if (r < 0)
                return r;
        memcpy(j->boot_id, n->boot_id, sizeof(j->boot_id));
        /* Counted before anything is loaded: what takes the machine down while it is tried must not be tried for ever. */
        j->attempts = streq(j->left_content, rel->manifest->content_hex) ? j->attempts + 1 : 1;
        j->staged = generation(n, rel, *ret_slot);
        journal_see(j, rel->manifest->release, rel->manifest->content_hex);
        r = step_save(n, b, STEP_STAGING, err);
        return r < 0 ? r : stage_load(n, b, rel, &plan, *ret_slot, err);
}

static void say_kept(const struct node *n, const struct bundle *b, bool tried) {
        if (b->journal.confirmed.present)
                node_say(n, "%s: release %llu %s in force", b->name, (unsigned long long)b->journal.confirmed.release,
                         tried ? "is back" : "stays");
        else
                node_say(n, "%s: nothing is enforced, as before", b->name);
}

int swap_apply(struct node *n, const struct release *rel, const struct receipt *receipt, bool polled, struct swap_result *ret,
               struct err *err) {
        const struct manifest *m = rel->manifest;
        struct err why = {0};
        struct bundle *b;
        uint32_t slot;
        int r;

        *ret = (struct swap_result){0};
        r = node_bundle_add(n, m->name, &b, err);
        if (r < 0)
                return r;
        if (streq(b->journal.confirmed.content_hex, m->content_hex) && confirmed_in_force(n, b)) {
                ret->unchanged = true;
                return 0;
        }
        r = admit(n, b, rel, polled, err);
        if (r < 0)
                return r;
        ret->first = !b->journal.confirmed.present;
        n->canceled = REASON_NONE;
        b->swaps = (struct swap_times){b->swaps.confirmed, b->swaps.failed, .started = monotonic_ns()};
        r = stage(n, b, rel, receipt, &slot, &why);
        if (r >= 0)
                r = trial(n, b, rel, slot, &why);
        if (r < 0) {
                const struct journal_gen left = b->journal.staged;
                bool tried = b->journal.step == STEP_FLIPPING || b->journal.step == STEP_CONFIRMING;

                b->swaps.failed++;
                if (r == -ECANCELED && n->canceled)
                        err_set(&why, r, n->canceled, "called off by %s",
                                n->canceled == REASON_OPERATOR ? "the operator" : "the agent's end");
                /* For a start that comes before the record below is durable. */
                rollback_page_write(n->page, b->name, left.content_hex, left.release, reason_word(why.reason), why.msg);
                if (record_left(n, b, &left, &why) < 0)
                        node_say(n, "%s: what went wrong could not be recorded", b->name);
                retire(n, b);
                say_kept(n, b, tried);
                if (err)
                        *err = why;
                return r;
        }
        b->swaps.confirmed++;
        b->swaps.confirmed_ns = monotonic_ns() - b->swaps.started;
        r = record_confirmed(n, b, err);
        /* Beside itself a release denies nothing more. */
        if (r >= 0 && streq(b->bake.content_hex, m->content_hex))
                r = bake_end(n, b, err);
        if (r >= 0)
                node_say(n, "%s: release %llu confirmed", b->name, (unsigned long long)m->release);
        retire(n, b);
        return r;
}
