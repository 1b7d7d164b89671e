/* SPDX-License-Identifier: Apache-2.0 */
#include "fileio.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>

#ifndef MFD_NOEXEC_SEAL /* linux 6.3 */
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define CHUNK (256 * 1024)
#define SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

int fd_read_all(int fd, size_t max, struct buf *ret, struct err *err) {
        cleanup_buf struct buf b = {};
        size_t room = 4096;
        struct stat st;

        /* A first guess only: files in /proc say 0, and a file may grow while it is read. */
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0)
                room = ((uint64_t)st.st_size < max ? (size_t)st.st_size : max) + 1;
        for (;;) {
                ssize_t n;

                if (b.len > max)
                        return err_set(err, -EFBIG, REASON_TOO_LARGE, "longer than %zu bytes", max);
                if (b.cap <= b.len + 1 && buf_reserve(&b, b.len ? b.len : room) < 0)
                        return err_errno(err, -ENOMEM, "read");
                room = b.cap - b.len - 1;
                if (room > max - b.len) /* one byte beyond the cap tells "exactly max" from "longer" */
                        room = max - b.len + 1;
                n = read(fd, b.data + b.len, room);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_errno(err, -errno, "read");
                if (n == 0)
                        break;
                b.len += (size_t)n;
                b.data[b.len] = 0;
        }
        buf_done(ret);
        *ret = b;
        b = (struct buf){};
        return 0;
}

int memfd_read(int fd, size_t max, struct buf *ret, struct err *err) {
        return lseek(fd, 0, SEEK_SET) < 0 ? err_errno(err, -errno, "memory file") : fd_read_all(fd, max, ret, err);
}

int fd_read_pieces(int fd, uint64_t length, int (*piece)(void *ctx, const void *p, size_t n, struct err *err), void *ctx,
                   struct err *err) {
        cleanup_free char *chunk = malloc(CHUNK);
        uint64_t at = 0;

        if (!chunk)
                return err_errno(err, -ENOMEM, "read");
        while (at < length) {
                ssize_t n = pread(fd, chunk, length - at < CHUNK ? (size_t)(length - at) : CHUNK, (off_t)at);
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return err_errno(err, -errno, "read");
                if (n == 0)
                        return err_set(err, -EBADMSG, REASON_TRUNCATED, "ends after %llu bytes", (unsigned long long)at);
                r = piece(ctx, chunk, (size_t)n, err);
                if (r < 0)
                        return r;
                at += (uint64_t)n;
        }
        return 0;
}

int file_read(int dirfd, const char *path, size_t max, struct buf *ret, struct err *err) {
        cleanup_fd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        int r;

        if (fd < 0)
                return err_errno(err, -errno, "%s", path);
        r = fd_read_all(fd, max, ret, err);
        return r < 0 ? err_wrap(err, r, "%s", path) : 0;
}

int fd_write_all(int fd, const void *p, size_t n) {
        const char *s = p;

        while (n > 0) {
                ssize_t k = write(fd, s, n);

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                s += k;
                n -= (size_t)k;
        }
        return 0;
}

ssize_t fd_read_some(void *fd, void *p, size_t n) {
        ssize_t k;

        do
                k = read(*(int *)fd, p, n);
        while (k < 0 && errno == EINTR);
        return k < 0 ? -errno : k;
}

