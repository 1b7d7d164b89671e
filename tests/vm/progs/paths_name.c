/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths_name WAY ...: names that commands of the shell cannot give.
 *
 *      exchange A B        two names change places
 *      tmpfile DIR NAME    a file without a name, made in DIR, is called NAME; it says "secret"
 *      relink FILE NAME    NAME for an open file, by its descriptor
 *      deep DIR N LENGTH   N folders one in the other below DIR, with names of LENGTH bytes, made and gone down one by one;
 *                          in the last one a file "key" that says "secret"
 *      deep-read DIR N LENGTH  goes down there and prints "key"
 *      deep-remove DIR N LENGTH  removes all this, for which rm has no room
 */
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET "secret\n"

static int failed(const char *what) {
        perror(what);
        return 1;
}

static int tmpfile_link(const char *dir, const char *name) {
        int fd = open(dir, O_TMPFILE | O_RDWR, 0644);
        char path[64];

        if (fd < 0 || write(fd, SECRET, strlen(SECRET)) < 0)
                return failed(dir);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW) < 0 ? failed(name) : 0;
}

static int relink(const char *file, const char *name) {
        int fd = open(file, O_PATH);

        if (fd < 0)
                return failed(file);
        return linkat(fd, "", AT_FDCWD, name, AT_EMPTY_PATH) < 0 ? failed(name) : 0;
}

/* Into the last folder; names of `length` bytes. */
static int deep_go(const char *dir, int n, const char *name, bool make) {
        if (chdir(dir) < 0)
                return failed(dir);
        for (int i = 0; i < n; i++)
                if ((make && mkdir(name, 0755) < 0) || chdir(name) < 0)
                        return failed("folder");
        return 0;
}

static int deep_make(void) {
        int fd = open("key", O_WRONLY | O_CREAT, 0644);

        return fd < 0 || write(fd, SECRET, strlen(SECRET)) < 0 ? failed("key") : 0;
}

static int deep_read(void) {
        int fd = open("key", O_RDONLY);
        char text[64];
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

        return n < 0 ? failed("key") : write(STDOUT_FILENO, text, (size_t)n) != n;
}

static int deep_remove(int n, const char *name) {
        if (unlink("key") < 0)
                return failed("key");
        for (int i = 0; i < n; i++)
                if (chdir("..") < 0 || rmdir(name) < 0)
                        return failed("folder");
        return 0;
}

static int deep(const char *way, const char *dir, int n, size_t length) {
        char name[NAME_MAX + 1] = {0};
        int r;

        if (n <= 0 || length == 0 || length > NAME_MAX)
                return 2;
        memset(name, 'd', length);
        r = deep_go(dir, n, name, strcmp(way, "deep") == 0);
        if (r != 0)
                return r;
        if (strcmp(way, "deep") == 0)
                return deep_make();
        return strcmp(way, "deep-read") == 0 ? deep_read() : deep_remove(n, name);
}

int main(int argc, char **argv) {
        const char *way = argc > 3 ? argv[1] : "";

        if (strcmp(way, "exchange") == 0)
                return renameat2(AT_FDCWD, argv[2], AT_FDCWD, argv[3], RENAME_EXCHANGE) < 0 ? failed(argv[2]) : 0;
        if (strcmp(way, "tmpfile") == 0)
                return tmpfile_link(argv[2], argv[3]);
        if (strcmp(way, "relink") == 0)
                return relink(argv[2], argv[3]);
        if (argc == 5 && (strcmp(way, "deep") == 0 || strcmp(way, "deep-read") == 0 || strcmp(way, "deep-remove") == 0))
                return deep(way, argv[2], atoi(argv[3]), (size_t)atoi(argv[4]));
        fputs("usage: paths_name exchange|tmpfile|relink|deep|deep-read|deep-remove ...\n", stderr);
        return 2;
}
