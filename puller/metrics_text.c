/* SPDX-License-Identifier: Apache-2.0 */
/* The text format of Prometheus (exposition format 0.0.4). */
#include <inttypes.h>

#include "metrics.h"
#include "rollout.h"
#include "text.h"

struct writer {
        struct buf *out;
        int r;
};

static void put(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct writer *w, const char *fmt, ...) {
        va_list ap;

        if (w->r < 0)
                return;
        va_start(ap, fmt);
        w->r = buf_vprintf(w->out, fmt, ap);
        va_end(ap);
}

static void family(struct writer *w, const char *name, const char *type, const char *help) {
        put(w, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: of what the format gives a meaning, of control characters and of what is not UTF-8, nothing is left. */
static void value(struct writer *w, const char *text) {
        bool utf8 = utf8_valid(text, strlen(text));

        for (const char *p = text; *p; p++) {
                unsigned char c = (unsigned char)*p;

                if (c == '"' || c == '\\')
                        put(w, "\\%c", c);
                else if (c == '\n')
                        put(w, "\\n");
                else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !utf8))
                        put(w, "?");
                else
                        put(w, "%c", c);
        }
}

/* labels: name, value, name, value, NULL. */
static void sample_v(struct writer *w, const char *name, uint64_t v, const char *const *labels) {
        put(w, "%s", name);
        for (size_t i = 0; labels[i]; i += 2) {
                put(w, "%s%s=\"", i ? "," : "{", labels[i]);
                value(w, labels[i + 1]);
                put(w, "\"");
        }
        put(w, "%s %" PRIu64 "\n", labels[0] ? "}" : "", v);
}
#define sample(w, name, v, ...) sample_v(w, name, v, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void single(struct writer *w, const char *name, const char *type, const char *help, uint64_t v) {
        family(w, name, type, help);
        sample(w, name, v);
}

/* One series for each state that there could be, 1 for the one that it is: so that a state that ended is seen to have. */
static void states(struct writer *w, const char *name, const char *label, const char *const *words, const char *is,
                   const char *bundle) {
        for (size_t i = 0; words[i]; i++) {
                if (bundle)
                        sample(w, name, streq(words[i], is), "bundle", bundle, label, words[i]);
                else
                        sample(w, name, streq(words[i], is), label, words[i]);
        }
}

/* Nanoseconds as seconds. */
static void duration(struct writer *w, const char *name, const char *bundle, const char *phase, int64_t ns) {
        if (ns <= 0)
                return;
        put(w, "%s{bundle=\"", name);
        value(w, bundle);
        put(w, "\",phase=\"%s\"} %lld.%09lld\n", phase, (long long)(ns / 1000000000), (long long)(ns % 1000000000));
}

/* ---- the node ------------------------------------------------------------------------------------------------------- */

static void node_put(struct writer *w, const struct metrics *m) {
        static const char *const modes[] = {"enforce", "audit", "off", NULL};

        family(w, "lsmpull_build_info", "gauge", "1; the agent's version and the kernel's release are labels.");
        sample(w, "lsmpull_build_info", 1, "kernel", m->kernel, "version", m->version);
        single(w, "lsmpull_written_timestamp_seconds", "gauge", "When this file was written, by the node's clock.", m->time);
        family(w, "lsmpull_mode", "gauge", "1 for what the node is asked for: enforce, audit or off.");
        states(w, "lsmpull_mode", "mode", modes, m->mode, NULL);
        single(w, "lsmpull_paused", "gauge", "1 while no new releases are taken.", m->paused);
}

