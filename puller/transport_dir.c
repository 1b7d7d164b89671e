/* SPDX-License-Identifier: Apache-2.0 */
/* A folder: tests, nodes without a network, USB sticks. Links are not followed, not even within it. */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "fileio.h"
#include "transport_parts.h"

struct dir_transport {
        struct transport base;
        int fd;
};

static int open_error(int e, struct err *err) {
        if (e == ENOENT)
                return err_set(err, -ENOENT, REASON_NONE, "there is no such file");
        if (e == ELOOP || e == ENOTDIR)
                return err_set(err, -EINVAL, REASON_NOT_A_FILE, "a link, or a file where a folder should be");
        return err_errno(err, e == EPERM ? -EACCES : -e, "open"); /* -EPERM is what web servers forbid */
}

/* By components, each without following a link: openat2() is not there before Linux 5.6, and not in the sandbox. */
static int file_open(int dir, const char *path, uint64_t max, struct err *err) {
        cleanup_fd int at = -1, fd = -1;
        struct stat st;

        for (;;) {
                char name[NAME_MAX + 1];
                size_t n = strcspn(path, "/");
                int next;

                if (n > NAME_MAX)
                        return err_set(err, -ENOENT, REASON_NONE, "there is no such file");
                memcpy(name, path, n);
                name[n] = 0;
                if (!path[n]) {
                        /* O_NONBLOCK: whoever put a pipe there must not hold us up. */
                        fd = openat(at >= 0 ? at : dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
                        break;
                }
                next = openat(at >= 0 ? at : dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (next < 0)
                        return open_error(errno, err);
                close_p(&at);
                at = next;
                path += n + 1;
        }
        if (fd < 0)
                return open_error(errno, err);
        if (fstat(fd, &st) < 0)
                return err_errno(err, -errno, "file");
        if (!S_ISREG(st.st_mode))
                return err_set(err, -EINVAL, REASON_NOT_A_FILE, "not a regular file");
        if ((uint64_t)st.st_size > max)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "longer than %llu bytes", (unsigned long long)max);
        return steal_fd(&fd);
}

static int dir_read(struct dir_transport *d, const char *path, uint64_t max, int (*sink)(void *ctx, const void *p, size_t n),
                    void *ctx, struct err *err) {
        cleanup_fd int fd = file_open(d->fd, path, max, err);
        uint64_t total = 0;
        char chunk[65536];
        ssize_t n;

        if (fd < 0)
                return fd;
        d->base.stats.requests++;
        while ((n = fd_read_some(&fd, chunk, sizeof(chunk))) > 0) {
                int r = transport_received(&d->base, n, err);

                if (r == 0 && (total += n) > max) /* it grows */
                        r = err_set(err, -EFBIG, REASON_TOO_LARGE, "longer than %llu bytes", (unsigned long long)max);
                if (r < 0)
                        return r;
                r = sink(ctx, chunk, n);
                if (r < 0)
                        return err_errno(err, r, "copy");
        }
        return n < 0 ? err_errno(err, n, "read") : 0;
}

static int to_buf(void *ctx, const void *p, size_t n) {
        return buf_append(ctx, p, n);
}
static int to_fd(void *ctx, const void *p, size_t n) {
        return fd_write_all(*(int *)ctx, p, n);
}

static int dir_get(struct transport *t, const char *path, uint64_t max, struct transport_seen *seen, bool *ret_changed,
                   struct buf *out, struct err *err) {
        struct dir_transport *d = (struct dir_transport *)t;
        int r = dir_read(d, path, max, to_buf, out, err);

        return r < 0 ? err_wrap(err, r, "%s/%s", t->req.url, path) : 0;
}

/* A copy: what a stick's owner changes afterwards must not matter. */
static int dir_get_file(struct transport *t, const char *path, uint64_t max, int *ret_fd, struct err *err) {
        struct dir_transport *d = (struct dir_transport *)t;
        cleanup_fd int fd = memfd_new("file", err);
        int r = fd < 0 ? fd : dir_read(d, path, max, to_fd, &fd, err);

        if (r < 0)
                return err_wrap(err, r, "%s/%s", t->req.url, path);
        if (lseek(fd, 0, SEEK_SET) < 0)
                return err_errno(err, -errno, "file");
        *ret_fd = steal_fd(&fd);
        return 0;
}

static void dir_close(struct transport *t) {
        close_p(&((struct dir_transport *)t)->fd);
        free(t);
}

static const struct transport_ops dir_ops = {.get = dir_get, .get_file = dir_get_file, .close = dir_close};

int transport_dir_new(const struct transport_request *req, struct transport **ret, struct err *err) {
        struct dir_transport *d;
        int fd = open(req->url, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0) /* not -ENOENT, which is for files of a source that is there */
                return errno == ENOENT ? err_set(err, -EIO, REASON_NONE, "%s: there is no such folder", req->url)
                                       : err_errno(err, -errno, "%s", req->url);
        d = calloc(1, sizeof(*d));
        if (!d) {
                close(fd);
                return err_errno(err, -ENOMEM, "source");
        }
        d->base = (struct transport){.ops = &dir_ops, .req = *req};
        d->fd = fd;
        *ret = &d->base;
        return 0;
}
