/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <sys/utsname.h>

#include "authority.h"
#include "pause.h"
#include "quarantine.h"
#include "record.h"
#include "repo_record.h"
#include "sinks.h"
#include "status_bake.h"
#include "status_metadata.h"

static json_t *gen_json(const struct journal_gen *g) {
        if (!g->present)
                return json_null();
        return json_pack("{s:I, s:s, s:s, s:I}", "release", (json_int_t)g->release, "version", g->version, "content",
                         g->content_hex, "since", (json_int_t)g->since);
}

/* enforcing, audit, trial, off, none (nothing of it is in force), unmanaged (in the kernel, but no journal says what it is),
 * incomplete (on some of its hooks it is not attached). */
static const char *state_word(const struct node *n, const struct bundle *b, const json_t *missing) {
        uint64_t word;

        if (n->mode == NODE_OFF)
                return "off";
        if (b->kernel.gate_fd < 0)
                return "none";
        word = gate_word(&b->kernel.gate);
        if (gate_pending(word) && !gate_past_deadline(word, monotonic_ns()))
                return "trial";
        if (!b->journal.confirmed.present)
                return LSM_GATE_ACTIVE(word) ? "unmanaged" : "none";
        if (json_array_size(missing) > 0)
                return "incomplete";
        return n->mode == NODE_AUDIT ? "audit" : "enforcing";
}

static bool listed(const json_t *list, const json_t *text) {
        const json_t *entry;
        size_t i;

        json_array_foreach(list, i, entry) {
                if (json_equal(entry, text))
                        return true;
        }
        return false;
}

/* Hooks of these policies on which nothing of the bundle is attached. */
static json_t *missing_json(const struct bundle *b, const json_t *policies) {
        json_t *policy, *hook;
        json_t *list = json_array();
        size_t i, k;

        json_array_foreach(policies, i, policy) {
                json_array_foreach(json_object_get(policy, "hooks"), k, hook) {
                        if (!enforcement_attached(&b->kernel, json_string_value(hook)) && !listed(list, hook))
                                json_array_append(list, hook);
                }
        }
        return list;
}

static const char *mode_word(bool audit) {
        return audit ? "audit" : "enforce";
}

static const char *policy_mode(const struct node *n, const struct manifest_policy *p, const struct journal_gen *g) {
        if (p->plain)
                return "enforce (plain: cannot be audited)";
        return mode_word(n->mode == NODE_AUDIT || p->mode == MODE_AUDIT || lowered_has(g->lowered, p->name));
}

/* Of policies that are written as rules: as they were signed, and as they are on this node. */
static json_t *written_json(const struct node *n, const struct manifest_policy *engine, const struct release *rel,
                            const struct journal_gen *g) {
        json_t *list = json_array();
        struct rules_sets sets;
        bool all = n->mode == NODE_AUDIT || lowered_has(g->lowered, engine->name);

        if (rules_sets_read(engine, rel->members, &sets, NULL) < 0)
                return list;
        for (size_t i = 0; i < sets.n; i++) {
                const char *name = sets.list[i].policy;

                if (*name)
                        json_array_append_new(
                                list,
                                json_pack("{s:s, s:s, s:s}", "name", name, "signed_mode", mode_word(!sets.list[i].enforce),
                                          "mode", mode_word(all || !sets.list[i].enforce || lowered_has(g->lowered, name))));
        }
        return list;
}

/* Whose word it is in force on. */
static json_t *authority_json(const struct node *n, const struct receipt *receipt) {
        struct authority a;

        if (authority_find(n, receipt, &a, NULL) < 0)
                return json_null();
        return json_pack("{s:s, s:s, s:I, s:I, s:b, s:b}", "by", a.repository ? "repository" : "keys", "target", receipt->target,
                         "signers", (json_int_t)a.signers, "signers_removed", (json_int_t)a.removed, "unlisted", a.unlisted,
                         "old_anchor", a.old_anchor);
}

