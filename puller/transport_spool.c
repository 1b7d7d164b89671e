/* SPDX-License-Identifier: Apache-2.0 */
#include "transport_spool.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "fileio.h"
#include "https.h"
#include "transport_names.h"

#define CONTENT "partial"
#define LABEL "partial.of" /* path, newline, validator, newline */
#define LABEL_MAX (TRANSPORT_PATH_MAX + TRANSPORT_VALIDATOR_MAX + 2)

static void spool_clear(int spool) {
        unlinkat(spool, LABEL, 0);
        unlinkat(spool, CONTENT, 0);
}

/* Is the label this path's? Then the validator with it. */
static void label_read(struct partial *p) {
        cleanup_buf struct buf label = {};
        size_t n = strlen(p->path), len;
        const char *validator, *end;

        if (file_read(p->spool, LABEL, LABEL_MAX, &label, NULL) < 0 || label.len <= n || strlen(label.data) != label.len ||
            strncmp(label.data, p->path, n) != 0 || label.data[n] != '\n')
                return;
        validator = label.data + n + 1;
        end = strchr(validator, '\n');
        len = end ? (size_t)(end - validator) : 0;
        if (!end || end[1] || len >= sizeof(p->validator))
                return;
        memcpy(p->validator, validator, len);
        p->validator[len] = 0;
        if (!https_validator_valid(p->validator))
                p->validator[0] = 0;
}

int partial_open(struct partial *p, int spool, const char *path, uint64_t max, struct err *err) {
        struct stat st;

        *p = (struct partial){.spool = spool, .fd = -1, .path = path};
        if (spool < 0) {
                p->fd = memfd_new("file", err);
                return p->fd < 0 ? p->fd : 0;
        }
        label_read(p);
        if (!p->validator[0])
                spool_clear(spool);
        p->fd = openat(spool, CONTENT, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        if (p->fd < 0 || fstat(p->fd, &st) < 0)
                return err_errno(err, -errno, "spool: %s", CONTENT);
        if (!S_ISREG(st.st_mode))
                return err_set(err, -EINVAL, REASON_NOT_A_FILE, "spool: %s", CONTENT);
        p->size = st.st_size;
        if (p->size > max)
                return partial_restart(p, err);
        if (lseek(p->fd, p->size, SEEK_SET) < 0)
                return err_errno(err, -errno, "spool: %s", CONTENT);
        return 0;
}

int partial_restart(struct partial *p, struct err *err) {
        p->validator[0] = 0;
        p->size = 0;
        if (p->spool >= 0)
                unlinkat(p->spool, LABEL, 0); /* first: what is there must never be taken for more than it is */
        if (ftruncate(p->fd, 0) < 0 || lseek(p->fd, 0, SEEK_SET) < 0)
                return err_errno(err, -errno, "spool: %s", CONTENT);
        return 0;
}

int partial_begin(struct partial *p, bool rest, const char *validator, struct err *err) {
        cleanup_buf struct buf label = {};
        int r;

        if (rest) {
                p->resumed = true;
                return 0;
        }
        r = partial_restart(p, err);
        if (r < 0 || !validator[0])
                return r;
        strcpy(p->validator, validator);
        if (p->spool < 0)
                return 0;
        r = buf_printf(&label, "%s\n%s\n", p->path, validator);
        return r < 0 ? err_errno(err, r, "spool") : file_replace(p->spool, LABEL, 0600, label.data, label.len, err);
}

int partial_append(struct partial *p, const void *data, size_t n, struct err *err) {
        int r = fd_write_all(p->fd, data, n);

        if (r < 0) {
                /* A full disk is not made emptier by what is kept for later. */
                partial_restart(p, NULL);
                return err_errno(err, r, "spool: %s", CONTENT);
        }
        p->size += n;
        return 0;
}

int partial_take(struct partial *p, int *ret_fd, struct err *err) {
        if (lseek(p->fd, 0, SEEK_SET) < 0)
                return err_errno(err, -errno, "spool: %s", CONTENT);
        if (p->spool >= 0)
                spool_clear(p->spool);
        *ret_fd = steal_fd(&p->fd);
        return 0;
}

void partial_close(struct partial *p) {
        if (p->fd < 0)
                return;
        if (p->spool >= 0 && (!p->validator[0] || p->size == 0))
                spool_clear(p->spool);
        close_p(&p->fd);
        p->fd = -1;
}
