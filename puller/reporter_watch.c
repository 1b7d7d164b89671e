/* SPDX-License-Identifier: Apache-2.0 */
/* What has become of generations, from one look at the journals to the next. */
#include <stdio.h>

#include "reporter.h"
#include "text.h"

struct reporter_told {
        char bundle[64];
        struct journal_gen confirmed, staged;
        char bake_hex[SHA256_HEX]; /* what bakes; "": nothing */
        bool pending, there;
};

void reporter_watch_done(struct reporter_watch *w) {
        free(w->list);
        *w = (struct reporter_watch){0};
}

static struct reporter_told *told_of(struct reporter_watch *w, const char *bundle) {
        struct reporter_told *more;

        for (size_t i = 0; i < w->n; i++)
                if (streq(w->list[i].bundle, bundle))
                        return &w->list[i];
        more = reallocarray(w->list, w->n + 1, sizeof(*more));
        if (!more)
                return NULL;
        w->list = more;
        more[w->n] = (struct reporter_told){0};
        snprintf(more[w->n].bundle, sizeof(more->bundle), "%s", bundle);
        return &more[w->n++];
}

static bool same(const struct journal_gen *a, const struct journal_gen *b) {
        return a->present == b->present && (!a->present || streq(a->content_hex, b->content_hex));
}

static void note(struct child *c, const char *bundle, const struct journal_gen *gen, const char *state,
                 const struct journal *why) {
        struct event_note n = {.release = gen->release};

        if (c->pid <= 0)
                return;
        snprintf(n.state, sizeof(n.state), "%s", state);
        snprintf(n.bundle, sizeof(n.bundle), "%s", bundle);
        text_clean(n.version, sizeof(n.version), gen->version);
        if (why) {
                snprintf(n.reason, sizeof(n.reason), "%s", why->left_reason);
                text_clean(n.message, sizeof(n.message), why->left_message);
        }
        reporter_note(c, &n);
}

/* true: there are new names. */
static bool compare_bake(struct reporter_told *t, const struct bake_record *b) {
        bool names = b->present && !streq(b->content_hex, t->bake_hex);

        memcpy(t->bake_hex, b->present ? b->content_hex : "", b->present ? sizeof(t->bake_hex) : 1);
        return names;
}

/* true: there are new names. */
static bool compare(struct reporter_told *t, const struct journal *j, struct child *c) {
        bool pending = j->staged.present && j->step >= STEP_FLIPPING;
        bool names = (j->staged.present && !same(&j->staged, &t->staged)) ||
                     (j->confirmed.present && !same(&j->confirmed, &t->confirmed));

        if (t->staged.present && !j->staged.present && !same(&t->staged, &j->confirmed))
                note(c, j->bundle, &t->staged, t->pending ? "rolled-back" : "failed", j);
        if (j->confirmed.present && !same(&t->confirmed, &j->confirmed)) {
                if (t->confirmed.present && streq(j->left_content, t->confirmed.content_hex))
                        note(c, j->bundle, &t->confirmed, "rolled-back", j);
                note(c, j->bundle, &j->confirmed, "confirmed", NULL);
        }
        if (pending && !(t->pending && same(&t->staged, &j->staged)))
                note(c, j->bundle, &j->staged, "pending", NULL);
        t->confirmed = j->confirmed;
        t->staged = j->staged;
        t->pending = pending;
        return names;
}

void reporter_watch(struct reporter_watch *w, struct child *c, const struct node *n) {
        struct child nobody = CHILD_INIT;
        bool names = false;

        for (size_t i = 0; i < w->n; i++)
                w->list[i].there = false;
        for (size_t i = 0; i < n->n_bundles; i++) {
                struct reporter_told *t = told_of(w, n->bundles[i]->name);

                if (!t)
                        continue;
                t->there = true;
                names |= compare(t, &n->bundles[i]->journal, w->looked ? c : &nobody);
                names |= compare_bake(t, &n->bundles[i]->bake);
        }
        for (size_t i = 0; i < w->n;) {
                struct reporter_told *t = &w->list[i];

                if (t->there) {
                        i++;
                        continue;
                }
                if (t->confirmed.present)
                        note(c, t->bundle, &t->confirmed, "removed", NULL);
                *t = w->list[--w->n];
        }
        if (names && c->pid > 0)
                reporter_names(c, n);
        w->looked = true;
}