static void source_put(struct writer *w, const struct metrics *m) {
        if (m->has_source) {
                single(w, "lsmpull_source_last_success_timestamp_seconds", "gauge",
                       "When the source was last reached and what it gave had held; 0 is never.", m->last_success);
                single(w, "lsmpull_source_stale", "gauge", "1 when that is more than three intervals ago.", m->stale);
                single(w, "lsmpull_source_failures", "gauge", "Polls that have failed in a row.", m->failures);
                family(w, "lsmpull_metadata_expires_timestamp_seconds", "gauge",
                       "When the repository's metadata that is trusted here expires, by role; nothing new is taken then.");
                for (size_t i = 0; i < m->n_roles; i++)
                        sample(w, "lsmpull_metadata_expires_timestamp_seconds", m->roles[i].expires, "role", m->roles[i].name);
        }
        family(w, "lsmpull_polls_total", "counter", "Polls since the agent started, by itself and by `lsmpull once`.");
        sample(w, "lsmpull_polls_total", m->counts.polls_ok, "result", "ok");
        sample(w, "lsmpull_polls_total", m->counts.polls_failed, "result", "failed");
        family(w, "lsmpull_refusals_total", "counter",
               "Releases and metadata that were refused or failed, by reason, since the agent started.");
        for (int i = REASON_NONE + 1; i < REASON_COUNT; i++)
                if (reason_exit_code(i) >= 3)
                        sample(w, "lsmpull_refusals_total", m->counts.refused[i], "reason", reason_word(i));
        family(w, "lsmpull_quarantined_releases", "gauge",
               "Releases that this node will not try again, with this kernel and agent.");
        for (size_t i = 0; i < m->n_quarantine; i++)
                sample(w, "lsmpull_quarantined_releases", m->quarantine[i].releases, "bundle", m->quarantine[i].bundle, "reason",
                       m->quarantine[i].reason);
}

/* ---- bundles -------------------------------------------------------------------------------------------------------- */

/* A figure of each bundle, or of each policy of each: a family of its own. */
struct figure {
        const char *name, *type, *help;
        size_t offset; /* of a uint64_t */
};

static uint64_t figure_of(const void *p, const struct figure *f) {
        uint64_t v;

        memcpy(&v, (const char *)p + f->offset, sizeof(v));
        return v;
}

static void bundle_figures_put(struct writer *w, const struct metrics *m, const struct figure *figures, size_t n,
                               bool (*has)(const struct metrics_bundle *)) {
        for (size_t k = 0; k < n; k++) {
                family(w, figures[k].name, figures[k].type, figures[k].help);
                for (size_t i = 0; i < m->n_bundles; i++)
                        if (!has || has(&m->bundles[i]))
                                sample(w, figures[k].name, figure_of(&m->bundles[i], &figures[k]), "bundle", m->bundles[i].name);
        }
}

static void policies_put(struct writer *w, const struct metrics *m) {
#define FIGURE(name, member, help) \
        { name, "counter", help, offsetof(struct metrics_policy, member) }
        static const struct figure figures[] = {
                FIGURE("lsmpull_denials_total", denied, "Denials since the release was loaded."),
                FIGURE("lsmpull_would_be_denials_total", would_deny, "What audit has let through, since the release was loaded."),
                FIGURE("lsmpull_undecided_total", undecided,
                       "Decisions without what was needed to decide, since the release was loaded."),
                FIGURE("lsmpull_events_dropped_total", events_dropped,
                       "Events that found the ring buffer full, since the release was loaded."),
                FIGURE("lsmpull_events_folded_total", events_folded,
                       "Denials that are in the count of another event, since the release was loaded."),
        };
#undef FIGURE

        for (size_t f = 0; f < ARRAY_SIZE(figures); f++) {
                family(w, figures[f].name, figures[f].type, figures[f].help);
                for (size_t i = 0; i < m->n_bundles; i++)
                        for (size_t k = 0; k < m->bundles[i].n_policies; k++)
                                sample(w, figures[f].name, figure_of(&m->bundles[i].policies[k], &figures[f]), "bundle",
                                       m->bundles[i].name, "policy", m->bundles[i].policies[k].name);
        }
}

static void modes_put(struct writer *w, const struct metrics *m) {
        family(w, "lsmpull_policy_mode", "gauge", "1; the policy's mode on this node and the one that was signed are labels.");
        for (size_t i = 0; i < m->n_bundles; i++)
                for (size_t k = 0; k < m->bundles[i].n_modes; k++) {
                        const struct metrics_mode *mode = &m->bundles[i].modes[k];

                        sample(w, "lsmpull_policy_mode", 1, "bundle", m->bundles[i].name, "mode", mode->is, "policy",
                               mode->policy, "signed", mode->is_signed);
                }
}

