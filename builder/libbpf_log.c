/* SPDX-License-Identifier: Apache-2.0 */
#include "libbpf_log.h"

#include <bpf/libbpf.h>

/* libbpf's print function takes no context: a pointer per thread is the only way in. */
static __thread struct buf *log_text;

static int log_print(enum libbpf_print_level level, const char *fmt, va_list ap) {
        if (log_text && level == LIBBPF_WARN)
                return buf_vprintf(log_text, fmt, ap);
        return 0;
}

void libbpf_log_begin(struct buf *text) {
        log_text = text;
        libbpf_set_print(log_print);
}

void libbpf_log_end(void) {
        log_text = NULL;
}

const char *libbpf_log_last(struct buf *text) {
        char *line;

        while (text->len > 0 && text->data[text->len - 1] == '\n')
                text->data[--text->len] = '\0';
        if (text->len == 0)
                return "";
        line = strrchr(text->data, '\n');
        line = line ? line + 1 : text->data;
        return strncmp(line, "libbpf: ", 8) == 0 ? line + 8 : line;
}
