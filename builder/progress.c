/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

void progress_show(void *ctx, size_t done, size_t n) {
        if (isatty(STDERR_FILENO))
                fprintf(stderr, "\r\033[K%s %zu/%zu", (const char *)ctx, done, n);
}

void progress_end(void) {
        if (isatty(STDERR_FILENO))
                fputs("\r\033[K", stderr);
}
