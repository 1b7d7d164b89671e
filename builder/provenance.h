/* SPDX-License-Identifier: Apache-2.0 */
/* Where a bundle was built from: the commit, its date. Nothing of it is needed for a build: outside Git the commit is empty. */
#pragma once

#include "err.h"
#include "strv.h"

struct provenance {
        char *commit;  /* hash; with "-dirty" when one of the files is not as committed; "" when unknown */
        uint64_t date; /* SOURCE_DATE_EPOCH, else the commit's time, else 0 */
};
void provenance_done(struct provenance *p);
#define cleanup_provenance cleanup(provenance_done)

/* files: absolute paths of all sources. A SOURCE_DATE_EPOCH that is no number is an error. */
int provenance_find(const char *dir, const struct strv *files, struct provenance *ret, struct err *err);
