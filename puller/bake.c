/* SPDX-License-Identifier: Apache-2.0 */
#include "bake.h"

#include <stdio.h>

#include "shadow.h"

uint64_t bake_clock(void) {
        return (uint64_t)(monotonic_ns() / 1000000000);
}

/* What is in force, with which a shadow is compared; "": nothing. */
static const char *base_of(const struct bundle *b) {
        return b->kernel.gate_fd >= 0 && b->journal.confirmed.present ? b->journal.confirmed.content_hex : "";
}

static void scene_look(const struct node *n, const struct bundle *b, const char *content_hex, uint64_t now,
                       char shadow_hex[static SHA256_HEX], struct bake_scene *ret) {
        *ret = (struct bake_scene){
                .record = &b->bake,
                .boot_id = n->boot_id,
                .base_hex = base_of(b),
                .content_hex = content_hex,
                .shadow_hex = shadow_hex,
                .now = now,
        };
        *shadow_hex = '\0';
        /* A shadow whose counters cannot be read is none. */
        if (shadow_running(n, b, shadow_hex) && shadow_count(n, b, &ret->would_deny, NULL) < 0)
                *shadow_hex = '\0';
}

void bake_look(const struct node *n, const struct bundle *b, uint64_t now, struct bake_facts *ret) {
        const struct bake_terms terms = {.for_s = b->bake.for_s, .allow = b->bake.allow};
        char shadow_hex[SHA256_HEX];
        struct bake_scene scene;

        *ret = (struct bake_facts){.state = BAKE_STATE_NONE};
        if (!b->bake.present)
                return;
        scene_look(n, b, b->bake.content_hex, now, shadow_hex, &scene);
        if (bake_decide(&scene, &terms, ret) == BAKE_STATE_NONE)
                *ret = (struct bake_facts){.state = BAKE_STATE_NONE};
}

static int forget(struct node *n, struct bundle *b, struct err *err) {
        b->bake = (struct bake_record){0};
        return bake_record_delete(n->state_fd, b->name, err);
}

int bake_end(struct node *n, struct bundle *b, struct err *err) {
        int r = shadow_stop(n, b->name, err);

        /* The record last: as long as anything is in the kernel, it is known why. */
        return r < 0 ? r : forget(n, b, err);
}

/* ---- a step ------------------------------------------------------------------------------------------------------------ */

static int record_put(struct node *n, struct bundle *b, const struct bake_record *record, struct err *err) {
        b->bake = *record;
        return bake_record_save(n->state_fd, b->name, record, err);
}

static int begin(struct node *n, struct bundle *b, const struct release *rel, const struct receipt *receipt,
                 const struct bake_terms *terms, struct err *err) {
        const struct manifest *m = rel->manifest;
        struct bake_record record = {.present = true,
                                     .step = BAKE_STARTING,
                                     .release = m->release,
                                     .started = now_seconds(),
                                     .for_s = terms->for_s,
                                     .allow = terms->allow};
        int r;

        memcpy(record.content_hex, m->content_hex, sizeof(record.content_hex));
        memcpy(record.boot_id, n->boot_id, sizeof(record.boot_id));
        snprintf(record.version, sizeof(record.version), "%s", m->version);
        snprintf(record.base_hex, sizeof(record.base_hex), "%s", base_of(b));
        r = bake_end(n, b, err);
        /* Kept in the store, which knows the names that its events need. */
        if (r >= 0)
                r = store_put(n->state_fd, rel, receipt, err);
        if (r >= 0)
                r = record_put(n, b, &record, err);
        if (r >= 0)
                r = shadow_start(n, b, rel, err);
        if (r >= 0) {
                record.step = BAKE_RUNNING;
                record.started = now_seconds();
                record.started_clock = bake_clock();
                r = record_put(n, b, &record, err);
        }
        if (r < 0) {
                bake_end(n, b, NULL);
                return r;
        }
        node_say(n, "%s: release %llu in the shadow, for %llu s", b->name, (unsigned long long)m->release,
                 (unsigned long long)terms->for_s);
        return 0;
}

/* First what has become of it, then the shadow's end: whoever starts in between takes the shadow away. */
static int finish(struct node *n, struct bundle *b, const struct bake_facts *facts, struct err *err) {
        struct bake_record record = b->bake;
        bool done = facts->state == BAKE_STATE_DONE;
        int r;

        if (record.step == BAKE_RUNNING)
                node_say(n, "%s: release %llu was in the shadow for %llu s and would have denied %llu calls: %s", b->name,
                         (unsigned long long)record.release, (unsigned long long)facts->seconds,
                         (unsigned long long)facts->would_deny, done ? "good" : "too many");
        record.step = done ? BAKE_DONE : BAKE_FAILED;
        record.seconds = facts->seconds;
        record.would_deny = facts->would_deny;
        r = record_put(n, b, &record, err);
        return r < 0 ? r : shadow_stop(n, b->name, err);
}

