/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths_exec WAY FILE [ARG...]: has FILE executed in one of the ways besides execve() of its name. Exit status: the program's; 1: it
 * was not executed, and why; 2: the way could not be tried.
 *
 *      fd          execveat(AT_EMPTY_PATH) of a descriptor
 *      opath       the same, of one opened with O_PATH
 *      proc        execve of /proc/self/fd/N
 *      memfd       a copy of it, in memory that has no name
 *      map         not executed: mapped to be, as a loader does it; prints "mapped"
 *      mprotect    mapped to be read, and made executable then; prints "mapped"
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int cannot(const char *what) {
        perror(what);
        return 2;
}

static int failed(const char *what) {
        perror(what);
        return 1;
}

static int by_fd(const char *file, int flags, char **args) {
        int fd = open(file, flags);

        if (fd < 0)
                return cannot(file);
        syscall(SYS_execveat, fd, "", args, environ, AT_EMPTY_PATH);
        return failed(file);
}

static int by_proc(const char *file, char **args) {
        int fd = open(file, O_PATH);
        char path[64];

        if (fd < 0)
                return cannot(file);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        execv(path, args);
        return failed(file);
}

static int by_memfd(const char *file, char **args) {
        int fd = open(file, O_RDONLY | O_CLOEXEC), copy = memfd_create("copy", MFD_CLOEXEC);
        struct stat st;

        if (fd < 0 || copy < 0 || fstat(fd, &st) < 0)
                return cannot(file);
        for (off_t left = st.st_size; left > 0;) {
                ssize_t n = sendfile(copy, fd, NULL, (size_t)left);

                if (n <= 0)
                        return cannot("copy");
                left -= n;
        }
        syscall(SYS_execveat, copy, "", args, environ, AT_EMPTY_PATH);
        return failed(file);
}

static int by_map(const char *file, bool later) {
        int fd = open(file, O_RDONLY | O_CLOEXEC);
        void *p;

        if (fd < 0)
                return cannot(file);
        p = mmap(NULL, 4096, later ? PROT_READ : PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED || (later && mprotect(p, 4096, PROT_READ | PROT_EXEC) < 0))
                return failed(file);
        return puts("mapped") < 0 || fflush(stdout) != 0 ? 2 : 0;
}

int main(int argc, char **argv) {
        const char *way = argc > 2 ? argv[1] : "";

        if (strcmp(way, "fd") == 0)
                return by_fd(argv[2], O_RDONLY, argv + 2);
        if (strcmp(way, "opath") == 0)
                return by_fd(argv[2], O_PATH, argv + 2);
        if (strcmp(way, "proc") == 0)
                return by_proc(argv[2], argv + 2);
        if (strcmp(way, "memfd") == 0)
                return by_memfd(argv[2], argv + 2);
        if (strcmp(way, "map") == 0 || strcmp(way, "mprotect") == 0)
                return by_map(argv[2], way[1] == 'p');
        fputs("usage: paths_exec fd|opath|proc|memfd|map|mprotect FILE [ARG...]\n", stderr);
        return 2;
}
