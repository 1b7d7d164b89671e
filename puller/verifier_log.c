/* SPDX-License-Identifier: Apache-2.0 */
#include "verifier_log.h"

#include <bpf/libbpf.h>
#include <stdio.h>

#include "buf.h"

#define LOG_MAX (16u << 20)
#define LINES_SHOWN 4

struct verifier_log {
        struct buf text;
};

/* libbpf's callback takes no context. */
static struct verifier_log *installed;

static int print(enum libbpf_print_level level, const char *fmt, va_list ap) {
        if (level <= LIBBPF_WARN && installed->text.len < LOG_MAX)
                return buf_vprintf(&installed->text, fmt, ap);
        return 0;
}

struct verifier_log *verifier_log_install(void) {
        installed = calloc(1, sizeof(*installed));
        if (installed)
                libbpf_set_print(print);
        return installed;
}

void verifier_log_reset(struct verifier_log *log) {
        buf_done(&log->text);
}

const char *verifier_log_text(const struct verifier_log *log) {
        return log->text.data ? log->text.data : "";
}

size_t verifier_log_len(const struct verifier_log *log) {
        return log->text.len;
}

/* Register dumps, source lines and statistics: what the verifier says around its verdict. */
static bool is_noise(const char *line, size_t n) {
        static const char *const starts[] = {"processed ",
                                             "-- ",
                                             "; ",
                                             "R0",
                                             "R1",
                                             "R2",
                                             "R3",
                                             "R4",
                                             "R5",
                                             "R6",
                                             "R7",
                                             "R8",
                                             "R9",
                                             "R10",
                                             "from ",
                                             "last_idx",
                                             "regs=",
                                             "mark_precise",
                                             "frame",
                                             "verification time",
                                             "stack depth",
                                             "libbpf: failed to load object",
                                             "libbpf: failed to load BPF skeleton"};
        size_t digits = 0;

        if (n == 0)
                return true;
        /* "R1 type=... expected=..." is a verdict, "R1=ctx() R2=..." and "R1_w=..." are a dump. */
        if (line[0] == 'R' && memmem(line, n, "=", 1) && !memmem(line, n, "type=", 5) && !memmem(line, n, "invalid", 7) &&
            !memmem(line, n, "should have been", 16))
                return true;
        if (line[0] != 'R')
                for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
                        if (n >= strlen(starts[i]) && memcmp(line, starts[i], strlen(starts[i])) == 0)
                                return true;
        while (digits < n && line[digits] >= '0' && line[digits] <= '9')
                digits++;
        return digits > 0 && digits < n && line[digits] == ':'; /* an instruction */
}

/* Newer kernels (7.3) explain their verdict at length behind it: the heading of that is the last line that matters. */
static size_t verdict_end(const char *log, size_t n) {
        static const char heading[] = "\nVerification failed: ";
        const char *p = n > 0 ? memmem(log, n, heading, strlen(heading)) : NULL, *end;

        if (!p)
                return n;
        end = memchr(p + 1, '\n', n - (size_t)(p + 1 - log));
        return end ? (size_t)(end + 1 - log) : n;
}

void verifier_log_trim(const char *log, size_t n, char *ret, size_t size) {
        const char *lines[LINES_SHOWN];
        size_t lens[LINES_SHOWN], kept = 0, at = verdict_end(log, n);

        while (at > 0 && kept < LINES_SHOWN) {
                const char *end = log + at, *start;

                start = memrchr(log, '\n', at - 1);
                start = start ? start + 1 : log;
                if (start == end)
                        break;
                lens[kept] = (size_t)(end - start) - (end[-1] == '\n');
                lines[kept] = start;
                if (!is_noise(lines[kept], lens[kept]))
                        kept++;
                at = (size_t)(start - log);
        }
        ret[0] = '\0';
        for (size_t i = kept, used = 0; i-- > 0 && used < size;)
                used += (size_t)snprintf(ret + used, size - used, "%s%.*s", used ? "\n  " : "",
                                         (int)(lens[i] > 200 ? 200 : lens[i]), lines[i]);
}

/* A hook or a helper that this kernel has not. It says so in these words: of a number beyond its helpers, of one that LSM programs
 * do not get (until 6.9, and since), and libbpf of a hook. */
static bool is_unsupported(const char *text) {
        static const char *const words[] = {"invalid func unknown#", "unknown func ", "program of this type cannot use helper ",
                                            "failed to find kernel BTF type ID"};

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (strstr(text, words[i]))
                        return true;
        return false;
}

void verifier_log_explain(const struct verifier_log *log, int r, const char *policy, struct err *err) {
        const char *text = verifier_log_text(log);
        enum reason reason = REASON_VERIFIER_REJECTED;
        char trimmed[1200];

        if (r == -ENOMEM || r == -ENOSPC || r == -EAGAIN || r == -EINTR)
                reason = REASON_LOAD_FAILED;
        else if (strstr(text, "BEGIN PROG LOAD LOG") == NULL && (r == -EPERM || r == -ENFILE || r == -EMFILE))
                reason = REASON_LOAD_FAILED;
        else if (r == -ESRCH || is_unsupported(text))
                reason = REASON_KERNEL_UNSUPPORTED;
        verifier_log_trim(text, verifier_log_len(log), trimmed, sizeof(trimmed));
        err_set(err, r, reason, "policy '%s' does not load on this kernel (%s):\n  %s", policy, strerror(-r), trimmed);
}
