/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <fcntl.h>

#include "fileio.h"

#define METRICS_MAX (4u << 20)

void metrics_count_refusal(struct metrics_counts *c, enum reason reason) {
        if (reason > REASON_NONE && reason < REASON_COUNT)
                c->refused[reason]++;
}

void metrics_count_poll(struct metrics_counts *c, bool failed, enum reason reason) {
        if (failed)
                c->polls_failed++;
        else
                c->polls_ok++;
        metrics_count_refusal(c, reason);
}

void metrics_done(struct metrics *m) {
        for (size_t i = 0; i < m->n_bundles; i++) {
                free(m->bundles[i].policies);
                free(m->bundles[i].modes);
                free(m->bundles[i].maps);
        }
        free(m->bundles);
        free(m->hooks);
        free(m->roles);
        free(m->quarantine);
        free(m->sinks);
        json_decref(m->status);
        *m = (struct metrics){0};
}

/* ---- from status ---------------------------------------------------------------------------------------------------- */

static const char *text(const json_t *j, const char *key) {
        const char *s = json_string_value(json_object_get(j, key));

        return s ? s : "";
}

/* NULL: not there. */
static const char *text_or_null(const json_t *j, const char *key) {
        return json_string_value(json_object_get(j, key));
}

static uint64_t number(const json_t *j, const char *key) {
        json_int_t v = json_integer_value(json_object_get(j, key));

        return v > 0 ? (uint64_t)v : 0;
}

static void mode_add(const json_t *j, struct metrics_bundle *b) {
        const char *mode = text(j, "mode");

        /* The words of a plain policy's explain themselves. */
        b->modes[b->n_modes++] = (struct metrics_mode){
                .policy = text(j, "name"), .is = streq(mode, "audit") ? "audit" : "enforce", .is_signed = text(j, "signed_mode")};
}

/* Of the engine of rules, those that are written as such. */
static int modes_read(const json_t *list, struct metrics_bundle *b) {
        const json_t *policy, *written;
        size_t i, k, n = 0;

        json_array_foreach(list, i, policy) n += 1 + json_array_size(json_object_get(policy, "written"));
        b->modes = new_array(n, sizeof(*b->modes));
        if (!b->modes)
                return -ENOMEM;
        json_array_foreach(list, i, policy) {
                const json_t *engine = json_object_get(policy, "written");

                json_array_foreach(engine, k, written) mode_add(written, b);
                if (json_array_size(engine) == 0)
                        mode_add(policy, b);
        }
        return 0;
}

static int policies_read(const json_t *list, struct metrics_bundle *b) {
        int r = modes_read(list, b);
        const json_t *j;
        size_t i;

        if (r < 0)
                return r;

        b->policies = new_array(json_array_size(list), sizeof(*b->policies));
        if (!b->policies)
                return -ENOMEM;
        json_array_foreach(list, i, j) {
                b->policies[b->n_policies++] = (struct metrics_policy){.name = text(j, "name"),
                                                                       .denied = number(j, "denied"),
                                                                       .would_deny = number(j, "would_deny"),
                                                                       .undecided = number(j, "errors"),
                                                                       .events_dropped = number(j, "events_lost"),
                                                                       .events_folded = number(j, "events_folded")};
        }
        return 0;
}

static void rollout_read(const json_t *j, struct metrics_bundle *b) {
        const json_t *bake = json_object_get(j, "bake");

        b->rollout.ring = text_or_null(j, "ring");
        b->rollout.why = text_or_null(j, "why");
        b->rollout.release = number(j, "release");
        b->rollout.baking = json_is_object(bake);
        b->rollout.bake_release = number(bake, "release");
        b->rollout.bake_seconds = number(bake, "seconds");
        b->rollout.bake_for = number(bake, "for");
        b->rollout.bake_would_deny = number(bake, "would_deny");
        b->rollout.bake_allow = number(bake, "allow");
}

static int bundle_take(const json_t *j, struct metrics_bundle *b) {
        const json_t *in_force = json_object_get(j, "in_force"), *gate = json_object_get(j, "gate");

        *b = (struct metrics_bundle){.name = text(j, "name"),
                                     .state = text(j, "state"),
                                     .version = text_or_null(in_force, "version"),
                                     .content = text_or_null(in_force, "content"),
                                     .release = number(in_force, "release"),
                                     .since = number(in_force, "since"),
                                     .staged = number(json_object_get(j, "staged"), "release"),
                                     .misses = number(gate, "misses"),
                                     .expiries = number(gate, "expiries"),
                                     .missing_hooks = json_array_size(json_object_get(j, "missing_hooks"))};
        rollout_read(json_object_get(j, "rollout"), b);
        return policies_read(json_object_get(j, "policies"), b);
}

