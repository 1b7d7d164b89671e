/* SPDX-License-Identifier: Apache-2.0 */
#include "depfile.h"

#include "buf.h"

/* One word; make's quoting: "\ " and "\#" stand for the character, "$$" for "$", "\" at a line's end for white space. */
static const char *word_read(const char *p, const char *end, struct buf *word, int *ret_error) {
        *ret_error = 0;
        for (;;) {
                if (p + 1 < end && p[0] == '\\' && p[1] == '\n')
                        p += 2;
                else if (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
                        p++;
                else
                        break;
        }
        while (p < end && *p != ' ' && *p != '\t' && *p != '\n' && *p != '\r') {
                if (p + 1 < end && p[0] == '\\' && p[1] == '\n')
                        break;
                if (p + 1 < end && p[0] == '\\' && (p[1] == ' ' || p[1] == '#'))
                        p++;
                else if (p + 1 < end && p[0] == '$' && p[1] == '$')
                        p++;
                *ret_error = buf_append(word, p++, 1);
                if (*ret_error < 0)
                        break;
        }
        return p;
}

int depfile_parse(const void *p, size_t n, struct strv *ret, struct err *err) {
        const char *at = p, *end = at + n, *colon = memchr(p, ':', n);
        int e;

        if (!colon)
                return err_set(err, -EBADMSG, REASON_NONE, "the compiler's list of included files cannot be read");
        for (at = colon + 1; at < end;) {
                cleanup_buf struct buf word = {};

                at = word_read(at, end, &word, &e);
                if (e == 0 && word.len > 0)
                        e = strv_add(ret, word.data);
                if (e < 0)
                        return err_errno(err, e, "included files");
        }
        return 0;
}