static void bundles_put(struct writer *w, const struct metrics *m) {
#define FIGURE(name, type, member, help) \
        { name, type, help, offsetof(struct metrics_bundle, member) }
        static const struct figure figures[] = {
                FIGURE("lsmpull_bundle_release", "gauge", release, "The release in force; 0 is none."),
                FIGURE("lsmpull_bundle_confirmed_timestamp_seconds", "gauge", since, "When it was confirmed; 0 is never."),
                FIGURE("lsmpull_bundle_staged_release", "gauge", staged,
                       "The release that is being loaded, tested or tried; 0 is none."),
                FIGURE("lsmpull_missing_hooks", "gauge", missing_hooks,
                       "Hooks of the bundle on which nothing of it is attached."),
                FIGURE("lsmpull_gate_expiries_total", "counter", expiries,
                       "How often the kernel went back by itself, since the gate was made."),
                FIGURE("lsmpull_gate_misses_total", "counter", misses,
                       "Calls that found an empty slot and were denied: anything but 0 is an error."),
        };
#undef FIGURE
        static const char *const bundle_states[] = {"enforcing", "audit", "trial", "incomplete",
                                                    "unmanaged", "off",   "none",  NULL};

        family(w, "lsmpull_bundle_state", "gauge", "1 for what the bundle is doing (docs/status.md).");
        for (size_t i = 0; i < m->n_bundles; i++)
                states(w, "lsmpull_bundle_state", "state", bundle_states, m->bundles[i].state, m->bundles[i].name);
        family(w, "lsmpull_bundle_info", "gauge", "1; the version in force and the beginning of its content id are labels.");
        for (size_t i = 0; i < m->n_bundles; i++) {
                const struct metrics_bundle *b = &m->bundles[i];
                char content[13];

                if (!b->version)
                        continue;
                snprintf(content, sizeof(content), "%s", b->content ? b->content : "");
                sample(w, "lsmpull_bundle_info", 1, "bundle", b->name, "content", content, "version", b->version);
        }
        bundle_figures_put(w, m, figures, ARRAY_SIZE(figures), NULL);
}

static void maps_put(struct writer *w, const struct metrics *m) {
        family(w, "lsmpull_map_entries", "gauge", "Entries in a map of the policies that decide.");
        for (size_t i = 0; i < m->n_bundles; i++)
                for (size_t k = 0; k < m->bundles[i].n_maps; k++)
                        sample(w, "lsmpull_map_entries", m->bundles[i].maps[k].entries, "bundle", m->bundles[i].name, "map",
                               m->bundles[i].maps[k].name);
        family(w, "lsmpull_map_max_entries", "gauge", "How many entries it takes.");
        for (size_t i = 0; i < m->n_bundles; i++)
                for (size_t k = 0; k < m->bundles[i].n_maps; k++)
                        sample(w, "lsmpull_map_max_entries", m->bundles[i].maps[k].max_entries, "bundle", m->bundles[i].name,
                               "map", m->bundles[i].maps[k].name);
        family(w, "lsmpull_hook_free_program_slots", "gauge", "Programs that could still be attached to a hook, by anybody.");
        for (size_t i = 0; i < m->n_hooks; i++)
                sample(w, "lsmpull_hook_free_program_slots", m->hooks[i].free_slots, "hook", m->hooks[i].name);
}

static void swaps_put(struct writer *w, const struct metrics *m) {
        family(w, "lsmpull_swaps_total", "counter", "Swaps since the agent started, by what became of them.");
        for (size_t i = 0; i < m->n_bundles; i++) {
                sample(w, "lsmpull_swaps_total", m->bundles[i].swaps.confirmed, "bundle", m->bundles[i].name, "result",
                       "confirmed");
                sample(w, "lsmpull_swaps_total", m->bundles[i].swaps.failed, "bundle", m->bundles[i].name, "result", "failed");
        }
        family(w, "lsmpull_swap_duration_seconds", "gauge",
               "The last swap: load is the verifier's time and loading; enforced, from verified to enforcing, self-tests included; confirmed, all of it.");
        for (size_t i = 0; i < m->n_bundles; i++) {
                const struct swap_times *t = &m->bundles[i].swaps;

                duration(w, "lsmpull_swap_duration_seconds", m->bundles[i].name, "load", t->load_ns);
                duration(w, "lsmpull_swap_duration_seconds", m->bundles[i].name, "enforced", t->enforced_ns);
                duration(w, "lsmpull_swap_duration_seconds", m->bundles[i].name, "confirmed", t->confirmed_ns);
        }
}

static bool has_rollout(const struct metrics_bundle *b) {
        return b->rollout.ring && b->rollout.why;
}

