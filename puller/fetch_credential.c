/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch_credential.h"

#include "fileio.h"

int credential_read(int fd, size_t max, const char *name, struct buf *b, const struct buf **ret, struct err *err) {
        int r;

        *ret = NULL;
        if (fd < 0)
                return 0;
        r = fd_read_all(fd, max, b, err);
        if (r < 0)
                return err_wrap(err, r, "%s", name);
        *ret = b;
        return 0;
}

int token_read(int fd, size_t max, struct buf *b, const char **ret, struct err *err) {
        const struct buf *file;
        int r = credential_read(fd, max, "token", b, &file, err);

        *ret = NULL;
        if (r < 0 || !file)
                return r;
        while (b->len > 0 && strchr(" \t\r\n", b->data[b->len - 1]))
                b->data[--b->len] = 0;
        for (size_t i = 0; i < b->len; i++)
                if (b->data[i] <= ' ' || b->data[i] > '~')
                        return err_set(err, -EINVAL, REASON_CONFIG, "token: one word of printable characters is wanted");
        if (b->len == 0)
                return err_set(err, -EINVAL, REASON_CONFIG, "token: the file is empty");
        *ret = b->data;
        return 0;
}
