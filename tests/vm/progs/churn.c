/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cgroups come and go, and so do tasks in them, while what a policy with a scope denies is tried. Files below /tmp/churn: "slices" and
 * "in-c" (denied in the slices), "boxes" (denied in containers), "free".
 *
 *      churn SECONDS MAKERS MOVERS [poison]    each maker makes a cgroup, starts a child in it, whose first acts are the attempts, and
 *                                              removes it; each mover moves a process between a new cgroup of a scope and a new one
 *                                              of none as fast as it can, while that process tries, and asks in both afterwards.
 *                                              Exit status 0: no attempt ended wrongly; 1: some did; 2: it could not be tried.
 *                                              poison: a wrong answer is left in the kernel for each cgroup: the control
 *      churn left                              what the kernel remembers: entries, and those of cgroups that are gone
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lsm_abi.h"

#define CG "/sys/fs/cgroup/"
#define FILES 4
#define FILEID_KERNFS 0xfe
#define PATH 512
#define CANNOT 0x40 /* in a child's status */

enum { SLICES = 1, IN_C = 2, BOXES = 4 }; /* bits of files; the last is free */
static const char *const files[FILES] = {"/tmp/churn/slices", "/tmp/churn/in-c", "/tmp/churn/boxes", "/tmp/churn/free"};

static const struct kind {
        const char *above; /* made, too, and removed; "" : stays */
        const char *format;
        unsigned denied;
} kinds[] = {
        {"", "ch.slice/c%u-%u", SLICES | IN_C},
        {"ch.slice/n%u-%u", "inner", SLICES | IN_C},
        {"", "p.slice/pod%u_%u", SLICES | IN_C},
        {"p.slice/pod%u-%u", "crio-0123456789ab.scope", SLICES | IN_C | BOXES},
        {"", "system.slice/docker-%08x%08x.scope", BOXES},
        {"kubepods.slice/kubepods-pod%u_%u.slice", "cri-containerd-4567.scope", BOXES},
        {"", "chx.slice/c%u-%u", 0},
        {"", "p.slice/app%u-%u", 0},
        {"", "system.slice/s%u-%u.service", 0},
        {"ch%u-%u", "ch.slice", 0},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Shared by all. */
struct tally {
        uint64_t cgroups, tasks, attempts, denied, leaks, wrong, moves, moved_attempts, beside;
};
static struct tally *tally;
static time_t until;
static bool poison;

#define COUNT(field, n) __atomic_fetch_add(&tally->field, (n), __ATOMIC_RELAXED)

static void cannot(const char *what) {
        fprintf(stderr, "churn: %s: %s\n", what, strerror(errno));
        exit(2);
}

/* ---- attempts -------------------------------------------------------------------------------------------------------------- */

/* Which files are denied, each tried once, `first` before the others. */
static unsigned try_all(unsigned first) {
        unsigned denied = 0;

        for (unsigned i = 0; i < FILES; i++) {
                unsigned k = (first + i) % FILES;
                int fd = open(files[k], O_RDONLY | O_CLOEXEC);

                if (fd >= 0)
                        close(fd);
                else if (errno == EACCES)
                        denied |= 1u << k;
                else
                        return CANNOT;
        }
        return denied;
}

static void judge(unsigned denied, unsigned want) {
        if (denied & CANNOT)
                cannot("open");
        COUNT(attempts, FILES);
        COUNT(denied, (unsigned)__builtin_popcount(denied));
        COUNT(leaks, (unsigned)__builtin_popcount(want & ~denied));
        COUNT(wrong, (unsigned)__builtin_popcount(denied & ~want));
}

/* ---- cgroups --------------------------------------------------------------------------------------------------------------- */

static void cgroup_make(const char *path) {
        if (mkdir(path, 0755) < 0 && errno != EEXIST)
                cannot(path);
        COUNT(cgroups, 1);
}

/* A task that has ended leaves its cgroup a little later than its parent hears of it. */
static void cgroup_remove(const char *path) {
        for (int i = 0; rmdir(path) < 0; i++) {
                if (errno != EBUSY || i > 5000)
                        cannot(path);
                usleep(200);
        }
}

static void move(const char *path, pid_t pid) {
        char file[PATH + 16], text[16];
        int fd, n = snprintf(text, sizeof(text), "%d", pid);

        snprintf(file, sizeof(file), "%s/cgroup.procs", path);
        fd = open(file, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, text, (size_t)n) != n)
                cannot(file);
        close(fd);
}

/* A child that is in the cgroup from its first instruction; or one that goes there itself, before it does anything else. */
static void child_try(const char *path, unsigned first, bool into, unsigned want) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), status;
        struct clone_args args = {.flags = into ? CLONE_INTO_CGROUP : 0, .exit_signal = SIGCHLD, .cgroup = (uint64_t)fd};
        pid_t pid;

        if (fd < 0)
                cannot(path);
        pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
        if (pid == 0) {
                if (!into)
                        move(path, getpid());
                _exit((int)try_all(first));
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
                cannot("a child");
        close(fd);
        COUNT(tasks, 1);
        judge((unsigned)WEXITSTATUS(status), want);
}