static int terms_update(struct node *n, struct bundle *b, const struct bake_terms *terms, struct err *err) {
        struct bake_record record = b->bake;

        if (record.for_s == terms->for_s && record.allow == terms->allow)
                return 0;
        record.for_s = terms->for_s;
        record.allow = terms->allow;
        return record_put(n, b, &record, err);
}

int bake_step(struct node *n, struct bundle *b, const struct release *rel, const struct receipt *receipt,
              const struct bake_terms *terms, uint64_t now, struct bake_facts *ret, struct err *err) {
        const struct manifest *m = rel->manifest;
        char shadow_hex[SHA256_HEX];
        struct bake_scene scene;
        int r = 0;

        if (n->mode == NODE_OFF)
                return err_set(err, -EPERM, REASON_PAUSED, "enforcement is switched off (%s)", n->mode_source);
        if (n->mode == NODE_AUDIT) {
                *ret = (struct bake_facts){.state = BAKE_STATE_DONE, .release = m->release};
                memcpy(ret->content_hex, m->content_hex, sizeof(ret->content_hex));
                return bake_end(n, b, err);
        }
        scene_look(n, b, m->content_hex, now, shadow_hex, &scene);
        if (bake_decide(&scene, terms, ret) == BAKE_STATE_NONE) {
                r = begin(n, b, rel, receipt, terms, err);
                if (r < 0)
                        return r;
                scene_look(n, b, m->content_hex, bake_clock(), shadow_hex, &scene);
                if (bake_decide(&scene, terms, ret) == BAKE_STATE_NONE) {
                        bake_end(n, b, NULL);
                        return err_set(err, -EIO, REASON_NONE, "the shadow of '%s' has gone as soon as it was there", b->name);
                }
        }
        r = terms_update(n, b, terms, err);
        if (r >= 0 && ret->state != BAKE_STATE_BAKING)
                r = finish(n, b, ret, err);
        if (r >= 0 && ret->state == BAKE_STATE_FAILED)
                err_set(err, 0, REASON_BAKE_FAILED,
                        "release %llu of '%s' would have denied %llu calls in %llu s that the release in force allowed, and "
                        "%llu are allowed for",
                        (unsigned long long)m->release, b->name, (unsigned long long)ret->would_deny,
                        (unsigned long long)ret->seconds, (unsigned long long)terms->allow);
        return r;
}

/* ---- at start ---------------------------------------------------------------------------------------------------------- */

static int recover(struct node *n, struct bundle *b, struct err *err) {
        const struct bake_record *record = &b->bake;
        bool known = record->present && streq(record->boot_id, n->boot_id), shadow = shadow_exists(n, b->name);
        char running[SHA256_HEX];
        int r = 0;

        if (b->kernel.gate_fd >= 0)
                r = enforcement_settle(&b->kernel, err);
        if (r < 0)
                return r;
        if (n->mode != NODE_ENFORCE || b->journal.removed)
                return bake_end(n, b, err);
        if (known && (record->step == BAKE_DONE || record->step == BAKE_FAILED))
                return shadow ? shadow_stop(n, b->name, err) : 0;
        if (known && record->step == BAKE_RUNNING && shadow_running(n, b, running) && streq(running, record->content_hex))
                return 0;
        if (shadow || record->present)
                node_say(n, "%s: a bake was interrupted: it will begin anew", b->name);
        return bake_end(n, b, err);
}

/* Shadows of bundles of which nothing else is known: the record was never written, or is lost. */
static int strays_remove(struct node *n, struct err *err) {
        char path[PATH_MAX], **names;
        size_t count;
        int r;

        r = pin_path(path, "%s/bundle", n->agent.dir);
        if (r >= 0)
                r = pin_list(path, &names, &count, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < count; i++)
                if (!node_bundle(n, names[i]) && shadow_exists(n, names[i])) {
                        int r2 = shadow_stop(n, names[i], r < 0 ? NULL : err);

                        r = r < 0 ? r : r2;
                }
        strings_free(names, count);
        return r;
}

int bake_recover(struct node *n, struct err *err) {
        int first = strays_remove(n, err);

        for (size_t i = 0; i < n->n_bundles; i++) {
                int r = recover(n, n->bundles[i], first < 0 ? NULL : err);

                first = first < 0 ? first : r;
        }
        return first;
}
