/* SPDX-License-Identifier: Apache-2.0 */
/* Within the parser of self-tests: paths as tests write them. See struct selftest_place for the forms. */
#pragma once

#include "selftest.h"

/* Any of the forms. `word` is what the message calls the operation. */
int selftest_place_parse(const json_t *j, const char *word, struct selftest_place *ret, struct err *err);
/* For operations that make, change or remove what stands at their place: what names something existing is a stand-in for it. */
int selftest_place_parse_own(const json_t *j, const char *word, struct selftest_place *ret, struct err *err);

/* For operations from one place to another: both fresh, or both stand-ins, of which one's directory holds the other. */
int selftest_places_parse_own(const json_t *pair, const char *word, struct selftest *t, struct err *err);

/* /proc, /sys, /dev: kernel interfaces in the shape of files; what is made, read or written there acts. */
bool selftest_path_is_interface(const char *path);

/* malformed: "do WORD: WHY". */
int selftest_refused(struct err *err, const char *word, const char *why);