/* A new file beside the one to be replaced; its name goes to ret_name. */
static int temporary_open(int dirfd, const char *name, char *ret_name, size_t size) {
        for (int i = 0; i < 16; i++) {
                uint64_t salt;
                int fd;

                if (getrandom(&salt, sizeof(salt), 0) != sizeof(salt))
                        return -EIO;
                if ((size_t)snprintf(ret_name, size, ".%.200s.%016llx", name, (unsigned long long)salt) >= size)
                        return -ENAMETOOLONG;
                fd = openat(dirfd, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
                if (fd >= 0 || errno != EEXIST)
                        return fd >= 0 ? fd : -errno;
        }
        return -EEXIST;
}

static int rename_exclusive(int dirfd, const char *from, const char *to) {
        if (renameat2(dirfd, from, dirfd, to, RENAME_NOREPLACE) == 0)
                return 0;
        if (errno != EINVAL)
                return -errno;
        /* File systems without RENAME_NOREPLACE (NFS, 9p): a hard link is as exclusive. */
        if (linkat(dirfd, from, dirfd, to, 0) < 0)
                return -errno;
        return unlinkat(dirfd, from, 0) < 0 ? -errno : 0;
}

static int file_put_at(int dirfd, const char *name, mode_t mode, const void *p, size_t n, bool exclusive) {
        cleanup_fd int fd = -1;
        char tmp[256];
        int r;

        fd = temporary_open(dirfd, name, tmp, sizeof(tmp));
        if (fd < 0)
                return fd;
        r = fd_write_all(fd, p, n);
        if (r < 0)
                goto fail;
        /* By fchmod(), whatever the umask; and before the file has its name. */
        if (fchmod(fd, mode) < 0 || fsync(fd) < 0) {
                r = -errno;
                goto fail;
        }
        if (exclusive)
                r = rename_exclusive(dirfd, tmp, name);
        else
                r = renameat(dirfd, tmp, dirfd, name) < 0 ? -errno : 0;
        if (r < 0)
                goto fail;
        return fsync(dirfd) < 0 ? -errno : 0;
fail:
        unlinkat(dirfd, tmp, 0);
        return r;
}

/* The folder that holds `path`, opened, so that it can be synced; *ret_name points at the last component. */
static int parent_open(int dirfd, const char *path, const char **ret_name) {
        const char *slash = strrchr(path, '/');
        cleanup_free char *dir = NULL;
        int fd;

        *ret_name = slash ? slash + 1 : path;
        if (!**ret_name || streq(*ret_name, ".") || streq(*ret_name, ".."))
                return -EISDIR;
        dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
        if (!dir)
                return -ENOMEM;
        fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int file_put(int dirfd, const char *path, mode_t mode, const void *p, size_t n, bool exclusive, struct err *err) {
        cleanup_fd int parent = -1;
        const char *name;
        int r;

        parent = parent_open(dirfd, path, &name);
        if (parent < 0)
                return err_errno(err, parent, "%s", path);
        r = file_put_at(parent, name, mode, p, n, exclusive);
        return r < 0 ? err_errno(err, r, "%s", path) : 0;
}

int file_replace(int dirfd, const char *name, mode_t mode, const void *p, size_t n, struct err *err) {
        return file_put(dirfd, name, mode, p, n, false, err);
}

int file_create(int dirfd, const char *name, mode_t mode, const void *p, size_t n, struct err *err) {
        return file_put(dirfd, name, mode, p, n, true, err);
}

int memfd_new(const char *name, struct err *err) {
        int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

        if (fd < 0 && errno == EINVAL) /* before 6.3 */
                fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        return fd < 0 ? err_errno(err, -errno, "memfd '%s'", name) : fd;
}

int memfd_seal(int fd, struct err *err) {
        if (lseek(fd, 0, SEEK_SET) < 0 || fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0)
                return err_errno(err, -errno, "seal a memory file");
        return 0;
}

int memfd_sealed(const char *name, const void *p, size_t n, struct err *err) {
        cleanup_fd int fd = memfd_new(name, err);
        int r;

        if (fd < 0)
                return fd;
        r = fd_write_all(fd, p, n);
        if (r < 0)
                return err_errno(err, r, "memfd '%s'", name);
        r = memfd_seal(fd, err);
        return r < 0 ? r : steal_fd(&fd);
}

int memfd_check_sealed(int fd, struct err *err) {
        int seals = fcntl(fd, F_GET_SEALS);

        if (seals < 0 && errno != EINVAL)
                return err_errno(err, -errno, "seals");
        if (seals < 0 || (seals & SEALS) != SEALS)
                return err_set(err, -EBADMSG, REASON_MALFORMED, "not a memory file sealed against every change");
        return 0;
}
