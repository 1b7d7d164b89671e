/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of a bundle's file as people wrote them: from sources/NAME.yaml, which nodes do not read. */
#pragma once

#include "bundle_file.h"

/* The policies that are written as rules and became this one: [{"name", "mode", "scope"}...]; NULL: it is an ordinary one. */
const json_t *rules_shown_policies(const struct bundle_file *f, size_t policy);
/* The text of a policy's rules; NULL: it is not in the bundle. */
const struct buf *rules_shown_text(const struct bundle_file *f, const char *name);

/* What is said of one policy: {"default": {OPERATION: POSTURE}, "rules": {ID: RULE}}. -EBADMSG: the text is none that we know. */
int rules_shown_parse(const struct buf *text, json_t **ret);

/* For `inspect`: appends all texts. */
int rules_shown_append(const struct bundle_file *f, struct buf *out);
/* {NAME: TEXT}; NULL: no memory. */
json_t *rules_shown_json(const struct bundle_file *f);