static void quarantine_count(struct metrics *m, const char *bundle, const char *reason) {
        struct metrics_quarantine *q;

        for (size_t i = 0; i < m->n_quarantine; i++) {
                q = &m->quarantine[i];
                if (streq(q->bundle, bundle) && streq(q->reason, reason)) {
                        q->releases++;
                        return;
                }
        }
        m->quarantine[m->n_quarantine++] = (struct metrics_quarantine){bundle, reason, 1};
}

static int quarantine_read(const json_t *list, struct metrics *m) {
        const json_t *j;
        size_t i;

        m->quarantine = new_array(json_array_size(list), sizeof(*m->quarantine));
        if (!m->quarantine)
                return -ENOMEM;
        json_array_foreach(list, i, j) {
                if (json_is_true(json_object_get(j, "holds_here")))
                        quarantine_count(m, text(j, "bundle"), text(j, "reason"));
        }
        return 0;
}

static int sinks_read(const json_t *list, struct metrics *m) {
        const json_t *j;
        size_t i;

        m->sinks = new_array(json_array_size(list), sizeof(*m->sinks));
        if (!m->sinks)
                return -ENOMEM;
        json_array_foreach(list, i, j) {
                m->sinks[m->n_sinks++] = (struct metrics_sink){.name = text(j, "name"),
                                                               .written = number(j, "written"),
                                                               .dropped = number(j, "dropped"),
                                                               .retried = number(j, "retried"),
                                                               .failing = *text(j, "error") != '\0',
                                                               .network = json_object_get(j, "waiting") != NULL,
                                                               .refused = number(j, "refused"),
                                                               .waiting = number(j, "waiting")};
        }
        return 0;
}

static int roles_read(const json_t *list, struct metrics *m) {
        const json_t *j;
        size_t i;

        m->roles = new_array(json_array_size(list), sizeof(*m->roles));
        if (!m->roles)
                return -ENOMEM;
        json_array_foreach(list, i, j) {
                m->roles[m->n_roles++] = (struct metrics_role){text(j, "role"), number(j, "expires")};
        }
        return 0;
}

int metrics_read(json_t *status, const struct metrics_counts *counts, struct metrics *ret, struct err *err) {
        const json_t *source = json_object_get(status, "source"), *bundles = json_object_get(status, "bundles"), *j;
        cleanup_metrics struct metrics m = {.status = status,
                                            .version = text(status, "version"),
                                            .kernel = text(status, "kernel"),
                                            .mode = text(status, "mode"),
                                            .time = number(status, "time"),
                                            .paused = json_is_true(json_object_get(status, "paused")),
                                            .has_source = json_is_object(source),
                                            .stale = json_is_true(json_object_get(source, "stale")),
                                            .last_success = number(source, "last_success"),
                                            .failures = number(source, "failures"),
                                            .counts = *counts};
        size_t i;
        int r;

        m.bundles = new_array(json_array_size(bundles), sizeof(*m.bundles));
        r = m.bundles ? quarantine_read(json_object_get(status, "quarantine"), &m) : -ENOMEM;
        if (r >= 0)
                r = sinks_read(json_object_get(status, "sinks"), &m);
        if (r >= 0)
                r = roles_read(json_object_get(source, "metadata"), &m);
        json_array_foreach(bundles, i, j) {
                if (r >= 0)
                        r = bundle_take(j, &m.bundles[m.n_bundles++]);
        }
        if (r < 0)
                return err_errno(err, r, "metrics");
        *ret = m;
        m = (struct metrics){0};
        return 0;
}

/* ---- the file ------------------------------------------------------------------------------------------------------- */

int metrics_write(struct node *n, json_t *status, const struct metrics_counts *counts, struct err *err) {
        cleanup_metrics struct metrics m = {0};
        cleanup_buf struct buf out = {0};
        int r;

        if (!n->config->metrics_file) {
                json_decref(status);
                return 0;
        }
        r = metrics_read(status, counts, &m, err);
        if (r < 0)
                return r;
        metrics_look(&m, n);
        r = metrics_format(&m, &out);
        if (r >= 0 && out.len > METRICS_MAX)
                r = -EFBIG;
        if (r < 0)
                return err_errno(err, r, "metrics");
        return file_replace(AT_FDCWD, n->config->metrics_file, 0644, out.data, out.len, err);
}