static void rollouts_put(struct writer *w, const struct metrics *m) {
        static const char *const whys[] = {
#define X(id, word) word,
                ROLLOUT_WHYS(X)
#undef X
                        NULL
        };

        family(w, "lsmpull_rollout_info", "gauge", "1; the ring that the node is in is a label.");
        for (size_t i = 0; i < m->n_bundles; i++)
                if (has_rollout(&m->bundles[i]))
                        sample(w, "lsmpull_rollout_info", 1, "bundle", m->bundles[i].name, "ring", m->bundles[i].rollout.ring);
        family(w, "lsmpull_rollout_state", "gauge", "1 for what the rollout means for this node (docs/rollouts.md).");
        for (size_t i = 0; i < m->n_bundles; i++)
                if (has_rollout(&m->bundles[i]))
                        states(w, "lsmpull_rollout_state", "state", whys, m->bundles[i].rollout.why, m->bundles[i].name);
        family(w, "lsmpull_rollout_release", "gauge", "The release that the rollout has for this node; 0 is none.");
        for (size_t i = 0; i < m->n_bundles; i++)
                if (has_rollout(&m->bundles[i]))
                        sample(w, "lsmpull_rollout_release", m->bundles[i].rollout.release, "bundle", m->bundles[i].name);
}

static bool is_baking(const struct metrics_bundle *b) {
        return has_rollout(b) && b->rollout.baking;
}

static void bakes_put(struct writer *w, const struct metrics *m) {
#define FIGURE(name, member, help) \
        { name, "gauge", help, offsetof(struct metrics_bundle, rollout.member) }
        static const struct figure figures[] = {
                FIGURE("lsmpull_bake_release", bake_release, "The release in the shadow of the one in force."),
                FIGURE("lsmpull_bake_seconds", bake_seconds, "How long it has run there."),
                FIGURE("lsmpull_bake_wanted_seconds", bake_for, "How long it is to run there."),
                FIGURE("lsmpull_bake_would_be_denials", bake_would_deny,
                       "What it would have denied and the one in force has not."),
                FIGURE("lsmpull_bake_allowed", bake_allow, "How many of those are allowed."),
        };
#undef FIGURE

        bundle_figures_put(w, m, figures, ARRAY_SIZE(figures), is_baking);
}

static void sinks_put(struct writer *w, const struct metrics *m) {
        family(w, "lsmpull_sink_events_total", "counter", "Events for a sink, by what became of them, since the agent started.");
        for (size_t i = 0; i < m->n_sinks; i++) {
                sample(w, "lsmpull_sink_events_total", m->sinks[i].written, "result", "written", "sink", m->sinks[i].name);
                sample(w, "lsmpull_sink_events_total", m->sinks[i].dropped, "result", "dropped", "sink", m->sinks[i].name);
                if (m->sinks[i].network)
                        sample(w, "lsmpull_sink_events_total", m->sinks[i].refused, "result", "refused", "sink",
                               m->sinks[i].name);
        }
        family(w, "lsmpull_sink_waiting", "gauge", "Events that wait on the disk for a receiver in the network.");
        for (size_t i = 0; i < m->n_sinks; i++)
                if (m->sinks[i].network)
                        sample(w, "lsmpull_sink_waiting", m->sinks[i].waiting, "sink", m->sinks[i].name);
        family(w, "lsmpull_sink_retries_total", "counter", "Attempts to write to a sink that failed and were made again.");
        for (size_t i = 0; i < m->n_sinks; i++)
                sample(w, "lsmpull_sink_retries_total", m->sinks[i].retried, "sink", m->sinks[i].name);
        family(w, "lsmpull_sink_failing", "gauge", "1 while a sink does not work.");
        for (size_t i = 0; i < m->n_sinks; i++)
                sample(w, "lsmpull_sink_failing", m->sinks[i].failing, "sink", m->sinks[i].name);
}

int metrics_format(const struct metrics *m, struct buf *out) {
        struct writer w = {.out = out};

        node_put(&w, m);
        source_put(&w, m);
        bundles_put(&w, m);
        policies_put(&w, m);
        modes_put(&w, m);
        maps_put(&w, m);
        swaps_put(&w, m);
        rollouts_put(&w, m);
        bakes_put(&w, m);
        sinks_put(&w, m);
        return w.r;
}
