/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What metadata may not go back behind when the metadata kept here is lost or damaged: each release that came from the repository
 * is stored with the metadata that vouched for it.
 */
#include "repo_parts.h"
#include "store.h"

/* How far it had come: a newer root may begin timestamps anew. */
struct progress {
        long long root, timestamp;
};

static bool is_further(const struct progress *a, const struct progress *b) {
        return a->root != b->root ? a->root > b->root : a->timestamp > b->timestamp;
}

/* false: not from today's anchor, or it does not hold. */
static bool papers_progress(struct papers *p, const struct tuf_signed *anchor, struct progress *ret) {
        const struct tuf_trust_options options = {.ignore_expiry = true};
        cleanup_tuf_trust struct tuf_trust *trust = NULL;
        struct tuf_document root, timestamp;

        if (papers_verify(p, anchor, NULL, &options, &trust, NULL) < 0 || tuf_trust_role(trust, "root", &root) < 0 ||
            tuf_trust_role(trust, "timestamp", &timestamp) < 0)
                return false;
        *ret = (struct progress){root.common.version, timestamp.common.version};
        return true;
}

void repo_bound_find(struct repo_cycle *c) {
        struct progress best = {0};

        for (size_t i = 0; i < c->n->n_bundles; i++) {
                const struct journal *j = &c->n->bundles[i]->journal;
                const struct journal_gen *const kept[] = {&j->confirmed, &j->previous, &j->staged};

                for (size_t k = 0; k < ARRAY_SIZE(kept); k++) {
                        cleanup_receipt struct receipt receipt = {0};
                        cleanup_release struct release rel = RELEASE_INIT;
                        struct progress found;

                        if (!kept[k]->present || store_get(c->n->state_fd, kept[k]->content_hex, &rel, &receipt, NULL) < 0 ||
                            !papers_progress(&receipt.papers, &c->anchor_signed, &found) || !is_further(&found, &best))
                                continue;
                        best = found;
                        papers_done(&c->bound);
                        c->bound = receipt.papers;
                        receipt.papers = (struct papers){0};
                }
        }
}
