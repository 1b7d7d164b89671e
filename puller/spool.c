/* SPDX-License-Identifier: Apache-2.0 */
/* What both sides of the spool know of the folder. */
#include "spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fileio.h"
#include "json.h"
#include "spool_parts.h"
#include "util.h"

#define LINE_MAX_JSON (64u << 10)

int spool_folder(const char *path, uid_t uid, gid_t gid, struct err *err) {
        cleanup_fd int dir = -1;
        struct stat st;
        bool made = mkdir(path, 0700) == 0;

        if (!made && errno != EEXIST)
                return err_errno(err, -errno, "%s", path);
        dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir < 0 || fstat(dir, &st) < 0)
                return err_errno(err, -errno, "%s", path);
        /* One that was there may be anybody's: giving it away would be a gift to whoever takes over the reporter. */
        if (made && geteuid() == 0 && fchown(dir, uid, gid) < 0)
                return err_errno(err, -errno, "%s", path);
        if (!made && geteuid() == 0 && st.st_uid != uid)
                return err_set(err, -EPERM, REASON_CONFIG, "%s: the folder belongs to another user than the reporter's", path);
        return steal_fd(&dir);
}

void spool_name(char ret[static SPOOL_NAME_MAX], uint64_t number, const char *suffix) {
        snprintf(ret, SPOOL_NAME_MAX, "%016llx%s", (unsigned long long)number, suffix);
}

bool spool_name_parse(const char *name, const char *suffix, uint64_t *ret) {
        if (strspn(name, "0123456789abcdef") != 16 || !streq(name + 16, suffix))
                return false;
        *ret = strtoull(name, NULL, 16);
        /* The last numbers are nobody's: there is always a next. */
        return *ret > 0 && *ret < UINT64_MAX / 2;
}

int spool_each(int dir, int (*fn)(void *ctx, const char *name), void *ctx) {
        int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
        DIR *d = fd < 0 ? NULL : fdopendir(fd);

        if (!d) {
                r = -errno;
                close_p(&fd);
                return r;
        }
        for (struct dirent *e; r >= 0 && (e = readdir(d));)
                r = fn(ctx, e->d_name);
        closedir(d);
        return r < 0 ? r : 0;
}

struct listing {
        int dir;
        struct spool_list list;
};

static int list_add(void *ctx, const char *name) {
        struct listing *l = ctx;
        struct spool_list *list = &l->list;
        uint64_t number = 0;
        struct stat st;

        if (spool_name_parse(name, SPOOL_READY, &number)) {
                list->ready++;
                if (!list->oldest || number < list->oldest)
                        list->oldest = number;
        } else if (spool_name_parse(name, SPOOL_SENDING, &number)) {
                if (!list->sending || number < list->sending)
                        list->sending = number;
        } else if (!streq(name, SPOOL_OPEN))
                return 0;
        if (number > list->newest)
                list->newest = number;
        if (fstatat(l->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
                list->bytes += (uint64_t)st.st_size;
        return 0;
}

int spool_list(int dir, struct spool_list *ret) {
        struct listing l = {.dir = dir};
        int r = spool_each(dir, list_add, &l);

        *ret = l.list;
        return r;
}

int spool_read(int dir, const char *name, struct buf *ret) {
        cleanup_fd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat st;

        if (fd < 0)
                return errno == ELOOP ? -EBADMSG : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_size > (off_t)SPOOL_SEGMENT_MAX)
                return -EBADMSG;
        return fd_read_all(fd, SPOOL_SEGMENT_MAX, ret, NULL);
}

bool spool_line_sum(const char *line, size_t n, struct spool_sum *sum) {
        cleanup_json json_t *j = n < LINE_MAX_JSON ? json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL) : NULL;
        const char *type = json_string_value(json_object_get(j, "type"));

        if (!type)
                return false;
        if (streq(type, "lost")) {
                json_int_t count = json_integer_value(json_object_get(j, "count"));

                sum->told += count > 0 ? (uint64_t)count : 0;
        } else
                sum->events++;
        return true;
}

void spool_sum(const struct buf *lines, struct spool_sum *sum) {
        const char *p = lines->data, *end = p + lines->len, *newline;

        for (; p < end && (newline = memchr(p, '\n', (size_t)(end - p))); p = newline + 1)
                spool_line_sum(p, (size_t)(newline - p), sum);
}
