/* SPDX-License-Identifier: Apache-2.0 */
/* The document: what is a rollout, and what only looks like one. */
#include <stdio.h>

#include "manifest.h"
#include "rollout.h"

#define TARGET_FOLDER "bundles/"

static int malformed(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int malformed(struct err *err, const char *fmt, ...) {
        char text[512];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        return err_set(err, -EBADMSG, REASON_MALFORMED, "%s", text);
}

/* keys: those that are known, with NULL at the end. */
static int keys_check(const json_t *j, const char *const *keys, struct err *err) {
        const char *key;
        json_t *value;

        json_object_foreach((json_t *)j, key, value) {
                size_t i = 0;

                while (keys[i] && !streq(keys[i], key))
                        i++;
                if (!keys[i])
                        return malformed(err, "key '%.64s' is not known in format %d", key, ROLLOUT_FORMAT);
        }
        return 0;
}

/* A target of the role `bundles`: one name below its folder. */
static int target_check(const char *target, struct err *err) {
        size_t n = strlen(TARGET_FOLDER);

        if (!member_path_safe(target) || strncmp(target, TARGET_FOLDER, n) != 0 || strchr(target + n, '/'))
                return err_set(err, -EBADMSG, REASON_UNSAFE_PATH, "'target': '%.255s' is not %sNAME", target, TARGET_FOLDER);
        return 0;
}

static int choice_parse(const json_t *j, struct rollout_choice *ret, struct err *err) {
        long long release;
        const char *target;
        int r;

        r = json_get_int(j, "release", 1, JSON_INT_MAX, &release, err);
        if (r >= 0)
                r = json_get_string(j, "target", &target, err);
        if (r >= 0)
                r = target_check(target, err);
        if (r < 0)
                return r;
        ret->release = (uint64_t)release;
        snprintf(ret->target, sizeof(ret->target), "%s", target);
        return 0;
}

static int duration_get(const json_t *j, const char *key, int64_t min, int64_t *ret, struct err *err) {
        const char *text;
        int r = json_get_string(j, key, &text, err);

        if (r < 0)
                return r;
        if (rollout_duration_parse(text, ret) < 0 || *ret < min)
                return malformed(err, "'%s': '%.64s' is no duration as 30m, 24h or 3d, at most %lld days", key, text,
                                 ROLLOUT_SECONDS_MAX / 86400);
        return 0;
}

static int bake_parse(const json_t *ring, struct rollout_ring *ret, struct err *err) {
        static const char *const keys[] = {"for", "allow", NULL};
        long long allow = 0;
        json_t *j;
        int r;

        if (!json_object_get(ring, "bake"))
                return 0;
        r = json_get_object(ring, "bake", &j, err);
        if (r >= 0)
                r = keys_check(j, keys, err);
        if (r >= 0)
                r = duration_get(j, "for", 1, &ret->bake_s, err);
        if (r >= 0 && json_object_get(j, "allow"))
                r = json_get_int(j, "allow", 0, JSON_INT_MAX, &allow, err);
        if (r < 0)
                return err_wrap(err, r, "bake");
        ret->has_bake = true;
        ret->bake_allow = (uint64_t)allow;
        return 0;
}

/* Later waves are larger, or the same nodes would be sent forward and back. */
static int waves_parse(const json_t *ring, struct rollout_ring *ret, struct err *err) {
        static const char *const keys[] = {"after", "percent", NULL};
        json_t *list, *j;
        size_t i;
        int r;

        if (!json_object_get(ring, "waves"))
                return 0;
        r = json_get_array(ring, "waves", &list, err);
        if (r < 0)
                return r;
        if (json_array_size(list) < 1 || json_array_size(list) > ROLLOUT_WAVES_MAX)
                return malformed(err, "'waves' has not 1 to %d entries", ROLLOUT_WAVES_MAX);
        json_array_foreach(list, i, j) {
                struct rollout_wave *w = &ret->waves[i];
                long long percent;

                if (!json_is_object(j))
                        return malformed(err, "'waves' holds something that is not an object");
                r = keys_check(j, keys, err);
                if (r >= 0)
                        r = duration_get(j, "after", 0, &w->after_s, err);
                if (r >= 0)
                        r = json_get_int(j, "percent", 0, 100, &percent, err);
                if (r < 0)
                        return err_wrap(err, r, "wave %zu", i + 1);
                w->percent = (unsigned)percent;
                if (i > 0 && (w->after_s <= w[-1].after_s || w->percent < w[-1].percent))
                        return malformed(err, "wave %zu is not later, or smaller, than the one before it", i + 1);
        }
        ret->n_waves = json_array_size(list);
        return 0;
}

static int started_parse(const json_t *ring, struct rollout_ring *ret, struct err *err) {
        const char *text;
        int r;

        if (!json_object_get(ring, "started"))
                return ret->n_waves ? malformed(err, "'waves' without 'started': nobody knows when they begin") : 0;
        r = json_get_string(ring, "started", &text, err);
        if (r < 0)
                return r;
        if (rollout_time_parse(text, &ret->started) < 0)
                return malformed(err, "'started': '%.64s' is no time as 2026-11-22T08:00:00Z", text);
        ret->has_started = true;
        return 0;
}

static int else_parse(const json_t *ring, struct rollout_ring *ret, struct err *err) {
        static const char *const keys[] = {"release", "target", NULL};
        json_t *j;
        int r;

        if (!json_object_get(ring, "else"))
                return 0;
        r = json_get_object(ring, "else", &j, err);
        if (r >= 0)
                r = keys_check(j, keys, err);
        if (r >= 0)
                r = choice_parse(j, &ret->otherwise, err);
        if (r < 0)
                return err_wrap(err, r, "else");
        ret->has_else = true;
        return 0;
}

static int ring_parse(const char *name, const json_t *j, struct rollout_ring *ret, struct err *err) {
        static const char *const keys[] = {"release", "target", "bake", "started", "waves", "else", NULL};
        int r;

        if (!name_valid(name))
                return malformed(err, "'%.64s' is no name of a ring", name);
        snprintf(ret->name, sizeof(ret->name), "%s", name);
        if (!json_is_object(j))
                return malformed(err, "it is not an object");
        r = keys_check(j, keys, err);
        if (r >= 0)
                r = choice_parse(j, &ret->choice, err);
        if (r >= 0)
                r = bake_parse(j, ret, err);
        if (r >= 0)
                r = waves_parse(j, ret, err);
        if (r >= 0)
                r = started_parse(j, ret, err);
        return r < 0 ? r : else_parse(j, ret, err);
}

static bool choices_agree(const struct rollout_choice *a, const struct rollout_choice *b) {
        return (a->release == b->release) == streq(a->target, b->target);
}

/* One release is one target, wherever in the document it is named. */
static int releases_check(const struct rollout *r, struct err *err) {
        for (size_t i = 0; i < r->n_rings; i++) {
                const struct rollout_ring *a = &r->rings[i];

                for (size_t k = 0; k <= i; k++) {
                        const struct rollout_ring *b = &r->rings[k];

                        if (!choices_agree(&a->choice, &b->choice) ||
                            (a->has_else && !choices_agree(&a->otherwise, &b->choice)) ||
                            (b->has_else && !choices_agree(&a->choice, &b->otherwise)) ||
                            (a->has_else && b->has_else && !choices_agree(&a->otherwise, &b->otherwise)))
                                return malformed(err, "rings '%s' and '%s' give one release two targets, or two one", b->name,
                                                 a->name);
                }
        }
        return 0;
}

static int ring_compare(const void *a, const void *b) {
        return strcmp(((const struct rollout_ring *)a)->name, ((const struct rollout_ring *)b)->name);
}

static int rings_parse(const json_t *doc, struct rollout *ret, struct err *err) {
        const char *name;
        json_t *rings, *j;
        int r;

        r = json_get_object(doc, "rings", &rings, err);
        if (r < 0)
                return r;
        if (json_object_size(rings) > ROLLOUT_RINGS_MAX)
                return malformed(err, "more than %d rings", ROLLOUT_RINGS_MAX);
        ret->rings = new_array(json_object_size(rings), sizeof(*ret->rings));
        if (!ret->rings)
                return err_errno(err, -ENOMEM, "rollout");
        json_object_foreach(rings, name, j) {
                r = ring_parse(name, j, &ret->rings[ret->n_rings++], err);
                if (r < 0)
                        return err_wrap(err, r, "ring '%.64s'", name);
        }
        qsort(ret->rings, ret->n_rings, sizeof(*ret->rings), ring_compare);
        return releases_check(ret, err);
}

/* What the document is, before anything else in it is believed. */
static int kind_check(const json_t *doc, struct err *err) {
        const char *type;
        long long format;
        int r;

        if (!json_is_object(doc))
                return malformed(err, "it is not an object");
        r = json_get_string(doc, "_type", &type, err);
        if (r < 0)
                return r;
        if (!streq(type, ROLLOUT_TYPE))
                return err_set(err, -EBADMSG, REASON_WRONG_TYPE, "it is '%.64s', not '%s'", type, ROLLOUT_TYPE);
        r = json_get_int(doc, "format", 1, JSON_INT_MAX, &format, err);
        if (r < 0)
                return r;
        if (format != ROLLOUT_FORMAT)
                return err_set(err, -EBADMSG, REASON_UNSUPPORTED_FORMAT, "format %lld; this program knows format %d", format,
                               ROLLOUT_FORMAT);
        return 0;
}

static int document_parse(const json_t *doc, const char *bundle, struct rollout *ret, struct err *err) {
        static const char *const keys[] = {"_type", "format", "bundle", "rings", "hold", NULL};
        const json_t *hold = json_object_get(doc, "hold");
        const char *name;
        int r;

        r = kind_check(doc, err);
        if (r >= 0)
                r = keys_check(doc, keys, err);
        if (r >= 0)
                r = json_get_string(doc, "bundle", &name, err);
        if (r < 0)
                return r;
        if (!name_valid(name))
                return malformed(err, "'%.64s' is no name of a bundle", name);
        if (bundle && !streq(bundle, name))
                return err_set(err, -EBADMSG, REASON_WRONG_BUNDLE, "it is for bundle '%s', not '%s'", name, bundle);
        snprintf(ret->bundle, sizeof(ret->bundle), "%s", name);
        if (hold && !json_is_boolean(hold))
                return malformed(err, "'hold' is neither true nor false");
        ret->hold = json_is_true(hold);
        return rings_parse(doc, ret, err);
}

int rollout_parse(const void *p, size_t n, const char *bundle, struct rollout **ret, struct err *err) {
        cleanup_rollout struct rollout *rollout = calloc(1, sizeof(*rollout));
        cleanup_json json_t *doc = NULL;
        int r;

        if (!rollout)
                return err_errno(err, -ENOMEM, "rollout");
        if (n > ROLLOUT_MAX)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "a rollout of more than %u bytes", ROLLOUT_MAX);
        r = json_parse(p, n, &doc, err);
        if (r >= 0)
                r = document_parse(doc, bundle, rollout, err);
        if (r < 0)
                return err_wrap(err, r, "rollout%s%s", bundle ? " of " : "", bundle ? bundle : "");
        *ret = steal_pointer(rollout);
        return 0;
}

void rollout_free(struct rollout *r) {
        if (!r)
                return;
        free(r->rings);
        free(r);
}
