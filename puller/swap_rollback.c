/* SPDX-License-Identifier: Apache-2.0 */
#include "bake.h"
#include "swap_parts.h"

/* Why, where it survives, without a system call that a policy could deny. */
static void page_record(struct node *n, const struct bundle *b, const struct journal_gen *left) {
        rollback_page_write(n->page, b->name, left->content_hex, left->release, reason_word(REASON_OPERATOR),
                            "rolled back by the operator");
}

int swap_rollback(struct node *n, struct bundle *b, struct err *err) {
        const struct journal_gen left = b->journal.staged.present ? b->journal.staged : b->journal.confirmed;
        struct journal *j = &b->journal;
        struct err why = {.reason = REASON_OPERATOR, .msg = "rolled back by the operator"};
        uint64_t word;
        int r;

        if (b->kernel.gate_fd < 0)
                return err_set(err, -ENOENT, REASON_NONE, "bundle '%s' is not enforced: there is nothing to roll back", b->name);
        word = gate_word(&b->kernel.gate);
        if (gate_pending(word)) {
                gate_set(&b->kernel.gate, LSM_GATE_FALLBACK(word));
        } else {
                if (!j->previous.present)
                        return err_set(err, -ENOENT, REASON_NONE, "bundle '%s' has no previous release to go back to", b->name);
                gate_set(&b->kernel.gate, j->previous.slot);
                j->confirmed = j->previous;
                j->previous = (struct journal_gen){0};
        }
        page_record(n, b, &left);
        r = record_left(n, b, &left, &why);
        if (r < 0)
                return err_set(err, r, REASON_NONE, "rolled back, but that could not be recorded");
        retire(n, b);
        return 0;
}

int swap_remove(struct node *n, struct bundle *b, struct err *err) {
        int r;

        /* The journal first: a crash in between must not bring back, at the next start, what was to be removed. */
        b->journal.removed = true;
        r = journal_save(n->state_fd, &b->journal, err);
        if (r < 0)
                return r;
        if (b->kernel.gate_fd >= 0)
                gate_set(&b->kernel.gate, 0);
        r = bake_end(n, b, err);
        if (r >= 0 && b->kernel.gate_fd >= 0) {
                r = enforcement_remove(&b->kernel, err);
                enforcement_close(&b->kernel);
        }
        if (r >= 0)
                r = journal_delete(n->state_fd, b->name, err);
        if (r < 0)
                return r;
        b->journal.confirmed.present = b->journal.previous.present = b->journal.staged.present = false;
        retire(n, b);
        node_bundle_drop(n, b);
        return 0;
}
