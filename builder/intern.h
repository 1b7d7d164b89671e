/* SPDX-License-Identifier: Apache-2.0 */
/* Strings of bytes, each kept once and numbered from 0 in the order in which they came. */
#pragma once

#include "util.h"

struct intern;
struct intern *intern_new(void);
void intern_free(struct intern *in);
static inline void intern_free_p(struct intern **in) {
        intern_free(*in);
}
#define cleanup_intern cleanup(intern_free_p)

/* The number of these bytes; -ENOMEM. */
int64_t intern_add(struct intern *in, const void *p, size_t n);
size_t intern_count(const struct intern *in);
/* Until the next intern_add(). */
const void *intern_get(const struct intern *in, size_t number, size_t *ret_n);
