/* SPDX-License-Identifier: Apache-2.0 */
/* A list of strings that it owns, NULL-terminated: command lines, paths, sets of names. */
#pragma once

#include "util.h"

struct strv {
        char **v;
        size_t n;
};

void strv_done(struct strv *s);
#define cleanup_strv cleanup(strv_done)
/* 0 or -ENOMEM. */
int strv_add(struct strv *s, const char *text);
int strv_addf(struct strv *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Keeps s sorted and adds what is not there yet. */
int strv_add_set(struct strv *s, const char *text);
bool strv_has(const struct strv *s, const char *text);
