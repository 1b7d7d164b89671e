/* SPDX-License-Identifier: Apache-2.0 */
#include "tuf_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fileio.h"
#include "tuf_path.h"

#define ROOT_NAME_SIZE 40

/* Not O_NOFOLLOW: the folder is the caller's own. But never a pipe or a device, which could make us wait. */
static int load(int dirfd, const char *name, uint64_t max, struct buf *ret, struct err *err) {
        cleanup_fd int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        struct stat st;
        int r;

        if (fd < 0)
                return errno == ENOENT ? -ENOENT : err_errno(err, -errno, "%s", name);
        if (fstat(fd, &st) < 0)
                return err_errno(err, -errno, "%s", name);
        if (!S_ISREG(st.st_mode))
                return err_set(err, -EINVAL, REASON_NOT_A_FILE, "%s is not a file", name);
        r = fd_read_all(fd, max, ret, err);
        return r < 0 ? err_wrap(err, r, "%s", name) : 0;
}

int tuf_store_load(const struct tuf_store *s, const char *role, uint64_t max, struct buf *ret, struct err *err) {
        cleanup_buf struct buf name = {};
        int r = tuf_metadata_name(role, 0, &name, err);

        return r < 0 ? r : load(s->dirfd, name.data, max, ret, err);
}

int tuf_store_save(const struct tuf_store *s, const char *role, const void *p, size_t n, struct err *err) {
        cleanup_buf struct buf name = {};
        int r = tuf_metadata_name(role, 0, &name, err);

        return r < 0 ? r : file_replace(s->dirfd, name.data, 0644, p, n, err);
}

int tuf_store_remove(const struct tuf_store *s, const char *role, struct err *err) {
        cleanup_buf struct buf name = {};
        int r = tuf_metadata_name(role, 0, &name, err);

        if (r < 0)
                return r;
        if (unlinkat(s->dirfd, name.data, 0) < 0)
                return errno == ENOENT ? 0 : err_errno(err, -errno, "remove %s", name.data);
        return fsync(s->dirfd) < 0 ? err_errno(err, -errno, "remove %s", name.data) : 0;
}

static void root_name(long long version, char ret[static ROOT_NAME_SIZE]) {
        snprintf(ret, ROOT_NAME_SIZE, "%lld.root", version);
}

int tuf_store_load_root(const struct tuf_store *s, long long version, uint64_t max, struct buf *ret, struct err *err) {
        char name[ROOT_NAME_SIZE];

        root_name(version, name);
        return s->history ? load(s->dirfd, name, max, ret, err) : -ENOENT;
}

int tuf_store_save_root(const struct tuf_store *s, long long version, const void *p, size_t n, struct err *err) {
        char name[ROOT_NAME_SIZE];

        root_name(version, name);
        return s->history ? file_replace(s->dirfd, name, 0644, p, n, err) : 0;
}
