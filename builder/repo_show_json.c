/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_rollout.h"
#include "repo_show.h"

static json_t *role_json(const struct repo *repo, enum repo_role role) {
        cleanup_role_keys struct role_keys keys = {};
        const struct repo_doc *doc = &repo->docs[role];
        const json_t *delegator = repo->docs[role_delegator(role)].body;
        struct sig_report report = {};
        json_t *list = json_array();
        char expires[32];

        role_keys_read(delegator, role_name(role), &keys, NULL);
        role_verify(delegator, role_name(role), &doc->env, &report, NULL);
        for (size_t i = 0; i < keys.ring.n; i++)
                json_array_append_new(list,
                                      json_pack("{s:s, s:b}", "keyid", keys.ring.keys[i].id_hex, "signed", report.valid[i]));
        rollout_time_format(doc->expires, expires);
        return json_pack("{s:s, s:I, s:I, s:I, s:o, s:s, s:I, s:s}", "role", role_name(role), "version", (json_int_t)doc->version,
                         "threshold", (json_int_t)keys.threshold, "listed_keys", (json_int_t)keys.n_listed, "keys", list,
                         "expires", expires, "expires_in", (json_int_t)(doc->expires - repo->now), "expiry",
                         expiry_word(repo_expiry(repo, role)));
}

static json_t *releases_json(const struct repo *repo, const struct releases *r) {
        json_t *list = json_array();

        for (size_t i = 0; i < r->n; i++) {
                const struct release *one = &r->v[i];

                json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:I, s:s, s:s, s:b}", "bundle", one->bundle, "version",
                                                      one->version, "release", (json_int_t)one->release, "floor",
                                                      (json_int_t)one->floor, "content", one->content, "target", one->target,
                                                      "there", repo_target_there(repo, one->target, one->entry)));
        }
        return list;
}

/* The documents as nodes read them. */
static json_t *rollouts_json(const struct repo_view *v) {
        json_t *list = json_array();

        for (size_t i = 0; i < v->n_rollouts; i++) {
                cleanup_buf struct buf text = {};
                json_t *doc = NULL;

                if (rollout_format(v->rollouts[i], &text, NULL) == 0 && json_parse(text.data, text.len, &doc, NULL) == 0)
                        json_array_append_new(list, doc);
        }
        return list;
}

static json_t *pending_json(const struct repo *repo, const struct repo_view *v) {
        json_t *list = json_array();

        for (size_t i = 0; i < v->n_pending; i++) {
                struct err why = {};
                int e = repo_change_base(repo, &v->pending[i], &why);
                bool stale = e < 0;

                if (e == 0)
                        e = repo_change_complete(repo, &v->pending[i], &why);
                json_array_append_new(list, json_pack("{s:s, s:b, s:b, s:s}", "name", v->pending[i].name, "stale", stale,
                                                      "complete", e == 0, "message", why.msg));
        }
        return list;
}

json_t *repo_show_json(const struct repo *repo, const struct repo_view *v) {
        json_t *roles = json_array();

        for (enum repo_role role = 0; role < ROLE_COUNT; role++)
                if (repo->docs[role].body)
                        json_array_append_new(roles, role_json(repo, role));
        return json_pack("{s:o, s:o, s:o, s:o}", "roles", roles, "releases", releases_json(repo, &v->releases), "rollouts",
                         rollouts_json(v), "pending", pending_json(repo, v));
}