/* ---- what the kernel remembers -------------------------------------------------------------------------------------------- */

struct found {
        uint64_t mask, done;
};

static uint64_t cgroup_id(const char *path) {
        union {
                struct file_handle h;
                char room[sizeof(struct file_handle) + sizeof(uint64_t)];
        } u = {.h.handle_bytes = sizeof(uint64_t)};
        uint64_t id;
        int mount;

        if (name_to_handle_at(AT_FDCWD, path, &u.h, &mount, 0) < 0)
                cannot(path);
        memcpy(&id, u.h.f_handle, sizeof(id));
        return id;
}

static bool cgroup_there(int mount, uint64_t id) {
        union {
                struct file_handle h;
                char room[sizeof(struct file_handle) + sizeof(uint64_t)];
        } u = {.h = {.handle_bytes = sizeof(uint64_t), .handle_type = FILEID_KERNFS}};
        int fd;

        memcpy(u.h.f_handle, &id, sizeof(id));
        fd = open_by_handle_at(mount, &u.h, O_PATH | O_CLOEXEC);
        if (fd < 0 && errno != ESTALE)
                cannot("open_by_handle_at");
        if (fd >= 0)
                close(fd);
        return fd >= 0;
}

/* Calls back for each map in which scopes are remembered, which are known by their shape: maps that were made through a token have no
 * names. Returns how many there are. */
static int maps_each(void (*each)(int fd, bool storage, void *ctx), void *ctx) {
        uint32_t id = 0;
        int n = 0;

        while (bpf_map_get_next_id(id, &id) == 0) {
                struct bpf_map_info info = {0};
                uint32_t len = sizeof(info);
                int fd = bpf_map_get_fd_by_id(id);

                if (fd < 0)
                        continue;
                if (bpf_map_get_info_by_fd(fd, &info, &len) == 0 && info.value_size == sizeof(struct found) &&
                    (info.type == LSM_CGRP_STORAGE ||
                     (info.type == BPF_MAP_TYPE_LRU_HASH && info.key_size == sizeof(uint64_t)))) {
                        each(fd, info.type == LSM_CGRP_STORAGE, ctx);
                        n++;
                }
                close(fd);
        }
        return n;
}

static void poison_one(int map, bool storage, void *ctx) {
        const char *path = ctx;
        struct found nothing = {.done = 1};
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        uint64_t id = cgroup_id(path);

        if (fd < 0 || bpf_map_update_elem(map, storage ? (const void *)&fd : &id, &nothing, BPF_ANY) < 0)
                cannot("poison");
        close(fd);
}

struct left {
        uint64_t entries, gone;
        int mount;
};

static void left_storage(struct left *l, int map, const char *path) {
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : opendir(path);
        struct found found;
        struct dirent *e;

        if (!dir)
                cannot(path);
        l->entries += bpf_map_lookup_elem(map, &fd, &found) == 0;
        while ((e = readdir(dir))) {
                char below[PATH];

                if (e->d_type != DT_DIR || e->d_name[0] == '.')
                        continue;
                if (snprintf(below, sizeof(below), "%s%s/", path, e->d_name) < (int)sizeof(below))
                        left_storage(l, map, below);
        }
        closedir(dir);
        close(fd);
}

static void left_one(int map, bool storage, void *ctx) {
        struct left *l = ctx;
        uint64_t key, *previous = NULL;

        if (storage) {
                left_storage(l, map, CG);
                return;
        }
        for (; bpf_map_get_next_key(map, previous, &key) == 0; previous = &key) {
                l->entries++;
                l->gone += !cgroup_there(l->mount, key);
        }
}

/* Storage at a cgroup that is gone is freed with it, and until then the kernel counts it as dying. */
static unsigned long dying(void) {
        FILE *f = fopen(CG "cgroup.stat", "re");
        unsigned long n = ~0UL;
        char line[128];

        while (f && fgets(line, sizeof(line), f))
                if (sscanf(line, "nr_dying_descendants %lu", &n) == 1)
                        break;
        if (!f || n == ~0UL)
                cannot("cgroup.stat");
        fclose(f);
        return n;
}

