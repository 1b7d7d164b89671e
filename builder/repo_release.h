/* SPDX-License-Identifier: Apache-2.0 */
/* Releases: what the entries of the role `bundles` say, by their `custom` part. */
#pragma once

#include "repo_doc.h"

struct release {
        const char *target, *bundle, *version, *content; /* borrowed from the document */
        uint64_t release, floor;
        const json_t *entry;
};

struct releases { /* sorted by bundle, then by release */
        struct release *v;
        size_t n;
};
void releases_done(struct releases *r);
#define cleanup_releases cleanup(releases_done)

/* Entries without `custom` are somebody else's targets and are passed over. A path that is not bundles/BUNDLE-VERSION.tar.zst,
 * or one release twice: malformed. doc without body: none. */
int releases_read(const struct repo_doc *doc, struct releases *ret, struct err *err);
/* NULL: it is not listed. */
const struct release *release_find(const struct releases *r, const char *bundle, uint64_t release);
const struct release *release_newest(const struct releases *r, const char *bundle);
/* The highest floor that any of its releases has; 0: none. */
uint64_t release_floor(const struct releases *r, const char *bundle);
/* Not listed (unknown-target), or below the floor (release-too-old). */
int release_may_run(const struct releases *r, const char *bundle, uint64_t release, const struct release **ret, struct err *err);
