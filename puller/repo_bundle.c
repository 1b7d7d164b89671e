/* SPDX-License-Identifier: Apache-2.0 */
/* One bundle of the repository: the facts, the decision, and what follows from it. */
#include <stdio.h>

#include "node_id.h"
#include "quarantine.h"
#include "repo_entry.h"
#include "repo_parts.h"
#include "swap.h"

/* What is known when it is decided. */
struct step {
        struct repo_cycle *c;
        const char *name;
        struct bundle *bundle; /* NULL: this node has never heard of it */
        struct repo_memory *memory;
        struct rollout *rollout;
        char node_id[129];
        struct quarantine quarantine;
        struct rollout_known known[2];
        struct repo_entry entries[2]; /* of `known`, in the same order */
        char shadow_hex[SHA256_HEX];
        struct rollout_facts facts;
        struct rollout_decision decision;
};

static void step_done(struct step *s) {
        rollout_free(s->rollout);
        quarantine_done(&s->quarantine);
}
#define cleanup_step cleanup(step_done)

/* ---- the facts --------------------------------------------------------------------------------------------------------- */

/* The ring's releases, as the metadata and this node know them. */
static int choices_look_up(struct step *s, struct err *err) {
        struct rollout_choice choices[2];
        size_t n = rollout_choices(s->rollout, s->c->n->config->ring, choices);

        for (size_t i = 0; i < n; i++) {
                struct rollout_known *k = &s->known[s->facts.n_known];
                struct repo_entry *e = &s->entries[s->facts.n_known];
                const struct quarantine_entry *q;
                uint64_t floor;
                int r = repo_entry_find(&s->c->papers, s->c->trust, choices[i].target, e, NULL, err);

                if (r >= 0)
                        r = rollout_choice_check(s->rollout, &choices[i], e->bundle, e->release, err);
                if (r < 0)
                        return r;
                q = quarantine_find(&s->quarantine, e->content_hex);
                *k = (struct rollout_known){.release = e->release,
                                            .content = e->content_hex,
                                            .seen_content = s->bundle ? journal_seen(&s->bundle->journal, e->release) : NULL,
                                            .quarantined = q ? q->reason : NULL};
                s->facts.n_known++;
                floor = repo_floor(&s->c->papers, s->c->trust, choices[i].target, s->name);
                if (floor > s->memory->floor)
                        s->memory->floor = floor;
        }
        return 0;
}

static void taken_set(struct repo_memory *m, const char *content_hex) {
        if (streq(m->taken, content_hex))
                return;
        memcpy(m->taken_before, m->taken, sizeof(m->taken_before));
        snprintf(m->taken, sizeof(m->taken), "%s", content_hex);
}

static int facts_collect(struct step *s, struct err *err) {
        struct repo_cycle *c = s->c;
        const struct journal_gen *g = s->bundle ? &s->bundle->journal.confirmed : NULL;
        struct tuf_document timestamp;
        int r = node_id_get(c->n->config, s->node_id, err);

        if (r >= 0)
                r = quarantine_load(c->n->state_fd, &s->quarantine, err);
        if (r < 0)
                return r;
        s->facts = (struct rollout_facts){
                .node_id = s->node_id, .ring = c->n->config->ring, .now = c->now, .clock = c->clock, .known = s->known};
        if (g && g->present && !s->bundle->journal.removed) {
                s->facts.in_force = true;
                s->facts.release = g->release;
                s->facts.content = g->content_hex;
        }
        r = choices_look_up(s, err);
        if (r < 0)
                return r;
        /* What the repository lists is the repository's, whoever brought it. */
        for (size_t i = 0; s->facts.in_force && i < s->facts.n_known; i++)
                if (streq(s->known[i].content, s->facts.content))
                        taken_set(s->memory, s->facts.content);
        s->facts.installed = s->facts.in_force && !streq(s->memory->taken, s->facts.content) &&
                             !streq(s->memory->taken_before, s->facts.content);
        if (s->bundle)
                repo_shadow_look(s->c->n, s->bundle, &s->facts, s->shadow_hex);
        s->facts.floor = s->memory->floor;
        if (tuf_trust_role(c->trust, "timestamp", &timestamp) >= 0)
                s->facts.issued = timestamp.common.issued;
        /* Last: it counts what was looked up. */
        s->facts.expired = !c->ignore_expiry && tuf_trust_any_expired(c->trust);
        return 0;
}

/* ---- what follows ------------------------------------------------------------------------------------------------------- */

static const struct repo_entry *entry_of(const struct step *s, const struct rollout_choice *choice) {
        for (size_t i = 0; i < s->facts.n_known; i++)
                if (s->known[i].release == choice->release)
                        return &s->entries[i];
        return NULL;
}

