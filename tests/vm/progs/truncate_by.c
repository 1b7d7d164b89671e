/* SPDX-License-Identifier: Apache-2.0 */
/*
 * truncate_by WAY FILE: makes FILE empty. Exit status 0: it is; 1: it was refused, and why; 2: the way could not be tried.
 *
 *      path          truncate(), without opening it
 *      descriptor    ftruncate() of a file that is open for writing
 *      moved NEW     the same, when it has been renamed to NEW in between
 *      open          open() with O_TRUNC
 *      create        the same with O_CREAT, as creat() does
 *      longer        ftruncate() that makes it longer
 *      nothing       opens it for writing, and that is all
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LONGER 4096

static bool is(const char *way, const char *word) {
        return strcmp(way, word) == 0;
}

static int refused(const char *file) {
        perror(file);
        return 1;
}

static int by_descriptor(const char *file, const char *moved, off_t length) {
        int fd = open(file, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || (moved && rename(file, moved) < 0)) {
                perror(file);
                return 2;
        }
        return ftruncate(fd, length) < 0 ? refused(file) : 0;
}

static int by_open(const char *file, int flags) {
        return open(file, O_WRONLY | O_CLOEXEC | flags, 0644) < 0 ? refused(file) : 0;
}

int main(int argc, char **argv) {
        const char *way = argc > 2 ? argv[1] : "", *file = argv[argc > 2 ? 2 : 0];

        if (argc == 4 && is(way, "moved"))
                return by_descriptor(file, argv[3], 0);
        if (argc == 3) {
                if (is(way, "path"))
                        return truncate(file, 0) < 0 ? refused(file) : 0;
                if (is(way, "descriptor"))
                        return by_descriptor(file, NULL, 0);
                if (is(way, "longer"))
                        return by_descriptor(file, NULL, LONGER);
                if (is(way, "open"))
                        return by_open(file, O_TRUNC);
                if (is(way, "create"))
                        return by_open(file, O_CREAT | O_TRUNC);
                if (is(way, "nothing"))
                        return by_open(file, 0);
        }
        fputs("usage: truncate_by WAY FILE [NEW]\n", stderr);
        return 2;
}
