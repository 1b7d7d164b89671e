/* SPDX-License-Identifier: Apache-2.0 */
/* The settings one by one: what they are called, where they are kept, what each may be. */
#pragma once

#include "config.h"

struct setting;

/* section: NULL for the keys at the top; "events.file" for one within another. NULL: no such key. */
const struct setting *setting_find(const char *section, const char *key);
bool setting_is_section(const char *section, const char *key);
/* "a, b, c": the keys and sections of a section, or all that may stand at the top. */
int setting_names(const char *section, struct buf *out);

/* One value, or with `list` as many as there are. Messages say what is expected, not where; *ret_bad: which value is to blame
 * (n: not one alone). */
int setting_set(struct config *c, const struct setting *setting, const char *const *values, size_t n, bool list, size_t *ret_bad,
                struct err *err);

/* Digits alone. */
int number_parse(const char *text, uint64_t *ret);

/* config_check(), and the setting that is to blame ("section", "key"; NULL, NULL when it is not one alone). */
int settings_judge(const struct config *c, const char **ret_section, const char **ret_key, struct err *err);
