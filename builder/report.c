/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong, said once, on stderr. */
#include <stdarg.h>
#include <stdio.h>

#include "cmd.h"

int usage_error(const struct command *command, const char *fmt, ...) {
        va_list ap;

        fprintf(stderr, "lsmbundle: %s: ", command->name);
        va_start(ap, fmt);
        vfprintf(stderr, fmt, ap);
        va_end(ap);
        fprintf(stderr, ": see lsmbundle %s --help\n", command->name);
        return reason_exit_code(REASON_USAGE);
}

/* Messages may quote what comes from a file: no control character reaches the terminal. */
static void put_line(const char *s) {
        for (; *s; s++)
                putc((unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s, stderr);
        putc('\n', stderr);
}

int report_error(const char *what, const struct err *err, int e) {
        int code = err_exit_code(err, e);

        fputs("lsmbundle: ", stderr);
        if (code == 3 || code == 4)
                fprintf(stderr, "%s: %s: ", code == 3 ? "refused" : "failed", reason_word(err->reason));
        if (what)
                fprintf(stderr, "%s: ", what);
        put_line(err->msg);
        return code;
}

int output_end(int code) {
        if (fflush(stdout) == 0 && !ferror(stdout))
                return code;
        fprintf(stderr, "lsmbundle: cannot write the output: %s\n", strerror(errno));
        return code != 0 ? code : 1;
}