static int left(void) {
        struct left l = {.mount = open(CG, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
        int n = maps_each(left_one, &l);

        printf("maps %d entries %lu gone %lu dying %lu\n", n, l.entries, l.gone, dying());
        return n == 0 ? 2 : l.gone || dying() ? 1 : 0;
}

/* ---- makers ---------------------------------------------------------------------------------------------------------------- */

static void kind_path(const struct kind *k, unsigned maker, unsigned i, char above[PATH], char path[PATH]) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        char name[PATH / 2];

        snprintf(name, sizeof(name), *k->above ? k->above : k->format, maker, i);
#pragma GCC diagnostic pop
        snprintf(above, PATH, CG "%s", name);
        snprintf(path, PATH, *k->above ? "%.250s/%s" : "%.250s", above, k->format);
}

static int maker(unsigned number) {
        for (unsigned i = 0; time(NULL) < until; i++) {
                const struct kind *k = &kinds[(i + number) % KINDS];
                char above[PATH], path[PATH];

                kind_path(k, number, i, above, path);
                if (*k->above)
                        cgroup_make(above);
                cgroup_make(path);
                if (poison && maps_each(poison_one, path) == 0)
                        cannot("no map to poison");
                child_try(path, i / KINDS, i % 3 != 0, k->denied);
                child_try(path, i / KINDS + 1, true, k->denied);
                cgroup_remove(path);
                if (*k->above)
                        cgroup_remove(above);
                /* Under the same name, another cgroup. */
                if (i % 7 == 0 && !*k->above) {
                        cgroup_make(path);
                        if (!poison)
                                child_try(path, i / KINDS, true, k->denied);
                        cgroup_remove(path);
                }
        }
        return 0;
}

/* ---- movers ---------------------------------------------------------------------------------------------------------------- */

/* Odd: the process is on its way; even: it is in the scope where IN is set. No value comes twice. */
#define IN 2

static void arrived(uint64_t *where, bool inside) {
        __atomic_store_n(where, ((*where + 4) & ~(uint64_t)3) | (inside ? IN : 0), __ATOMIC_SEQ_CST);
}

static void restless(const uint64_t *where) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                cannot("prctl");
        for (unsigned i = 0;; i++) {
                uint64_t before = __atomic_load_n(where, __ATOMIC_SEQ_CST);
                unsigned denied = try_all(i);

                if (before & 1 || before != __atomic_load_n(where, __ATOMIC_SEQ_CST)) {
                        COUNT(beside, FILES);
                        continue;
                }
                COUNT(moved_attempts, FILES);
                judge(denied, before & IN ? SLICES | IN_C : 0);
        }
}

static int mover(unsigned number) {
        uint64_t *where = mmap(NULL, sizeof(*where), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        unsigned seed = number + 1;
        char home[PATH], in[PATH], out[PATH];
        pid_t pid;

        snprintf(home, sizeof(home), CG "home%u", number);
        cgroup_make(home);
        move(home, getpid());
        pid = fork();
        if (pid == 0)
                restless(where);
        for (unsigned i = 0; time(NULL) < until; i++) {
                snprintf(in, sizeof(in), CG "ch.slice/m%u-%u", number, i);
                snprintf(out, sizeof(out), CG "chx.slice/m%u-%u", number, i);
                cgroup_make(in);
                cgroup_make(out);
                for (unsigned k = 0; k < 6; k++) {
                        bool inside = (k + i) % 2;

                        __atomic_add_fetch(where, 1, __ATOMIC_SEQ_CST);
                        move(inside ? in : out, pid);
                        arrived(where, inside);
                        COUNT(moves, 1);
                        for (unsigned spin = (unsigned)rand_r(&seed) % 4096; spin > 0; spin--)
                                __asm__ volatile("");
                        if (k == 5)
                                usleep(2000);
                }
                /* What was remembered while it was on its way is what the next one gets. */
                child_try(in, i, true, SLICES | IN_C);
                child_try(out, i, true, 0);
                __atomic_add_fetch(where, 1, __ATOMIC_SEQ_CST);
                move(home, pid);
                arrived(where, false);
                cgroup_remove(in);
                cgroup_remove(out);
        }
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        move(CG, getpid());
        cgroup_remove(home);
        return 0;
}

int main(int argc, char **argv) {
        static const char *const above[] = {"ch.slice", "chx.slice", "p.slice", "system.slice", "kubepods.slice"};
        int bad = 0, status, started = 0;
        char path[PATH];

        if (argc == 2 && strcmp(argv[1], "left") == 0)
                return left();
        if (argc < 4 || argc > 5) {
                fputs("usage: churn SECONDS MAKERS MOVERS [poison] | churn left\n", stderr);
                return 2;
        }
        poison = argc == 5;
        until = time(NULL) + atoi(argv[1]);
        tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        for (size_t i = 0; i < sizeof(above) / sizeof(above[0]); i++) {
                snprintf(path, sizeof(path), CG "%s", above[i]);
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        cannot(path);
        }
        for (int i = 0; i < atoi(argv[2]) + atoi(argv[3]); i++, started++) {
                pid_t pid = fork();

                if (pid < 0)
                        cannot("fork");
                if (pid == 0)
                        exit(i < atoi(argv[2]) ? maker((unsigned)i) : mover((unsigned)i));
        }
        while (started-- > 0)
                if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
                        bad = 1;
        printf("%lu cgroups, %lu tasks, %lu moves: %lu attempts, %lu denied, %lu leaks, %lu denied wrongly; %lu by a task that is moved, %lu more beside a move\n",
               tally->cgroups, tally->tasks, tally->moves, tally->attempts, tally->denied, tally->leaks, tally->wrong,
               tally->moved_attempts, tally->beside);
        if (bad || tally->attempts == 0)
                return 2;
        return tally->leaks || tally->wrong ? 1 : 0;
}
