/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Convergence. The gate wins over the journal: it has moved on, never back. What the journal adds is which release stands in
 * which slot, and how far a swap had come.
 */
#include "bake.h"
#include "swap_parts.h"

/* Enforces the confirmed release from the store: after a reboot, or when something of it is no longer in the kernel. */
static int reload(struct node *n, struct bundle *b, struct err *err) {
        struct journal *j = &b->journal;
        struct release rel = RELEASE_INIT;
        cleanup_plan struct plan plan = {0};
        uint32_t slot;
        int r;

        r = kept_plan(n, j->confirmed.content_hex, &rel, &plan, err);
        if (r >= 0)
                r = plan_fit(&plan, rel.manifest, err);
        if (r < 0)
                return err_wrap(err, r, "the kept release %llu of '%s'", (unsigned long long)j->confirmed.release, b->name);
        /* Whatever is in a slot besides what the gate names came with another boot, or is incomplete. The journal must know that
         * before such a slot is filled anew: a rollback to it would run two generations mixed. The journal of another boot vouches
         * for no slot: then a full disk does not keep the node from enforcing. */
        j->previous = (struct journal_gen){0};
        r = journal_save(n->state_fd, j, err);
        if (r < 0 && !streq(j->boot_id, n->boot_id)) {
                node_say(n, "%s: %s", b->name, err ? err->msg : "the journal cannot be written");
                r = 0;
        }
        slot = stage_slot(b);
        if (r >= 0)
                r = stage_load(n, b, &rel, &plan, slot, err);
        if (r >= 0) {
                gate_set(&b->kernel.gate, slot);
                j->confirmed.slot = slot;
                j->confirmed.audit = n->mode == NODE_AUDIT;
                lowered_of(n->config->audit, b->name, j->confirmed.lowered);
                memcpy(j->boot_id, n->boot_id, sizeof(j->boot_id));
                r = journal_save(n->state_fd, j, err);
                node_say(n, "%s: release %llu enforced again", b->name, (unsigned long long)j->confirmed.release);
        }
        release_done(&rel);
        return r;
}

/* Why a generation was left, if the last moments were recorded; else `otherwise`. */
static struct err left_why(const struct node *n, const struct bundle *b, const struct journal_gen *gen, struct err otherwise) {
        struct rollback_page page;

        if (rollback_page_read(n->page, &page) && streq(page.bundle, b->name) && streq(page.content_hex, gen->content_hex)) {
                otherwise.reason = reason_from_word(page.reason);
                snprintf(otherwise.msg, sizeof(otherwise.msg), "%s", page.message);
        }
        return otherwise;
}

/* A swap was in flight when the agent ended, in this boot. */
static int finish_or_undo(struct node *n, struct bundle *b, struct err *err) {
        struct journal *j = &b->journal;
        struct journal_gen staged = j->staged;
        struct gate *gate = &b->kernel.gate;
        uint64_t word = gate_word(gate);
        struct err why;

        if (gate_pending(word)) {
                if (!gate_expire(gate))
                        gate_set(gate, LSM_GATE_FALLBACK(word));
                word = gate_word(gate);
        }
        if (j->step == STEP_CONFIRMING && LSM_GATE_ACTIVE(word) == staged.slot) {
                node_say(n, "%s: release %llu had been confirmed", b->name, (unsigned long long)staged.release);
                return record_confirmed(n, b, err);
        }
        if (j->step == STEP_STAGING || j->step == STEP_PROBING) {
                gate_probe(gate, 0, 0);
                why = (struct err){.reason = REASON_NONE, .msg = "the agent ended while it prepared the release"};
        } else
                why = (struct err){.reason = REASON_NOT_CONFIRMED, .msg = "the agent ended before it had confirmed the release"};
        why = left_why(n, b, &staged, why);
        node_say(n, "%s: release %llu is not in force: %s", b->name, (unsigned long long)staged.release, why.msg);
        return record_left(n, b, &staged, &why);
}

/* An operator's rollback that the journal had not learnt of. */
static int adopt_gate(struct node *n, struct bundle *b, struct err *err) {
        struct journal *j = &b->journal;
        uint32_t active = LSM_GATE_ACTIVE(gate_word(&b->kernel.gate));
        struct journal_gen left = j->confirmed;
        struct err why;

        if (j->previous.present && active == j->previous.slot) {
                why = left_why(n, b, &left, (struct err){.reason = REASON_OPERATOR, .msg = "rolled back by the operator"});
                j->confirmed = j->previous;
                j->previous = (struct journal_gen){0};
                return record_left(n, b, &left, &why);
        }
        /* An earlier restore failed, or somebody has written the gate: what is in the slots is not known. */
        node_say(n, "%s: the gate names slot %u, which is not release %llu: enforcing that again", b->name, active,
                 (unsigned long long)j->confirmed.release);
        return reload(n, b, err);
}