/* The policies of the generation that decides, with their counters since it was loaded; and on whose word it decides. */
static json_t *policies_json(struct node *n, const struct bundle *b, const struct journal_gen *g, uint32_t slot,
                             json_t **ret_authority) {
        struct release rel = RELEASE_INIT;
        struct receipt receipt = {0};
        json_t *list = json_array();

        if (!g->present || store_get(n->state_fd, g->content_hex, &rel, &receipt, NULL) < 0)
                return list;
        json_decref(*ret_authority);
        *ret_authority = authority_json(n, &receipt);
        receipt_done(&receipt);
        for (size_t i = 0; i < rel.manifest->n_policies; i++) {
                const struct manifest_policy *p = &rel.manifest->policies[i];
                struct lsm_counters c = {0};
                json_t *hooks = json_array(), *absent = json_array(), *policy;

                enforcement_counters(&b->kernel, slot, p->name, &c);
                for (size_t k = 0; k < p->n_programs; k++)
                        json_array_append_new(
                                p->programs[k].optional && !enforcement_knows(&b->kernel, p->programs[k].hook) ? absent : hooks,
                                json_string(p->programs[k].hook));
                policy = json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I}", "name", p->name, "signed_mode",
                                   mode_word(p->mode == MODE_AUDIT), "mode", policy_mode(n, p, g), "hooks", hooks, "hooks_absent",
                                   absent, "denied", (json_int_t)c.denied, "would_deny", (json_int_t)c.would_deny, "events_lost",
                                   (json_int_t)c.lost, "events_folded", (json_int_t)c.folded, "errors", (json_int_t)c.errors);
                if (policy_is_engine(p)) {
                        json_object_set_new(policy, "written", written_json(n, p, &rel, g));
                        json_object_set_new(policy, "rules", enforcement_rules_json(&b->kernel, slot));
                }
                json_array_append_new(list, policy);
        }
        release_done(&rel);
        return list;
}

static json_t *gate_json(const struct bundle *b) {
        uint64_t word;
        json_t *j;

        if (b->kernel.gate_fd < 0)
                return json_null();
        word = gate_word(&b->kernel.gate);
        j = json_pack("{s:i, s:b, s:I, s:I, s:I}", "slot", (int)LSM_GATE_ACTIVE(word), "pending", gate_pending(word), "sequence",
                      (json_int_t)LSM_GATE_SEQ(word), "misses", (json_int_t)b->kernel.gate.map->misses, "expiries",
                      (json_int_t)b->kernel.gate.map->expiries);
        if (gate_pending(word)) {
                int32_t left = (int32_t)(LSM_GATE_DEADLINE(word) - gate_clock(monotonic_ns()));

                json_object_set_new(j, "fallback_slot", json_integer(LSM_GATE_FALLBACK(word)));
                json_object_set_new(j, "seconds_left", json_integer(left > 0 ? (left + 953) / 954 : 0)); /* units of 2^20 ns */
        }
        return j;
}

static json_t *left_json(const struct journal *j) {
        if (!*j->left_reason)
                return json_null();
        return json_pack("{s:I, s:s, s:s, s:o*}", "release", (json_int_t)j->left_release, "content", j->left_content, "reason",
                         j->left_reason, "message", record_text(j->left_message));
}

/* What the repository has decided for the bundle; null: it is not from a repository. */
static json_t *rollout_json(const struct repo_record *record, const char *bundle) {
        for (size_t i = 0; i < record->n; i++) {
                const struct repo_memory *m = &record->list[i];

                if (streq(m->bundle, bundle) && *m->why)
                        return json_pack("{s:s, s:s, s:o*, s:I, s:I, s:I}", "why", m->why, "reason", m->reason, "sentence",
                                         record_text(m->sentence), "release", (json_int_t)m->release, "floor",
                                         (json_int_t)m->floor, "next", (json_int_t)m->next);
        }
        return json_null();
}

/* Takes over both. */
static json_t *with_bake(json_t *rollout, json_t *bake) {
        if (json_is_object(rollout))
                json_object_set_new(rollout, "bake", bake);
        else
                json_decref(bake);
        return rollout;
}

static json_t *bundle_json(struct node *n, struct bundle *b, const struct repo_record *record) {
        const struct journal *j = &b->journal;
        bool trial = streq(state_word(n, b, NULL), "trial"), loaded = b->kernel.gate_fd >= 0;
        const struct journal_gen *deciding = trial ? &j->staged : &j->confirmed;
        uint32_t slot = loaded ? LSM_GATE_ACTIVE(gate_word(&b->kernel.gate)) : 0;
        json_t *authority = json_null();
        json_t *policies = loaded ? policies_json(n, b, deciding, slot, &authority) : json_array(), *missing;

        enforcement_check(&b->kernel);
        missing = missing_json(b, policies);
        return json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name", b->name, "state",
                         state_word(n, b, missing), "in_force", gen_json(&j->confirmed), "previous", gen_json(&j->previous),
                         "staged", gen_json(&j->staged), "step", journal_step_word(j->step), "left", left_json(j), "gate",
                         gate_json(b), "missing_hooks", missing, "policies", policies, "rollout",
                         with_bake(rollout_json(record, b->name), status_bake(n, b)), "authority", authority);
}

static json_t *quarantine_json(const struct node *n) {
        cleanup_quarantine struct quarantine q = {0};
        json_t *list = json_array();

        if (quarantine_load(n->state_fd, &q, NULL) < 0)
                return list;
        for (size_t i = 0; i < q.n; i++) {
                const struct quarantine_entry *e = &q.entries[i];

                json_array_append_new(list,
                                      json_pack("{s:s, s:I, s:s, s:s, s:o*, s:s, s:I, s:b}", "bundle", e->bundle, "release",
                                                (json_int_t)e->release, "content", e->content_hex, "reason", e->reason, "message",
                                                record_text(e->message), "kernel", e->kernel, "since", (json_int_t)e->since,
                                                "holds_here", quarantine_find(&q, e->content_hex) == e));
        }
        return list;
}

