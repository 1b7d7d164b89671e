/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_rollout.h"

#include <stdio.h>

static void target_name(const char *bundle, char ret[static 128]) {
        snprintf(ret, 128, "rollouts/%s.json", bundle);
}

int repo_rollout_load(const struct repo *repo, const char *bundle, struct rollout **ret, struct err *err) {
        cleanup_buf struct buf text = {};
        const json_t *entry;
        char target[128];
        int e;

        target_name(bundle, target);
        entry = repo_target_entry(&repo->docs[ROLE_ROLLOUTS], target);
        if (!entry) {
                *ret = calloc(1, sizeof(**ret));
                if (!*ret)
                        return err_errno(err, -ENOMEM, "rollout");
                snprintf((*ret)->bundle, sizeof((*ret)->bundle), "%s", bundle);
                return 0;
        }
        e = repo_target_read(repo, target, entry, ROLLOUT_MAX, &text, err);
        if (e == 0)
                e = rollout_parse(text.data, text.len, bundle, ret, err);
        return e < 0 ? err_wrap(err, e, "%s", target) : 0;
}

/* "AFTER:PERCENT,...". That they grow is checked when the document is written. */
static int waves_read(const char *text, struct rollout_ring *ring, struct err *err) {
        ring->n_waves = 0;
        while (*text) {
                struct rollout_wave *w = &ring->waves[ring->n_waves];
                size_t n = strcspn(text, ":,");
                char after[32];
                char *end = NULL;
                unsigned long percent = 0;

                snprintf(after, sizeof(after), "%.*s", (int)n, text);
                if (text[n] == ':' && text[n + 1] >= '0' && text[n + 1] <= '9')
                        percent = strtoul(text + n + 1, &end, 10);
                if (!end || (*end && (*end != ',' || !end[1])) || percent > 100 || n >= sizeof(after) ||
                    rollout_duration_parse(after, &w->after_s) < 0)
                        return err_set(err, -EINVAL, REASON_USAGE, "waves: '%.64s' does not begin with AFTER:PERCENT, as 24h:25",
                                       text);
                w->percent = (unsigned)percent;
                if (++ring->n_waves == ROLLOUT_WAVES_MAX && *end)
                        return err_set(err, -EINVAL, REASON_USAGE, "more than %d waves", ROLLOUT_WAVES_MAX);
                text = *end ? end + 1 : end;
        }
        return 0;
}

static struct rollout_choice choice_of(const struct release *release) {
        struct rollout_choice choice = {.release = release->release};

        snprintf(choice.target, sizeof(choice.target), "%s", release->target);
        return choice;
}

static int ring_place(struct rollout *r, const char *name, struct rollout_ring **ret, struct err *err) {
        struct rollout_ring *rings;

        for (size_t i = 0; i < r->n_rings; i++)
                if (streq(r->rings[i].name, name)) {
                        *ret = &r->rings[i];
                        return 0;
                }
        rings = reallocarray(r->rings, r->n_rings + 1, sizeof(*rings));
        if (!rings)
                return err_errno(err, -ENOMEM, "ring");
        r->rings = rings;
        *ret = &rings[r->n_rings++];
        **ret = (struct rollout_ring){};
        snprintf((*ret)->name, sizeof((*ret)->name), "%s", name);
        return 0;
}

int repo_rollout_step(struct rollout *r, const struct rollout_step *step, int64_t now, struct err *err) {
        struct rollout_ring next = {.has_bake = step->bake_s > 0, .bake_s = step->bake_s, .bake_allow = step->bake_allow};
        struct rollout_ring *ring = NULL;
        bool same, known;
        int e = ring_place(r, step->ring, &ring, err);

        if (e < 0)
                return e;
        snprintf(next.name, sizeof(next.name), "%s", step->ring);
        next.choice = choice_of(step->release);
        known = ring->choice.release > 0;
        same = known && ring->choice.release == next.choice.release;
        if (step->waves) {
                e = waves_read(step->waves, &next, err);
                next.has_started = true;
                next.started = same && ring->has_started ? ring->started : now;
        }
        if (step->otherwise) {
                next.has_else = true;
                next.otherwise = choice_of(step->otherwise);
        } else if (step->waves && !step->no_else && known) {
                next.has_else = same ? ring->has_else : ring->choice.release >= step->floor;
                if (next.has_else)
                        next.otherwise = same ? ring->otherwise : ring->choice;
        }
        *ring = next;
        return e;
}

int repo_rollout_save(const struct repo *repo, struct repo_change *c, const struct rollout *r, struct err *err) {
        cleanup_buf struct buf text = {};
        cleanup_rollout struct rollout *check = NULL;
        struct repo_doc *doc;
        char target[128];
        int e = rollout_format(r, &text, err);

        /* Read as a node would. */
        if (e == 0)
                e = rollout_parse(text.data, text.len, r->bundle, &check, err);
        if (e == 0)
                e = repo_change_edit(repo, c, ROLE_ROLLOUTS, &doc, err);
        if (e < 0)
                return e;
        target_name(r->bundle, target);
        e = repo_change_target(c, ROLE_ROLLOUTS, target, &text, NULL, err);
        if (e < 0)
                return e;
        return json_equal(repo_target_entry(&repo->docs[ROLE_ROLLOUTS], target), repo_target_entry(doc, target));
}