/* The papers that vouch for it: all metadata, but no other files. */
static int receipt_make(const struct step *s, const struct rollout_choice *choice, struct receipt *ret, struct err *err) {
        cleanup_receipt struct receipt receipt = {.accepted = now_seconds(), .source = strdup(s->c->source.url)};
        const struct papers *p = &s->c->papers;
        int r = receipt.source ? 0 : err_errno(err, -ENOMEM, "receipt");

        snprintf(receipt.target, sizeof(receipt.target), "%s", choice->target);
        for (size_t i = 0; r >= 0 && i < p->n; i++)
                if (p->list[i].kind == PAPER_METADATA)
                        r = papers_add_metadata(&receipt.papers, p->list[i].name, &p->list[i].s, err);
        if (r < 0)
                return r;
        *ret = receipt;
        receipt = (struct receipt){};
        return 0;
}

/* From the store, if it is there, else from the repository. By its content id, either way. */
static int release_get(struct step *s, const struct rollout_choice *choice, struct release *ret, struct err *err) {
        const struct repo_entry *e = entry_of(s, choice);
        cleanup_fetched struct fetched f = FETCHED_INIT;
        cleanup_buf struct buf file = {};
        struct repo_entry again;
        int r;

        if (!e)
                return err_set(err, -ENOENT, REASON_UNKNOWN_TARGET, "'%s'", choice->target);
        if (store_get(s->c->n->state_fd, e->content_hex, ret, NULL, NULL) == 0)
                return 0;
        r = repo_entry_find(&s->c->papers, s->c->trust, choice->target, &again, &file, err);
        if (r >= 0)
                r = repo_fetch_release(s->c->n, &s->c->source, file.data, e->content, &f, err);
        if (r >= 0)
                r = rollout_choice_check(s->rollout, choice, f.release.manifest->name, f.release.manifest->release, err);
        if (r < 0)
                return err_wrap(err, r, "release %llu of '%s'", (unsigned long long)choice->release, s->name);
        *ret = f.release;
        f.release = RELEASE_INIT;
        return 0;
}

static int bundle_have(struct step *s, struct err *err) {
        return s->bundle ? 0 : node_bundle_add(s->c->n, s->name, &s->bundle, err);
}

static void shadow_end(struct step *s) {
        if (s->bundle && s->facts.shadow.active)
                repo_shadow_end(s->c->n, s->bundle);
}

static void taken_restore(struct step *s, const struct repo_memory *before) {
        memcpy(s->memory->taken, before->taken, sizeof(before->taken));
        memcpy(s->memory->taken_before, before->taken_before, sizeof(before->taken_before));
}

/* Also when that could not be written down. */
static bool is_confirmed(const struct step *s, const char *content_hex) {
        const struct bundle *b = node_bundle(s->c->n, s->name);

        return b && b->journal.confirmed.present && streq(b->journal.confirmed.content_hex, content_hex);
}

static int take(struct step *s, bool *ret_changed, struct err *err) {
        cleanup_receipt struct receipt receipt = {};
        cleanup_release struct release rel = RELEASE_INIT;
        const struct repo_memory before = *s->memory;
        struct swap_result result = {};
        int r;

        node_say(s->c->n, "%s: %s", s->name, s->decision.sentence);
        r = receipt_make(s, &s->decision.choice, &receipt, err);
        if (r >= 0)
                r = release_get(s, &s->decision.choice, &rel, err);
        if (r < 0)
                return r;
        /* Durable before it is done: if the power goes, the floor still holds, and the release does not pass for one that the
         * operator installed. */
        taken_set(s->memory, rel.manifest->content_hex);
        r = repo_record_save(s->c->n->state_fd, &s->c->record, err);
        if (r < 0) {
                taken_restore(s, &before);
                return r;
        }
        /* A shadow ends when it is enforced; should that fail for now, what it has shown still counts. */
        r = swap_apply(s->c->n, &rel, &receipt, false, &result, err);
        if (r < 0 && !is_confirmed(s, rel.manifest->content_hex))
                taken_restore(s, &before);
        *ret_changed = r >= 0 && !result.unchanged;
        return r;
}

/* A release that fails in its shadow has never denied anything. */
static int fail(struct step *s, const struct rollout_choice *choice, const char *why, struct err *err) {
        const struct repo_entry *e = entry_of(s, choice);
        int r = e ? quarantine_add(s->c->n->state_fd, s->name, e->content_hex, e->release, reason_word(REASON_BAKE_FAILED), why,
                                   err)
                  : 0;

        shadow_end(s);
        return r < 0 ? r : err_set(err, -EPERM, REASON_BAKE_FAILED, "%s", why);
}

