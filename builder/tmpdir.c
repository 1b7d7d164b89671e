/* SPDX-License-Identifier: Apache-2.0 */
#include "tmpdir.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>

int tmpdir_make(struct tmpdir *ret, struct err *err) {
        const char *dir = getenv("TMPDIR");
        cleanup_free char *base = realpath(dir && dir[0] == '/' ? dir : "/tmp", NULL), *path = NULL;
        int fd;

        if (!base)
                return err_errno(err, -errno, "cannot find the directory for temporary files");
        if (asprintf(&path, "%s/lsmbundle-XXXXXX", base) < 0) {
                path = NULL;
                return err_errno(err, -ENOMEM, "temporary directory");
        }
        if (!mkdtemp(path))
                return err_errno(err, -errno, "cannot make a directory in '%s'", base);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) {
                int e = -errno;

                rmdir(path);
                return err_errno(err, e, "cannot open '%s'", path);
        }
        *ret = (struct tmpdir){steal_pointer(path), fd};
        return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)remove(path); /* what stays behind must not hide the outcome of the build */
        return 0;
}

void tmpdir_done(struct tmpdir *dir) {
        if (dir->fd >= 0)
                close(dir->fd);
        if (dir->path)
                nftw(dir->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        free(dir->path);
        *dir = (struct tmpdir)TMPDIR_INIT;
}
