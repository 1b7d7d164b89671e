/* SPDX-License-Identifier: Apache-2.0 */
#include "err.h"

#include <stdio.h>
#include <string.h>

#include "util.h"

static const struct {
        const char *word;
        int exit_code;
} reasons[REASON_COUNT] = {
#define X(id, word, code) [id] = {word, code},
        REASONS(X)
#undef X
};

const char *reason_word(enum reason reason) {
        return reason >= 0 && reason < REASON_COUNT ? reasons[reason].word : "";
}

int reason_exit_code(enum reason reason) {
        return reason >= 0 && reason < REASON_COUNT ? reasons[reason].exit_code : 1;
}

enum reason reason_from_word(const char *word) {
        for (int i = REASON_NONE + 1; i < REASON_COUNT; i++)
                if (streq(reasons[i].word, word))
                        return i;
        return REASON_NONE;
}

int err_set(struct err *err, int r, enum reason reason, const char *fmt, ...) {
        if (err) {
                va_list ap;

                err->reason = reason;
                va_start(ap, fmt);
                vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
                va_end(ap);
        }
        return r;
}

int err_errno(struct err *err, int r, const char *fmt, ...) {
        if (err) {
                va_list ap;
                size_t n;

                err->reason = REASON_NONE;
                va_start(ap, fmt);
                vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
                va_end(ap);
                n = strlen(err->msg);
                snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", strerror(-r));
        }
        return r;
}

int err_wrap(struct err *err, int r, const char *fmt, ...) {
        if (err) {
                char old[sizeof(err->msg)];
                va_list ap;
                size_t n;

                memcpy(old, err->msg, sizeof(old));
                va_start(ap, fmt);
                vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
                va_end(ap);
                n = strlen(err->msg);
                snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", old);
        }
        return r;
}

int err_exit_code(const struct err *err, int r) {
        return r >= 0 ? 0 : reason_exit_code(err->reason);
}
