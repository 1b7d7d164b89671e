/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules cost: an open() and close() of a file, under each of some bundles, and how those are put in force. In a guest whose clock
 * counts instructions (ci/vm --icount), nanoseconds are instructions.
 *
 *      rules_cost KEY NAME=BUNDLE|NAME=apparmor:PROFILE...
 *
 * PROFILE: as apparmor_parser compiles it, of a profile that is called NAME.
 *
 * Prints "NAME.WHAT COST" a line, first for nothing attached (NAME: none):
 *
 *      miss, hit                 of a file that was opened before and that no rule is about; that one is about, which lets this
 *                                process through
 *      miss-first, hit-first     of each of some files for the first time (hit: not where a rule is about a single file)
 *      rename                    a file elsewhere renamed, and back
 *      miss-renamed, hit-renamed the same, then an open and close: what was remembered is worth nothing
 *      apply                     from verified to ready for the switch; of a profile, into the kernel
 *      maps                      KiB of all its maps (not of a profile)
 */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#include "fileio.h"
#include "guest_cost.h"
#include "guest_node.h"

#define MISS "/tmp/a/b/c/d/"
#define HIT "/tmp/a/b/h/d/"
#define FILES 1000
#define ROUND 10000
#define RENAMES 2000
#define COMM "rules-cost"

static void open_close(const char *path) {
        int fd = open(path, O_RDONLY);

        if (fd < 0)
                guest_die(path, NULL);
        close(fd);
}

static void rename_back(void) {
        if (rename("/tmp/r/x", "/tmp/r/y") < 0 || rename("/tmp/r/y", "/tmp/r/x") < 0)
                guest_die("/tmp/r/x", NULL);
}

static void each(const char *dir, unsigned long n) {
        char path[64];

        for (unsigned long i = 0; i < n; i++) {
                snprintf(path, sizeof(path), "%sfile%lu", dir, i);
                open_close(path);
        }
}

#define TIMES(name, ...)                    \
        static void name(unsigned long n) { \
                while (n-- > 0) {           \
                        __VA_ARGS__;        \
                }                           \
        }
TIMES(miss, open_close(MISS "file"))
TIMES(hit, open_close(HIT "file"))
TIMES(renames, rename_back())
TIMES(miss_renamed, rename_back(); open_close(MISS "file"))
TIMES(hit_renamed, rename_back(); open_close(HIT "file"))

static void miss_each(unsigned long n) {
        each(MISS, n);
}

static void hit_each(unsigned long n) {
        each(HIT, n);
}

static void files_make(void) {
        static const char *const paths[] = {MISS "file", HIT "file", "/tmp/r/x"};
        char path[64];

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
                guest_file_make(paths[i]);
        for (int i = 0; i < FILES; i++) {
                snprintf(path, sizeof(path), MISS "file%d", i);
                guest_file_make(path);
                snprintf(path, sizeof(path), HIT "file%d", i);
                guest_file_make(path);
        }
}

static void measure_all(const char *name) {
        static const struct {
                const char *what;
                void (*measure)(const char *, const char *, cost_of, unsigned long);
                cost_of does;
                unsigned long n;
        } all[] = {
                {"miss-first", guest_cost_first, miss_each, FILES},
                {"hit-first", guest_cost_first, hit_each, FILES},
                {"miss", guest_cost, miss, ROUND},
                {"hit", guest_cost, hit, ROUND},
                {"rename", guest_cost, renames, RENAMES},
                {"miss-renamed", guest_cost, miss_renamed, RENAMES},
                {"hit-renamed", guest_cost, hit_renamed, RENAMES},
        };
        char what[64];

        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                snprintf(what, sizeof(what), "%s.%s", name, all[i].what);
                all[i].measure(what, COMM, all[i].does, all[i].n);
        }
}

static double maps_kib(void) {
        uint64_t total = 0;

        for (uint32_t id = 0; bpf_map_get_next_id(id, &id) == 0;) {
                cleanup_fd int fd = bpf_map_get_fd_by_id(id);
                char path[64], line[128];
                FILE *f;

                snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
                f = fd >= 0 ? fopen(path, "re") : NULL;
                if (!f)
                        guest_die("a map's size", NULL);
                while (fgets(line, sizeof(line), f)) {
                        unsigned long long n;

                        if (sscanf(line, "memlock: %llu", &n) == 1)
                                total += n;
                }
                fclose(f);
        }
        return (double)total / 1024;
}

static void under(struct guest_node *g, const char *name, const char *path) {
        cleanup_release struct release rel = RELEASE_INIT;
        struct err err = {0};
        double before;
        struct bundle *b;
        int64_t start;
        uint32_t slot;

        guest_release_open(g, path, &rel);
        if (node_bundle_add(&g->node, rel.manifest->name, &b, &err) < 0)
                guest_die(name, &err);
        before = maps_kib();
        start = monotonic_ns();
        slot = guest_stage(g, b, &rel);
        printf("%s.apply %lld\n", name, (long long)(monotonic_ns() - start));
        gate_set(&b->kernel.gate, slot);
        printf("%s.maps %.0f\n", name, maps_kib() - before);
        measure_all(name);
        guest_remove(g, b);
}

/* ---- AppArmor, beside ------------------------------------------------------------------------------------------------ */

#define PROFILES "/sys/kernel/security/apparmor/"

static void tell_kernel(const char *file, const void *what, size_t n) {
        int fd = open(file, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, what, n) != (ssize_t)n)
                guest_die(file, NULL);
        close(fd);
}

static void under_profile(const char *name, const char *path) {
        cleanup_buf struct buf profile = {};
        char change[128];
        struct err err = {};
        int64_t start;
        int status;
        pid_t pid;

        if (file_read(AT_FDCWD, path, 16 << 20, &profile, &err) < 0)
                guest_die(path, &err);
        start = monotonic_ns();
        tell_kernel(PROFILES ".replace", profile.data, profile.len);
        printf("%s.apply %lld\n", name, (long long)(monotonic_ns() - start));
        fflush(stdout);
        pid = fork(); /* what it confines stays confined */
        if (pid == 0) {
                snprintf(change, sizeof(change), "changeprofile %s", name);
                tell_kernel("/proc/self/attr/current", change, strlen(change));
                measure_all(name);
                _exit(0);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
                guest_die(name, NULL);
        tell_kernel(PROFILES ".remove", name, strlen(name) + 1);
}

int main(int argc, char **argv) {
        int role = guest_role(argc, argv);
        struct guest_node g;

        if (role >= 0)
                return role;
        if (argc < 3)
                return 2;
        files_make();
        measure_all("none");
        guest_node_open(&g, argv[1], true);
        for (int i = 2; i < argc; i++) {
                char *path = strchr(argv[i], '=');

                if (!path)
                        return 2;
                *path++ = '\0';
                if (strncmp(path, "apparmor:", 9) == 0)
                        under_profile(argv[i], path + 9);
                else
                        under(&g, argv[i], path);
        }
        return 0;
}
