/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xattr_by WAY FILE: changes an attribute of FILE. Exit status 0: done; 1: it was refused, and why; 2: the way could not be tried.
 *
 *      set, remove           trusted.test, by its path
 *      descriptor            the same as set, by a file that is open for reading
 *      acl, remove-acl       the access list, as the attribute that it is for programs
 *      root DIR SET FILE     SET (one of the above) for FILE, with DIR as root
 *      user UID SET FILE     the same by a user; root alone may do the first three
 */
#include <fcntl.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NAME "trusted.test" /* tmpfs has those of users from Linux 6.6 on */
#define ACL "system.posix_acl_access"

static bool is(const char *way, const char *word) {
        return strcmp(way, word) == 0;
}

/* rw-r--r--, as a list. */
static int acl_set(const char *file) {
        struct {
                struct posix_acl_xattr_header header;
                struct posix_acl_xattr_entry entries[3];
        } acl = {
                {POSIX_ACL_XATTR_VERSION},
                {{ACL_USER_OBJ, 6, (unsigned)ACL_UNDEFINED_ID},
                 {ACL_GROUP_OBJ, 4, (unsigned)ACL_UNDEFINED_ID},
                 {ACL_OTHER, 4, (unsigned)ACL_UNDEFINED_ID}},
        };

        return setxattr(file, ACL, &acl, sizeof(acl), 0);
}

static int descriptor_set(const char *file) {
        int fd = open(file, O_RDONLY | O_CLOEXEC);

        if (fd < 0) {
                perror(file);
                exit(2);
        }
        return fsetxattr(fd, NAME, "x", 1, 0);
}

static int change(const char *way, const char *file) {
        int r;

        if (is(way, "set"))
                r = setxattr(file, NAME, "x", 1, 0);
        else if (is(way, "remove"))
                r = removexattr(file, NAME);
        else if (is(way, "descriptor"))
                r = descriptor_set(file);
        else if (is(way, "acl"))
                r = acl_set(file);
        else if (is(way, "remove-acl"))
                r = removexattr(file, ACL);
        else
                return 2;
        if (r == 0)
                return 0;
        perror(file);
        return 1;
}

int main(int argc, char **argv) {
        if (argc == 3)
                return change(argv[1], argv[2]);
        if (argc == 5 && is(argv[1], "root")) {
                if (chroot(argv[2]) == 0 && chdir("/") == 0)
                        return change(argv[3], argv[4]);
                perror(argv[2]);
                return 2;
        }
        if (argc == 5 && is(argv[1], "user")) {
                if (setuid((uid_t)strtoul(argv[2], NULL, 10)) == 0)
                        return change(argv[3], argv[4]);
                perror(argv[2]);
                return 2;
        }
        fputs("usage: xattr_by WAY FILE\n", stderr);
        return 2;
}