static bool kernel_complete(struct node *n, struct bundle *b) {
        struct release rel = RELEASE_INIT;
        cleanup_plan struct plan plan = {0};
        bool complete = true, fitted = false;

        if (kept_plan(n, b->journal.confirmed.content_hex, &rel, &plan, NULL) < 0)
                return true; /* nothing to compare with, and nothing to load instead */
        enforcement_check(&b->kernel);
        for (size_t i = 0; complete && i < plan.n; i++) {
                if (enforcement_attached(&b->kernel, plan.hooks[i].name))
                        continue;
                if (!fitted)
                        fitted = plan_fit(&plan, rel.manifest, NULL) >= 0;
                complete = plan.hooks[i].absent;
        }
        release_done(&rel);
        return complete;
}

/*
 * A reboot: bpffs is empty, slots mean nothing. A release that was on its way when the machine went down has used an attempt, even
 * if it was only being loaded: it may be what took the machine down.
 */
static int after_reboot(struct node *n, struct bundle *b, struct err *err) {
        struct journal *j = &b->journal;
        struct rollback_page page;
        int r = 0, r2;

        /* An operator's rollback that the journal had not learnt of when the power went. */
        if (j->previous.present && rollback_page_read(n->page, &page) && streq(page.bundle, b->name) &&
            streq(page.content_hex, j->confirmed.content_hex)) {
                const struct journal_gen left = j->confirmed;
                const struct err why = left_why(n, b, &left, (struct err){.reason = REASON_OPERATOR});

                j->confirmed = j->previous;
                r = record_left(n, b, &left, &why);
        }
        j->previous = (struct journal_gen){0};
        if (r >= 0 && j->staged.present) {
                const struct journal_gen staged = j->staged;
                const struct err why = left_why(n, b, &staged,
                                                (struct err){.reason = REASON_NOT_CONFIRMED,
                                                             .msg = "the machine went down before the release was confirmed"});

                r = record_left(n, b, &staged, &why);
        }
        if (!j->confirmed.present || j->removed)
                return r;
        /* Also when that could not be written down: it will be at the next start. */
        r2 = reload(n, b, r < 0 ? NULL : err);
        return r < 0 ? r : r2;
}

/* Loaded beside what is in force, then flipped: there is no moment without. */
static int modes_follow(struct node *n, struct bundle *b, struct err *err) {
        const struct journal_gen *g = &b->journal.confirmed;
        char lowered[LOWERED_MAX];

        lowered_of(n->config->audit, b->name, lowered);
        if (g->audit != (n->mode == NODE_AUDIT))
                node_say(n, "%s: loading it again, now to %s", b->name, n->mode == NODE_AUDIT ? "audit" : "enforce");
        else if (!streq(g->lowered, lowered))
                node_say(n, "%s: loading it again, %s%s", b->name, *lowered ? "now to audit: " : "with no policy lowered",
                         lowered);
        else
                return 0;
        return reload(n, b, err);
}

static int recover(struct node *n, struct bundle *b, struct err *err) {
        struct journal *j = &b->journal;
        int r = 0;

        if (j->removed)
                return swap_remove(n, b, err);
        if (n->mode == NODE_OFF) {
                if (b->kernel.gate_fd >= 0) {
                        gate_set(&b->kernel.gate, 0);
                        r = enforcement_remove(&b->kernel, err);
                        enforcement_close(&b->kernel);
                }
                return r;
        }
        if (b->kernel.gate_fd < 0 || !streq(j->boot_id, n->boot_id)) {
                r = after_reboot(n, b, err);
        } else {
                if (j->staged.present)
                        r = finish_or_undo(n, b, err);
                if (r >= 0 && j->confirmed.present && !confirmed_in_force(n, b))
                        r = adopt_gate(n, b, err);
                if (r >= 0 && j->confirmed.present)
                        r = modes_follow(n, b, err);
                if (r >= 0 && j->confirmed.present && !kernel_complete(n, b)) {
                        node_say(n, "%s: part of it is missing in the kernel: loading it again", b->name);
                        r = reload(n, b, err);
                }
        }
        if (r >= 0)
                retire(n, b);
        return r;
}

int swap_recover(struct node *n, struct err *err) {
        int first = bake_recover(n, err);

        /* Backwards: a bundle that is gone for good leaves the list. */
        for (size_t i = n->n_bundles; i-- > 0;) {
                struct err why = {0};
                char name[sizeof(n->bundles[i]->name)];
                int r;

                memcpy(name, n->bundles[i]->name, sizeof(name));
                r = recover(n, n->bundles[i], &why);
                if (r < 0) {
                        node_say(n, "%s: %s", name, why.msg);
                        if (first == 0) {
                                first = r;
                                if (err)
                                        *err = why;
                        }
                }
        }
        return first;
}
