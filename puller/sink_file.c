/* SPDX-License-Identifier: Apache-2.0 */
#include "sink_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "util.h"

#define SUFFIX_MAX 5 /* ".100" and the NUL */
#define TAIL_MAX SINK_FILE_MIN

/* ---- the folder ---------------------------------------------------------------------------------------------------- */

bool sink_file_path_valid(const char *path) {
        const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

        return path[0] == '/' && slash > path && strlen(path) < PATH_MAX && *name && !streq(name, ".") && !streq(name, "..") &&
               strlen(name) + SUFFIX_MAX <= sizeof(((struct sink_file *)0)->name);
}

int sink_file_prepare(struct sink_file *s, const char *path, uid_t uid, gid_t gid, struct err *err) {
        const char *slash = strrchr(path, '/');
        cleanup_fd int dir = -1;
        char folder[PATH_MAX];
        bool made;

        if (!sink_file_path_valid(path))
                return err_set(err, -EINVAL, REASON_CONFIG, "'%s' cannot be a file of events", path);
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
        made = mkdir(folder, 0750) == 0;
        if (!made && errno != EEXIST)
                return err_errno(err, -errno, "%s", folder);
        dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return err_errno(err, -errno, "%s", folder);
        /* One that was there may be anybody's: giving it away would be a gift to whoever takes over the reporter. */
        if (made && geteuid() == 0 && fchown(dir, uid, gid) < 0)
                return err_errno(err, -errno, "%s", folder);
        snprintf(s->name, sizeof(s->name), "%s", slash + 1);
        s->dir = steal_fd(&dir);
        return 0;
}

static void file_close(struct sink_file *s) {
        close_p(&s->fd);
        s->fd = -1;
}

void sink_file_done(struct sink_file *s) {
        file_close(s);
        close_p(&s->dir);
        s->dir = -1;
}

/* ---- the file ------------------------------------------------------------------------------------------------------ */

/* NAME, or NAME.NUMBER. */
static const char *name_of(const struct sink_file *s, unsigned number, char ret[static NAME_MAX + 1]) {
        if (number == 0)
                snprintf(ret, NAME_MAX + 1, "%s", s->name);
        else
                snprintf(ret, NAME_MAX + 1, "%s.%u", s->name, number);
        return ret;
}

static bool exists(const struct sink_file *s, unsigned number) {
        char name[NAME_MAX + 1];
        struct stat st;

        return fstatat(s->dir, name_of(s, number, name), &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* How long the file is without a last line that was not finished. */
static int whole_lines(int fd, uint64_t size, uint64_t *ret) {
        static const char begin[] = "{\"v\":";
        uint64_t from = size > TAIL_MAX ? size - TAIL_MAX : 0;
        cleanup_free char *tail = malloc(TAIL_MAX);
        const char *newline, *rest;
        ssize_t n;
        size_t len;

        if (!tail)
                return -ENOMEM;
        n = pread(fd, tail, size - from, (off_t)from);
        if (n < 0 || (uint64_t)n != size - from)
                return n < 0 ? -errno : -EIO;
        newline = memrchr(tail, '\n', (size_t)n);
        if (!newline && from > 0)
                return -EBADMSG;
        rest = newline ? newline + 1 : tail;
        len = (size_t)(tail + n - rest);
        /* Somebody's text is not for us to cut. A block of zeros is what some file systems leave after a power cut. */
        if (len > 0 && rest[0] && memcmp(rest, begin, len < sizeof(begin) - 1 ? len : sizeof(begin) - 1) != 0)
                return -EBADMSG;
        *ret = size - len;
        return 0;
}

static int file_open(struct sink_file *s) {
        const int flags = O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
        cleanup_fd int fd = openat(s->dir, s->name, flags, 0640);
        uint64_t whole = 0;
        char name[NAME_MAX + 1];
        struct stat st;
        int r = 0;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADMSG;
        if (st.st_size > 0)
                r = whole_lines(fd, (uint64_t)st.st_size, &whole);
        if (r < 0)
                return r;
        if (whole < (uint64_t)st.st_size && ftruncate(fd, (off_t)whole) < 0)
                return -errno;
        /* Fewer may be kept than before. */
        for (unsigned i = s->keep + 1; i <= SINK_FILE_KEEP_MAX; i++)
                unlinkat(s->dir, name_of(s, i, name), 0);
        s->size = whole;
        s->fd = steal_fd(&fd);
        return 0;
}

int sink_file_look(struct sink_file *s) {
        struct stat ours, there;

        if (s->dir < 0)
                return -ENOENT;
        if (s->fd >= 0 && (fstat(s->fd, &ours) < 0 || fstatat(s->dir, s->name, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
                           ours.st_ino != there.st_ino || ours.st_dev != there.st_dev))
                file_close(s);
        return s->fd >= 0 ? 0 : file_open(s);
}

static int move(const struct sink_file *s, unsigned from, unsigned to) {
        char a[NAME_MAX + 1], b[NAME_MAX + 1];

        return renameat(s->dir, name_of(s, from, a), s->dir, name_of(s, to, b)) < 0 ? -errno : 0;
}

static int rotate(struct sink_file *s) {
        unsigned gap = 1;

        while (gap < s->keep && exists(s, gap))
                gap++;
        for (unsigned i = gap; i > 0; i--) {
                int r = move(s, i - 1, i);

                if (r < 0)
                        return r;
        }
        file_close(s);
        return file_open(s);
}

int sink_file_write(struct sink_file *s, const void *p, size_t n) {
        ssize_t done;
        int r;

        if (s->size > 0 && s->size + n > s->max_size) {
                r = rotate(s);
                if (r < 0)
                        return r;
        }
        done = write(s->fd, p, n);
        if (done >= 0 && (size_t)done == n) {
                s->size += n;
                return 0;
        }
        r = done < 0 ? -errno : -ENOSPC;
        /* What of it is there goes; if not now, when the file is opened again. */
        if (done > 0 && ftruncate(s->fd, (off_t)s->size) < 0)
                file_close(s);
        return r;
}
