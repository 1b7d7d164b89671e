/* SPDX-License-Identifier: Apache-2.0 */
/* Scratch files of self-tests. Their names are drawn at random: nobody can have put something there beforehand. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "probe_ops.h"

/* The dot keeps it out of drop-in directories; the prefix tells an administrator who it was. */
#define FRESH ".lsmpull-selftest-"
#define IMAGE_SIZE 4096

int place_resolve(const struct selftest_place *p, const char *token, int which, char ret[static PATH_MAX]) {
        int n;

        if (!p->path)
                n = snprintf(ret, PATH_MAX, "%s", "");
        else if (!p->dir)
                n = snprintf(ret, PATH_MAX, "%s", p->path);
        else
                n = snprintf(ret, PATH_MAX, "%s/" FRESH "%s-%d%s%s", streq(p->dir, "/") ? "" : p->dir, token, which,
                             p->leaf ? "/" : "", p->leaf ? p->leaf : "");
        return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* The fresh directory of a place that has one: path without its last component. */
static void place_parent(const char *path, char ret[static PATH_MAX]) {
        snprintf(ret, PATH_MAX, "%.*s", (int)(strrchr(path, '/') - path), path);
}

static int give_away(int fd, const struct selftest_subject *as) {
        if (geteuid() == as->uid && getegid() == as->gid)
                return 0;
        return fchown(fd, as->uid, as->gid) < 0 ? -errno : 0;
}

static int directory_make(const char *path, const struct selftest_subject *as) {
        cleanup_fd int fd = -1;

        if (mkdir(path, 0755) < 0)
                return -errno;
        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fchmod(fd, 0755) < 0) /* whatever the umask */
                return -errno;
        return give_away(fd, as);
}

static int program_copy(int to) {
        cleanup_fd int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        ssize_t n;

        if (from < 0)
                return -errno;
        do
                n = sendfile(to, from, NULL, 1 << 20);
        while (n > 0 || (n < 0 && errno == EINTR));
        if (n < 0)
                return -errno;
        return fchmod(to, 0755) < 0 ? -errno : 0;
}

int place_make(struct attempt *a, const struct selftest_place *p, const char *path, enum place_content content) {
        cleanup_fd int fd = -1;
        int r;

        if (p->stand_in) {
                r = stand_in_make(a, path);
                if (r < 0)
                        return r;
        } else if (!p->dir)
                return 0;
        if (p->leaf) {
                char parent[PATH_MAX];

                place_parent(path, parent);
                r = directory_make(parent, &a->test->as);
                if (r < 0)
                        return setup_failed(a, r, "making a scratch directory");
        }
        if (content == PLACE_EMPTY)
                return 0;
        if (content == PLACE_DIRECTORY) {
                r = directory_make(path, &a->test->as);
                return r < 0 ? setup_failed(a, r, "making a scratch directory") : 0;
        }

        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return setup_failed(a, -errno, "making a scratch file");
        r = content == PLACE_PROGRAM ? program_copy(fd) : content == PLACE_IMAGE && ftruncate(fd, IMAGE_SIZE) < 0 ? -errno : 0;
        if (r < 0)
                return setup_failed(a, r, "filling a scratch file");
        r = give_away(fd, &a->test->as);
        return r < 0 ? setup_failed(a, r, "giving a scratch file to the subject") : 0;
}

void place_remove(const struct selftest_place *p, const char *path) {
        char parent[PATH_MAX];

        if (!p->dir)
                return;
        if (unlink(path) < 0)
                rmdir(path);
        if (p->leaf) {
                place_parent(path, parent);
                rmdir(parent);
        }
}