/* In the shadow of what is in force. *ret_done: it has been there long enough. */
static int bake(struct step *s, bool *ret_done, struct err *err) {
        const struct rollout_ring *ring = rollout_ring(s->rollout, s->c->n->config->ring);
        cleanup_receipt struct receipt receipt = {};
        cleanup_release struct release rel = RELEASE_INIT;
        struct err why = {};
        int r = bundle_have(s, err);

        if (r >= 0)
                r = receipt_make(s, &s->decision.choice, &receipt, err);
        if (r >= 0)
                r = release_get(s, &s->decision.choice, &rel, err);
        if (r >= 0)
                r = repo_shadow_step(s->c->n, s->bundle, &rel, &receipt, ring, ret_done, &why);
        if (r < 0) {
                if (why.msg[0])
                        *err = why;
                return r;
        }
        if (why.reason != REASON_BAKE_FAILED)
                return 0;
        s->facts.shadow.active = true;
        return fail(s, &s->decision.choice, why.msg, err);
}

static int act(struct step *s, bool *ret_changed, struct err *err) {
        bool done = false;
        int r;

        switch (s->decision.action) {
        case ROLLOUT_TAKE:
                return take(s, ret_changed, err);
        case ROLLOUT_BAKE:
                r = bake(s, &done, err);
                return r >= 0 && done && s->decision.why == ROLLOUT_BAKING ? take(s, ret_changed, err) : r;
        case ROLLOUT_FAIL:
                return fail(s, &s->decision.choice, s->decision.sentence, err);
        case ROLLOUT_KEEP:
                shadow_end(s);
                /* What is refused is told where refusals are; the rest is as it should be. */
                return s->decision.why == ROLLOUT_REFUSED
                               ? err_set(err, -EPERM, s->decision.reason, "%s: %s", s->name, s->decision.sentence)
                               : 0;
        }
        return 0;
}

/* ---- the step ----------------------------------------------------------------------------------------------------------- */

static void remember(struct step *s, const struct err *failure) {
        struct repo_memory *m = s->memory;
        const struct rollout_decision *d = &s->decision;

        snprintf(m->why, sizeof(m->why), "%s", failure ? "refused" : rollout_why_word(d->why));
        snprintf(m->reason, sizeof(m->reason), "%s", failure ? reason_word(failure->reason) : reason_word(d->reason));
        snprintf(m->sentence, sizeof(m->sentence), "%.*s", (int)sizeof(m->sentence) - 1, failure ? failure->msg : d->sentence);
        m->release = d->wanted;
        m->next = !failure && d->next_s > 0 ? s->c->now + d->next_s : 0;
}

static int rollout_load(struct step *s, struct err *err) {
        cleanup_buf struct buf path = {};
        const struct buf *doc;
        int r;

        if (buf_printf(&path, "rollouts/%s.json", s->name) < 0)
                return err_errno(err, -ENOMEM, "rollout");
        r = papers_file(&s->c->papers, s->c->trust, path.data, &doc, err);
        if (r == -ENOENT)
                return err_set(err, r, REASON_UNKNOWN_TARGET, "the repository has no rollout for bundle '%s'", s->name);
        return r < 0 ? r : rollout_parse(doc->data, doc->len, s->name, &s->rollout, err);
}

int repo_bundle_step(struct repo_cycle *c, const char *bundle, bool *ret_changed, struct repo_next *ret_next, struct err *err) {
        cleanup_step struct step s = {.c = c, .name = bundle, .bundle = node_bundle(c->n, bundle)};
        int r;

        s.memory = repo_memory_of(&c->record, bundle);
        if (!s.memory)
                return err_errno(err, -ENOMEM, "%s", bundle);
        if (s.memory->removed && !s.bundle) {
                snprintf(s.decision.sentence, sizeof(s.decision.sentence),
                         "removed by the operator: `lsmpull retry %s` takes it again", bundle);
                s.decision.why = ROLLOUT_HELD;
                remember(&s, NULL);
                return 0;
        }
        s.memory->removed = false; /* installed since */
        r = rollout_load(&s, err);
        if (r >= 0)
                r = facts_collect(&s, err);
        if (r < 0) {
                remember(&s, err);
                return r;
        }
        rollout_decide(s.rollout, &s.facts, &s.decision);
        remember(&s, NULL);
        *ret_next = (struct repo_next){.seconds = s.decision.next_s, .own = s.decision.why == ROLLOUT_BAKING};
        r = act(&s, ret_changed, err);
        if (r < 0 && s.decision.action != ROLLOUT_KEEP && r != -ECANCELED)
                remember(&s, err);
        return r;
}
