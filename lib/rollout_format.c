/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout as its document. */
#include "rollout.h"

/* Takes over value. */
static int put(json_t *j, const char *key, json_t *value) {
        return json_object_set_new(j, key, value);
}

static json_t *choice_json(const struct rollout_choice *c) {
        return json_pack("{s:I, s:s}", "release", (json_int_t)c->release, "target", c->target);
}

static json_t *waves_json(const struct rollout_ring *ring) {
        json_t *list = json_array();

        for (size_t i = 0; list && i < ring->n_waves; i++) {
                char after[32];

                rollout_duration_format(ring->waves[i].after_s, after);
                if (json_array_append_new(list, json_pack("{s:s, s:i}", "after", after, "percent", (int)ring->waves[i].percent)) <
                    0) {
                        json_decref(list);
                        return NULL;
                }
        }
        return list;
}

static json_t *ring_json(const struct rollout_ring *ring) {
        json_t *j = choice_json(&ring->choice);
        char text[32];
        int r = j ? 0 : -1;

        if (r == 0 && ring->has_bake) {
                rollout_duration_format(ring->bake_s, text);
                r = put(j, "bake", json_pack("{s:s, s:I}", "for", text, "allow", (json_int_t)ring->bake_allow));
        }
        if (r == 0 && ring->has_started) {
                rollout_time_format(ring->started, text);
                r = put(j, "started", json_string(text));
        }
        if (r == 0 && ring->n_waves)
                r = put(j, "waves", waves_json(ring));
        if (r == 0 && ring->has_else)
                r = put(j, "else", choice_json(&ring->otherwise));
        if (r == 0)
                return j;
        json_decref(j);
        return NULL;
}

int rollout_format(const struct rollout *rollout, struct buf *out, struct err *err) {
        cleanup_rollout struct rollout *again = NULL;
        cleanup_json json_t *doc = NULL;
        cleanup_buf struct buf b = {};
        json_t *rings = json_object();
        int r;

        for (size_t i = 0; rings && i < rollout->n_rings; i++)
                if (put(rings, rollout->rings[i].name, ring_json(&rollout->rings[i])) < 0) {
                        json_decref(rings);
                        rings = NULL;
                }
        doc = json_pack("{s:s, s:i, s:s, s:o*, s:b}", "_type", ROLLOUT_TYPE, "format", ROLLOUT_FORMAT, "bundle", rollout->bundle,
                        "rings", rings, "hold", rollout->hold);
        if (!doc || !rings)
                return err_errno(err, -ENOMEM, "rollout");
        r = json_canonical(doc, &b, err);
        if (r >= 0)
                r = rollout_parse(b.data, b.len, rollout->bundle, &again, err);
        if (r >= 0 && again->n_rings != rollout->n_rings)
                r = err_set(err, -EINVAL, REASON_MALFORMED, "rollout of %s: a ring is there twice", rollout->bundle);
        if (r >= 0) {
                r = buf_append(out, b.data, b.len);
                if (r < 0)
                        err_errno(err, r, "rollout");
        }
        return r;
}
