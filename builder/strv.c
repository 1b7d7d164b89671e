/* SPDX-License-Identifier: Apache-2.0 */
#include "strv.h"

#include <stdarg.h>
#include <stdio.h>

void strv_done(struct strv *s) {
        for (size_t i = 0; i < s->n; i++)
                free(s->v[i]);
        free(s->v);
        *s = (struct strv){};
}

/* Takes text, also on failure. */
static int insert(struct strv *s, size_t at, char *text) {
        char **v = text ? reallocarray(s->v, s->n + 2, sizeof(*v)) : NULL;

        if (!v) {
                free(text);
                return -ENOMEM;
        }
        s->v = v;
        memmove(&v[at + 1], &v[at], (s->n - at) * sizeof(*v));
        v[at] = text;
        v[++s->n] = NULL;
        return 0;
}

int strv_add(struct strv *s, const char *text) {
        return insert(s, s->n, strdup(text));
}

int strv_addf(struct strv *s, const char *fmt, ...) {
        char *text = NULL;
        va_list ap;
        int r;

        va_start(ap, fmt);
        r = vasprintf(&text, fmt, ap);
        va_end(ap);
        return insert(s, s->n, r < 0 ? NULL : text);
}

int strv_add_set(struct strv *s, const char *text) {
        size_t at = 0;

        while (at < s->n && strcmp(s->v[at], text) < 0)
                at++;
        return at < s->n && streq(s->v[at], text) ? 0 : insert(s, at, strdup(text));
}

bool strv_has(const struct strv *s, const char *text) {
        for (size_t i = 0; i < s->n; i++)
                if (streq(s->v[i], text))
                        return true;
        return false;
}
