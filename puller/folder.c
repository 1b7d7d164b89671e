/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "digest.h"

#define SALT_LEN 16 /* hex digits */
#define NAMES_MAX 65536
#define DEPTH_MAX 16

int folder_open(int dirfd, const char *name, bool create, struct err *err) {
        const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        int fd = openat(dirfd, name, flags);

        if (fd < 0 && errno == ENOENT && create) {
                if ((mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST) || fsync(dirfd) < 0)
                        return err_errno(err, -errno, "%s", name);
                fd = openat(dirfd, name, flags);
        }
        if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
                return err_set(err, -EBADMSG, REASON_NOT_A_FILE, "%s: not a folder", name);
        return fd < 0 ? err_errno(err, -errno, "%s", name) : fd;
}

int regular_open(int dirfd, const char *name, struct err *err) {
        /* Not blocking: opening a FIFO would wait for a writer. */
        cleanup_fd int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat st;

        if (fd < 0 && (errno == ELOOP || errno == ENXIO))
                return err_set(err, -EBADMSG, REASON_NOT_A_FILE, "%s: not a regular file", name);
        if (fd < 0)
                return err_errno(err, -errno, "%s", name);
        if (fstat(fd, &st) < 0)
                return err_errno(err, -errno, "%s", name);
        if (!S_ISREG(st.st_mode))
                return err_set(err, -EBADMSG, REASON_NOT_A_FILE, "%s: not a regular file", name);
        return steal_fd(&fd);
}

void names_done(struct names *names) {
        for (size_t i = 0; i < names->n; i++)
                free(names->list[i]);
        free(names->list);
        *names = (struct names){};
}

static int names_add(struct names *names, const char *name, struct err *err) {
        char **list;

        if (names->n >= NAMES_MAX)
                return err_set(err, -EFBIG, REASON_TOO_LARGE, "a folder of more than %d entries", NAMES_MAX);
        list = reallocarray(names->list, names->n + 1, sizeof(*list));
        if (!list)
                return err_errno(err, -ENOMEM, "folder");
        names->list = list;
        list[names->n] = strdup(name);
        if (!list[names->n])
                return err_errno(err, -ENOMEM, "folder");
        names->n++;
        return 0;
}

static int name_compare(const void *a, const void *b) {
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static void closedir_p(DIR **d) {
        if (*d)
                closedir(*d);
}

int folder_list(int fd, struct names *ret, struct err *err) {
        cleanup(closedir_p) DIR *d = NULL;
        cleanup_names struct names names = {};
        struct dirent *e;
        int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r; /* a position of its own */

        if (own < 0)
                return err_errno(err, -errno, "folder");
        d = fdopendir(own);
        if (!d) {
                r = err_errno(err, -errno, "folder");
                close(own);
                return r;
        }
        while (errno = 0, (e = readdir(d))) {
                if (streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                r = names_add(&names, e->d_name, err);
                if (r < 0)
                        return r;
        }
        if (errno)
                return err_errno(err, -errno, "folder");
        if (names.n)
                qsort(names.list, names.n, sizeof(*names.list), name_compare);
        *ret = names;
        names = (struct names){};
        return 0;
}

/* ".NAME.SALT" */
static bool is_temporary_file(const char *name) {
        const char *salt = strrchr(name, '.');
        uint8_t bytes[SALT_LEN / 2];

        return name[0] == '.' && salt != name && hex_decode(salt + 1, bytes, sizeof(bytes)) == 0;
}

int folder_tidy(int fd, struct err *err) {
        cleanup_names struct names names = {};
        int r = folder_list(fd, &names, err);

        for (size_t i = 0; r >= 0 && i < names.n; i++)
                if (is_temporary_file(names.list[i]) && unlinkat(fd, names.list[i], 0) < 0 && errno != ENOENT && errno != EISDIR)
                        r = err_errno(err, -errno, "%s", names.list[i]);
        return r;
}

static int remove_at(int dirfd, const char *name, dev_t dev, int depth, struct err *err);

static int remove_content(int fd, dev_t dev, int depth, struct err *err) {
        cleanup_names struct names names = {};
        int r = folder_list(fd, &names, err);

        for (size_t i = 0; r >= 0 && i < names.n; i++)
                r = remove_at(fd, names.list[i], dev, depth + 1, err);
        return r;
}

static int remove_at(int dirfd, const char *name, dev_t dev, int depth, struct err *err) {
        cleanup_fd int fd = -1;
        struct stat st;
        int r;

        if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR && errno != EPERM) /* POSIX and Linux differ on what unlinking a folder is */
                return err_errno(err, -errno, "%s", name);
        if (depth >= DEPTH_MAX)
                return err_set(err, -ELOOP, REASON_NONE, "%s: more than %d folders deep", name, DEPTH_MAX);
        fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return err_errno(err, -errno, "%s", name);
        if (st.st_dev != dev)
                return err_errno(err, -EXDEV, "%s", name);
        r = remove_content(fd, dev, depth, err);
        if (r < 0)
                return err_wrap(err, r, "%s", name);
        return unlinkat(dirfd, name, AT_REMOVEDIR) < 0 ? err_errno(err, -errno, "%s", name) : 0;
}

int folder_remove(int dirfd, const char *name, struct err *err) {
        struct stat st;

        if (fstat(dirfd, &st) < 0)
                return err_errno(err, -errno, "%s", name);
        return remove_at(dirfd, name, st.st_dev, 0, err);
}
