/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_release.h"

#include <stdio.h>

#include "manifest.h"

void releases_done(struct releases *r) {
        free(r->v);
}

static int release_read(const char *target, const json_t *entry, struct release *ret, struct err *err) {
        json_t *custom;
        long long release, floor;
        uint8_t content[SHA256_SIZE];
        char path[256];
        int e = json_get_object(entry, "custom", &custom, err);

        if (e == 0)
                e = json_get_string(custom, "bundle", &ret->bundle, err);
        if (e == 0)
                e = json_get_string(custom, "version", &ret->version, err);
        if (e == 0)
                e = json_get_string(custom, "content", &ret->content, err);
        if (e == 0)
                e = json_get_int(custom, "release", 1, JSON_INT_MAX, &release, err);
        if (e == 0)
                e = json_get_int(custom, "floor", 0, JSON_INT_MAX, &floor, err);
        if (e < 0)
                return e;
        if (!name_valid(ret->bundle) || !version_valid(ret->version) || hex_decode(ret->content, content, sizeof(content)) < 0)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "bundle, version or content is none");
        snprintf(path, sizeof(path), "bundles/%s-%s.tar.zst", ret->bundle, ret->version);
        if (!streq(path, target))
                return err_set(err, -EBADMSG, REASON_MALFORMED, "it says that it is '%s'", path);
        ret->target = target;
        ret->entry = entry;
        ret->release = (uint64_t)release;
        ret->floor = (uint64_t)floor;
        return 0;
}

static int release_compare(const void *a, const void *b) {
        const struct release *x = a, *y = b;
        int order = strcmp(x->bundle, y->bundle);

        return order ?: (x->release > y->release) - (x->release < y->release);
}

int releases_read(const struct repo_doc *doc, struct releases *ret, struct err *err) {
        cleanup_releases struct releases r = {};
        json_t *targets = json_object_get(doc->body, "targets"), *entry;
        const char *target;

        r.v = new_array(json_object_size(targets), sizeof(*r.v));
        if (!r.v)
                return err_errno(err, -ENOMEM, "releases");
        json_object_foreach(targets, target, entry) {
                int e = json_object_get(entry, "custom") ? release_read(target, entry, &r.v[r.n], err) : 1;

                if (e < 0)
                        return err_wrap(err, e, "target '%.255s'", target);
                if (e == 0)
                        r.n++;
        }
        qsort(r.v, r.n, sizeof(*r.v), release_compare);
        for (size_t i = 1; i < r.n; i++)
                if (release_compare(&r.v[i - 1], &r.v[i]) == 0)
                        return err_set(err, -EBADMSG, REASON_RELEASE_REUSED, "release %ju of '%s' is listed twice",
                                       (uintmax_t)r.v[i].release, r.v[i].bundle);
        *ret = r;
        r = (struct releases){};
        return 0;
}

const struct release *release_find(const struct releases *r, const char *bundle, uint64_t release) {
        for (size_t i = 0; i < r->n; i++)
                if (r->v[i].release == release && streq(r->v[i].bundle, bundle))
                        return &r->v[i];
        return NULL;
}

const struct release *release_newest(const struct releases *r, const char *bundle) {
        const struct release *newest = NULL;

        for (size_t i = 0; i < r->n; i++)
                if (streq(r->v[i].bundle, bundle))
                        newest = &r->v[i];
        return newest;
}

uint64_t release_floor(const struct releases *r, const char *bundle) {
        uint64_t floor = 0;

        for (size_t i = 0; i < r->n; i++)
                if (streq(r->v[i].bundle, bundle) && r->v[i].floor > floor)
                        floor = r->v[i].floor;
        return floor;
}

int release_may_run(const struct releases *r, const char *bundle, uint64_t release, const struct release **ret, struct err *err) {
        uint64_t floor = release_floor(r, bundle);

        *ret = release_find(r, bundle, release);
        if (!*ret)
                return err_set(err, -ENOENT, REASON_UNKNOWN_TARGET, "release %ju of \'%s\' is not published here",
                               (uintmax_t)release, bundle);
        if (release < floor)
                return err_set(err, -EPERM, REASON_RELEASE_TOO_OLD, "release %ju of '%s' is below the floor, %ju",
                               (uintmax_t)release, bundle, (uintmax_t)floor);
        return 0;
}
