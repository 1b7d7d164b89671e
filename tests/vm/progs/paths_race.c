/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens beside renames. What is in a protected folder must never be opened, what is outside never be denied, however fast it goes
 * to and fro. Two processes, as only one of them may move things out of the folder; they tell each other by a shared file:
 *
 *      paths_race move SHARED OUTSIDE INSIDE        renames OUTSIDE to INSIDE and back, until SIGTERM
 *      paths_race try SHARED WAY FILE SECONDS       opens FILE, which OUTSIDE is or is above, all the time
 *
 * WAY: `folder`: from FILE's folder, opened before; `file`: by a descriptor of FILE itself; `handle`: by FILE's handle. At last `try`
 * says how often:
 *
 *      4711 attempts: 1200 inside, 0 of them opened; 1300 outside, 0 of them denied; 2211 beside a rename
 *
 * An attempt counts as inside (outside) when the file was there from before the open until after it. Exit status 0: none was opened
 * inside, and none denied outside; 1: some were; 2: nothing was shown.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define AT_LEAST 100 /* attempts inside, and outside */

/* Counts up for ever; modulo 4 it says where things are. */
enum place { OUTSIDE, GOING_IN, INSIDE, GOING_OUT };

static volatile sig_atomic_t stop;

static void on_signal(int sig) {
        stop = 1;
}

static void cannot(const char *what) {
        perror(what);
        exit(2);
}

static unsigned long *shared_open(const char *path) {
        int fd = open(path, O_RDWR | O_CREAT, 0600);
        void *p;

        if (fd < 0 || ftruncate(fd, sizeof(unsigned long)) < 0)
                cannot(path);
        p = mmap(NULL, sizeof(unsigned long), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                cannot(path);
        return p;
}

/* ---- move -------------------------------------------------------------------------------------------------------------- */

/* For one, two, or many opens; or none. */
static void rest(unsigned *seed) {
        for (int n = rand_r(seed) % 24; n > 0; n--)
                sched_yield();
}

static void step(unsigned long *where) {
        __atomic_add_fetch(where, 1, __ATOMIC_SEQ_CST);
}

static int move(unsigned long *where, const char *outside, const char *inside) {
        unsigned seed = 1;

        signal(SIGTERM, on_signal);
        while (!stop) {
                rest(&seed);
                step(where);
                if (rename(outside, inside) < 0)
                        cannot(outside);
                step(where);
                rest(&seed);
                step(where);
                if (rename(inside, outside) < 0)
                        cannot(inside);
                step(where);
        }
        return 0;
}

/* ---- try --------------------------------------------------------------------------------------------------------------- */

struct way {
        int fd; /* of the folder, or of the file's place in /proc, or of a folder of the file system */
        char name[PATH_MAX];
        union {
                struct file_handle h;
                char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
        } handle;
        bool by_handle;
};

static void way_make(const char *word, char *file, struct way *ret) {
        char copy[PATH_MAX];
        int mount_id;

        snprintf(copy, sizeof(copy), "%s", file);
        if (strcmp(word, "folder") == 0) {
                ret->fd = open(dirname(copy), O_PATH | O_DIRECTORY);
                snprintf(ret->name, sizeof(ret->name), "%s", basename(file));
        } else if (strcmp(word, "file") == 0) {
                ret->fd = open("/proc/self/fd", O_PATH | O_DIRECTORY);
                snprintf(ret->name, sizeof(ret->name), "%d", open(file, O_PATH));
        } else {
                ret->fd = open(dirname(dirname(copy)), O_RDONLY | O_DIRECTORY);
                ret->handle.h.handle_bytes = MAX_HANDLE_SZ;
                ret->by_handle = true;
                if (name_to_handle_at(AT_FDCWD, file, &ret->handle.h, &mount_id, 0) < 0)
                        cannot("name_to_handle_at");
        }
        if (ret->fd < 0)
                cannot(file);
}

struct tally {
        unsigned long all, inside, opened, outside, denied;
};

static void attempt(const unsigned long *where, struct way *w, struct tally *t) {
        unsigned long before = __atomic_load_n(where, __ATOMIC_SEQ_CST);
        int fd = w->by_handle ? open_by_handle_at(w->fd, &w->handle.h, O_RDONLY) : openat(w->fd, w->name, O_RDONLY | O_CLOEXEC);
        int error = errno;
        bool still = before == __atomic_load_n(where, __ATOMIC_SEQ_CST);

        if (fd >= 0)
                close(fd);
        else if (error != EACCES)
                cannot("open");
        t->all++;
        if (still && before % 4 == INSIDE) {
                t->inside++;
                t->opened += fd >= 0;
        } else if (still && before % 4 == OUTSIDE) {
                t->outside++;
                t->denied += fd < 0;
        }
}

static int try(const unsigned long *where, const char *word, char *file, int seconds) {
        static struct way w;
        struct tally t = {0};
        time_t until = time(NULL) + seconds;

        way_make(word, file, &w);
        while (t.all % 64 != 0 || t.all == 0 || time(NULL) < until)
                attempt(where, &w, &t);
        printf("%lu attempts: %lu inside, %lu of them opened; %lu outside, %lu of them denied; %lu beside a rename\n", t.all,
               t.inside, t.opened, t.outside, t.denied, t.all - t.inside - t.outside);
        if (t.inside < AT_LEAST || t.outside < AT_LEAST)
                return 2;
        return t.opened || t.denied ? 1 : 0;
}

int main(int argc, char **argv) {
        if (argc == 5 && strcmp(argv[1], "move") == 0)
                return move(shared_open(argv[2]), argv[3], argv[4]);
        if (argc == 6 && strcmp(argv[1], "try") == 0)
                return try(shared_open(argv[2]), argv[3], argv[4], atoi(argv[5]));
        fputs("usage: paths_race move SHARED OUTSIDE INSIDE | try SHARED folder|file|handle FILE SECONDS\n", stderr);
        return 2;
}
