/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Findings in somebody's sources, each with its place, collected so that all of them are reported and not only the first.
 * Printed as compilers do it (FILE:LINE:COLUMN: error: TEXT), so that editors and CI understand them.
 */
#pragma once

#include <stdio.h>

#include "util.h"

/* A place in a source file. line 0: the file as a whole. `file` is borrowed. */
struct pos {
        const char *file;
        unsigned line, column;
};

enum severity { SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_VERBATIM };

struct diag {
        enum severity severity;
        char *file;
        unsigned line, column;
        char *text;
};

struct diags {
        struct diag *items;
        size_t n, cap;
        size_t n_errors, n_warnings; /* counted even when there was no memory for the text */
};

void diags_done(struct diags *d);
#define cleanup_diags cleanup(diags_done)
void diag_error(struct diags *d, struct pos pos, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void diag_warning(struct diags *d, struct pos pos, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Another program's own diagnostics (clang's), printed as they are. */
void diag_verbatim(struct diags *d, const char *text, bool is_error);
/* Control characters are replaced: names and texts come from files. */
void diags_print(const struct diags *d, FILE *f);