static json_t *source_json(const struct node *n, const struct source *s) {
        if (config_source_kind(n->config) == SOURCE_NONE)
                return json_null();
        return json_pack("{s:s, s:b, s:I, s:I, s:I, s:s, s:o*, s:s, s:o*, s:o}", "address", config_source_address(n->config),
                         "stale", source_stale(n, s, now_seconds()), "last_success", (json_int_t)s->last_success, "failing_since",
                         (json_int_t)s->failing_since, "failures", (json_int_t)s->failures, "reason", s->reason, "message",
                         record_text(s->message), "refused_reason", s->refused_reason, "refused_message",
                         record_text(s->refused_message), "metadata", status_metadata(n));
}

/* What the engine of rules was told of this node; null: there was none. */
static json_t *loader_rules_json(const struct node *n) {
        const struct loader_roots *roots = &n->loader.roots;

        if (!n->loader.rules)
                return json_null();
        return json_pack("{s:b, s:I, s:I, s:I, s:I}", "remembers", n->loader.locks, "file_systems", (json_int_t)roots->n,
                         "without_root", (json_int_t)roots->parts, "no_room", (json_int_t)roots->full, "mounts_unreadable",
                         (json_int_t)roots->unreadable);
}

static json_t *loader_json(const struct node *n) {
        if (!n->loader.known)
                return json_null();
        return json_pack("{s:b, s:i, s:s, s:o}", "token", n->loader.token, "uid", (int)n->loader.uid, "why_no_token",
                         n->loader.no_token, "rules", loader_rules_json(n));
}

/* Bundles that are configured, and of which nothing is here yet. */
static void wanted_append(const struct node *n, const struct repo_record *record, json_t *bundles) {
        for (char **name = n->config->bundles; name && *name; name++)
                if (!node_bundle(n, *name))
                        json_array_append_new(bundles, json_pack("{s:s, s:s, s:n, s:n, s:n, s:s, s:n, s:n, s:[], s:[], s:o, s:n}",
                                                                 "name", *name, "state", "none", "in_force", "previous", "staged",
                                                                 "step", "none", "left", "gate", "missing_hooks", "policies",
                                                                 "rollout", rollout_json(record, *name), "authority"));
}

int status_collect(struct node *n, const struct source *source, json_t **ret, struct err *err) {
        static const char *const modes[] = {[NODE_ENFORCE] = "enforce", [NODE_AUDIT] = "audit", [NODE_OFF] = "off"};
        cleanup_repo_record struct repo_record record = {0};
        json_t *bundles = json_array();
        struct utsname uts = {0};
        struct pause pause;

        uname(&uts);
        pause_load(n, &pause);
        /* Unreadable: status is for looking, and says less. */
        if (repo_record_load(n->state_fd, &record, NULL) < 0)
                record = (struct repo_record){0};
        for (size_t i = 0; i < n->n_bundles; i++)
                json_array_append_new(bundles, bundle_json(n, n->bundles[i], &record));
        wanted_append(n, &record, bundles);
        *ret = json_pack("{s:i, s:s, s:I, s:s, s:s, s:s, s:b, s:I, s:o, s:o, s:o, s:o, s:o}", "format", STATUS_FORMAT, "version",
                         LSM_VERSION, "time", (json_int_t)now_seconds(), "kernel", uts.release, "mode", modes[n->mode],
                         "mode_source", n->mode_source, "paused", pause.paused, "paused_until", (json_int_t)pause.until, "loader",
                         loader_json(n), "source", source_json(n, source), "bundles", bundles, "quarantine", quarantine_json(n),
                         "sinks", sinks_counts_json(n->sinks));
        return *ret ? 0 : err_errno(err, -ENOMEM, "status");
}

int status_check(const json_t *status) {
        const json_t *source = json_object_get(status, "source"), *bundles = json_object_get(status, "bundles"), *entry;
        size_t i;

        if (json_array_size(bundles) == 0)
                return 4;
        json_array_foreach(bundles, i, entry) {
                const char *state = json_string_value(json_object_get(entry, "state"));

                if (!state || (!streq(state, "enforcing") && !streq(state, "audit") && !streq(state, "trial")))
                        return 4;
        }
        json_array_foreach(json_object_get(status, "quarantine"), i,
                           entry) if (json_is_true(json_object_get(entry, "holds_here"))) return 4;
        return json_is_object(source) && json_is_true(json_object_get(source, "stale")) ? 1 : 0;
}
