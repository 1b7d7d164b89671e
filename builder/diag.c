/* SPDX-License-Identifier: Apache-2.0 */
#include "diag.h"

#include <stdarg.h>

void diags_done(struct diags *d) {
        for (size_t i = 0; i < d->n; i++) {
                free(d->items[i].file);
                free(d->items[i].text);
        }
        free(d->items);
        *d = (struct diags){};
}

static struct diag *diag_append(struct diags *d) {
        if (d->n == d->cap) {
                size_t cap = d->cap ? d->cap * 2 : 16;
                struct diag *items = reallocarray(d->items, cap, sizeof(*items));

                if (!items)
                        return NULL;
                d->items = items;
                d->cap = cap;
        }
        return &d->items[d->n];
}

static void diag_add(struct diags *d, enum severity severity, struct pos pos, const char *fmt, va_list ap) {
        cleanup_free char *file = strdup(pos.file ?: ""), *text = NULL;
        struct diag *item = diag_append(d);

        if (vasprintf(&text, fmt, ap) < 0)
                text = NULL;
        if (!item || !file || !text)
                return;
        *item = (struct diag){severity, steal_pointer(file), pos.line, pos.column, steal_pointer(text)};
        d->n++;
}

void diag_error(struct diags *d, struct pos pos, const char *fmt, ...) {
        va_list ap;

        va_start(ap, fmt);
        diag_add(d, SEVERITY_ERROR, pos, fmt, ap);
        va_end(ap);
        d->n_errors++;
}

void diag_warning(struct diags *d, struct pos pos, const char *fmt, ...) {
        va_list ap;

        va_start(ap, fmt);
        diag_add(d, SEVERITY_WARNING, pos, fmt, ap);
        va_end(ap);
        d->n_warnings++;
}

void diag_verbatim(struct diags *d, const char *text, bool is_error) {
        cleanup_free char *copy = strdup(text);
        struct diag *item = diag_append(d);

        if (is_error)
                d->n_errors++;
        if (!item || !copy)
                return;
        *item = (struct diag){SEVERITY_VERBATIM, .text = steal_pointer(copy)};
        d->n++;
}

static void put_clean(FILE *f, const char *s) {
        for (; *s; s++)
                putc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, f);
}

void diags_print(const struct diags *d, FILE *f) {
        for (size_t i = 0; i < d->n; i++) {
                const struct diag *item = &d->items[i];

                if (item->severity == SEVERITY_VERBATIM) {
                        fputs(item->text, f);
                        continue;
                }
                put_clean(f, item->file);
                if (item->line > 0)
                        fprintf(f, ":%u:%u", item->line, item->column);
                fputs(item->severity == SEVERITY_ERROR ? ": error: " : ": warning: ", f);
                put_clean(f, item->text);
                putc('\n', f);
        }
}
