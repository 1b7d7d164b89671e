/* SPDX-License-Identifier: Apache-2.0 */
/* What remains of a swap: why a release is not in force, and what nobody needs any more. */
#include "quarantine.h"
#include "swap_parts.h"

#define ATTEMPTS_MAX 2

bool reason_is_passing(enum reason reason) {
        switch (reason) {
        case REASON_NONE: /* I/O, memory, a dead child */
        case REASON_BUSY:
        case REASON_PAUSED:
        case REASON_LOAD_FAILED:
        case REASON_NO_PROGRAM_SLOT:
                return true;
        default:
                return false;
        }
}

int record_confirmed(struct node *n, struct bundle *b, struct err *err) {
        struct journal *j = &b->journal;

        j->previous = j->confirmed.slot != 0 && !streq(j->confirmed.content_hex, j->staged.content_hex) ? j->confirmed
                                                                                                        : (struct journal_gen){0};
        j->confirmed = j->staged;
        j->confirmed.since = now_seconds();
        j->staged = (struct journal_gen){0};
        j->attempts = 0;
        j->removed = false;
        if (j->confirmed.release > j->highest_release)
                j->highest_release = j->confirmed.release;
        memset(j->left_reason, 0, sizeof(j->left_reason));
        memset(j->left_message, 0, sizeof(j->left_message));
        memset(j->left_content, 0, sizeof(j->left_content));
        j->left_release = 0;
        j->step = STEP_NONE;
        return journal_save(n->state_fd, j, err);
}

int record_left(struct node *n, struct bundle *b, const struct journal_gen *gen, const struct err *why) {
        struct journal *j = &b->journal;
        bool passing = reason_is_passing(why->reason);
        bool again = why->reason == REASON_NOT_CONFIRMED && j->attempts < ATTEMPTS_MAX;
        struct err err = {0};
        int r = 0, r2;

        /* The quarantine before the journal: a crash between the two must not lead to a third attempt. */
        if (gen->present && !passing && !again)
                r = quarantine_add(n->state_fd, b->name, gen->content_hex, gen->release, reason_word(why->reason), why->msg,
                                   &err);
        if (r < 0)
                node_say(n, "%s: %s", b->name, err.msg);
        snprintf(j->left_reason, sizeof(j->left_reason), "%s", why->reason ? reason_word(why->reason) : "failed");
        snprintf(j->left_message, sizeof(j->left_message), "%.*s", (int)sizeof(j->left_message) - 1, why->msg);
        if (gen->present) {
                memcpy(j->left_content, gen->content_hex, sizeof(j->left_content));
                j->left_release = gen->release;
        }
        /* What was not the release's fault has not used the attempt that was counted when it was staged. */
        if (passing && j->staged.present && j->attempts > 0)
                j->attempts--;
        j->staged = (struct journal_gen){0};
        j->step = STEP_NONE;
        r2 = journal_save(n->state_fd, j, &err);
        if (r2 < 0)
                node_say(n, "%s: %s", b->name, err.msg);
        else
                rollback_page_clear(n->page);
        return r < 0 ? r : r2;
}

int kept_plan(struct node *n, const char *content_hex, struct release *ret_release, struct plan *ret_plan, struct err *err) {
        struct receipt receipt = {0};
        int r = store_get(n->state_fd, content_hex, ret_release, &receipt, err);

        if (r < 0)
                return r;
        receipt_done(&receipt);
        r = plan_make(ret_release->manifest, ret_plan, err);
        if (r < 0)
                release_done(ret_release);
        return r;
}

/* Slots that neither the gate names nor a rollback needs give back their programs; then hooks that no slot uses are let go. */
static int retire_kernel(struct node *n, struct bundle *b, struct err *err) {
        const struct journal_gen *kept[] = {&b->journal.confirmed, &b->journal.previous};
        struct release releases[ARRAY_SIZE(kept)] = {0};
        struct plan plans[ARRAY_SIZE(kept)] = {0};
        const struct plan *used[ARRAY_SIZE(kept)];
        uint64_t word = gate_word(&b->kernel.gate);
        size_t n_used = 0;
        int r = 0;

        if (gate_pending(word))
                return 0;
        /* The journal is gone, the kernel enforces: what decides there is not to be taken for something that nobody needs. */
        if (!b->journal.confirmed.present && LSM_GATE_ACTIVE(word) != 0)
                return 0;
        for (uint32_t slot = 1; r >= 0 && slot < LSM_SLOTS; slot++)
                if (slot != LSM_GATE_ACTIVE(word) && !(b->journal.previous.present && slot == b->journal.previous.slot))
                        r = enforcement_clear(&b->kernel, slot, err);
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(kept); i++)
                if (kept[i]->present) {
                        r = kept_plan(n, kept[i]->content_hex, &releases[i], &plans[i], err);
                        if (r >= 0)
                                used[n_used++] = &plans[i];
                }
        if (r >= 0)
                r = enforcement_trim(&b->kernel, used, n_used, err);
        for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
                plan_done(&plans[i]);
                release_done(&releases[i]);
        }
        /* A first install that failed leaves nothing in the kernel. */
        if (r >= 0 && n_used == 0 && LSM_GATE_ACTIVE(word) == 0) {
                r = enforcement_remove(&b->kernel, err);
                enforcement_close(&b->kernel);
        }
        return r;
}

void retire(struct node *n, struct bundle *b) {
        cleanup_free const char **keep = new_array(4 * n->n_bundles, sizeof(*keep));
        struct err err = {0};
        size_t n_keep = 0;

        if (b->kernel.gate_fd >= 0 && retire_kernel(n, b, &err) < 0)
                node_say(n, "%s: cannot release what is no longer needed: %s", b->name, err.msg);
        guard_prune(&n->agent.guard);
        for (size_t i = 0; keep && i < n->n_bundles; i++) {
                const struct journal *j = &n->bundles[i]->journal;
                const struct journal_gen *gens[] = {&j->confirmed, &j->previous, &j->staged};

                for (size_t k = 0; k < ARRAY_SIZE(gens); k++)
                        if (gens[k]->present)
                                keep[n_keep++] = gens[k]->content_hex;
                if (n->bundles[i]->bake.present)
                        keep[n_keep++] = n->bundles[i]->bake.content_hex;
        }
        if (keep && store_collect(n->state_fd, keep, n_keep, &err) < 0)
                node_say(n, "cannot tidy the store: %s", err.msg);
}
