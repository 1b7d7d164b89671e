/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as text: nothing here looks at files. Results are the caller's to free; NULL: no memory. */
#pragma once

#include "util.h"

/* DIR/PATH, or PATH when it is absolute. */
char *path_join(const char *dir, const char *path);
/* Without "." and "//", and with "x/.." taken away. Of an absolute path. */
char *path_normal(const char *path);
/* The deepest directory above both absolute, normal paths (each names a directory). */
char *path_common(const char *a, const char *b);
/* Normal absolute path as seen from the normal absolute directory; "../" where it lies outside. */
char *path_relative(const char *dir, const char *path);
bool path_under(const char *dir, const char *path);
/* The part before the last '/', "." when there is none. */
char *path_dir(const char *path);
/* As people know it: relative to the current directory where it lies below that, else as it is. */
char *path_shown(const char *path);
