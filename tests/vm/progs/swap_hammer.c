// SPDX-License-Identifier: Apache-2.0
/*
 * Swaps under the hammer, with the agent's own code: its loader, its slots, its gate.
 *
 *      swap_hammer [--swaps N] [--flips N] [--sleeper OBJECT --sleeps N] [--sockets|--operations] --key PUB BUNDLE1 BUNDLE2
 *
 * --swaps: whole ones (load into a slot, flip, then by turns confirm, roll back, or let the kernel expire it).
 * --flips: between two loaded slots, as fast as they go. --sleeps: a victim is held in somebody else's sleeping program on
 * the hook, in front of the dispatcher, while whole swaps go by (behind it, a denied call does not come). Both bundles deny the
 * same: nothing may ever get through. Two processes hammer; with --operations four, on as many hooks as hammer_operations.h has.
 * Exit status 0: no leak, no wrong denial, no empty slot met; 1: one of them; 2: could not try, or not often enough.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <getopt.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "child.h"
#include "hammer.h"
#include "release_open.h"
#include "swap_parts.h"

/* Fewer attempts than this would show nothing. */
#define ATTEMPTS_MIN 200

struct run {
        struct node node;
        struct bundle *b;
        const struct hammer *hammer;
        struct release rel[2];
        unsigned long swaps, flips, confirms, rollbacks, expiries, sleeps, sleep_leaks;
};

static void die(const char *what, const struct err *err) {
        fprintf(stderr, "swap_hammer: %s: %s\n", what, err ? err->msg : strerror(errno));
        exit(2);
}

static void say(void *ctx, const char *line) {
        fprintf(stderr, "%s\n", line);
}

/* Into a slot that the gate does not name: what swap_apply() does before the trial. */
static uint32_t stage(struct run *run, const struct release *rel) {
        struct plan plan;
        struct err err = {0};
        uint32_t slot = stage_slot(run->b);

        if (plan_make(rel->manifest, &plan, &err) < 0 || stage_load(&run->node, run->b, rel, &plan, slot, &err) < 0)
                die("stage", &err);
        plan_done(&plan);
        return slot;
}

static void confirmed(struct run *run, uint32_t slot) {
        struct journal *j = &run->b->journal;

        j->previous = j->confirmed;
        j->confirmed = (struct journal_gen){.present = true, .slot = slot};
        run->confirms++;
}

/* A trial of `slot` that ends in one of the three ways. */
static void trial(struct run *run, uint32_t slot, unsigned long turn, long pause_ns) {
        struct gate *gate = &run->b->kernel.gate;
        uint32_t active = LSM_GATE_ACTIVE(gate_word(gate));
        bool expire = turn % 3 == 2;
        int64_t until = monotonic_ns() + (expire ? 2000000 : 60000000000LL);
        uint64_t pending = gate_flip(gate, active, slot, until);

        if (!pending)
                die("flip", NULL);
        nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
        if (expire) {
                /* The hammers' own calls make the kernel fall back; nobody else does. */
                for (int i = 0; i < 5000 && gate_pending(gate_word(gate)); i++)
                        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
                if (gate_pending(gate_word(gate)) || LSM_GATE_ACTIVE(gate_word(gate)) != active)
                        die("the kernel did not fall back", NULL);
                run->expiries++;
        } else if (turn % 3 == 1) {
                gate_set(gate, active);
                run->rollbacks++;
        } else {
                if (!gate_confirm(gate, pending))
                        die("confirm", NULL);
                confirmed(run, slot);
        }
}

static void swaps(struct run *run, unsigned long n) {
        for (unsigned long i = 0; i < n; i++, run->swaps++) {
                trial(run, stage(run, &run->rel[i % 2]), i, 1000000 + rand() % 2000000);
                if (i % 25 == 24)
                        fprintf(stderr, "%lu swaps\n", i + 1);
        }
}

static void flips(struct run *run, unsigned long n) {
        uint32_t slots[2] = {LSM_GATE_ACTIVE(gate_word(&run->b->kernel.gate)), stage(run, &run->rel[1])};

        for (unsigned long i = 0; i < n; i++, run->flips++)
                trial(run, slots[LSM_GATE_ACTIVE(gate_word(&run->b->kernel.gate)) == slots[0]], i, rand() % 1000000);
}

/* ---- somebody else's sleeping program ----------------------------------------------------------------------------------- */

struct victim {
        void *page;
        int uffd, trigger[2], result[2];
        pid_t pid;
};

static int page_missing(void *page) {
        struct uffdio_register reg = {.range = {(unsigned long)page, 4096}, .mode = UFFDIO_REGISTER_MODE_MISSING};
        struct uffdio_api api = {.api = UFFD_API};
        int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

        return fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg) ? -1 : fd;
}

/* In the victim: a thread fills in the page when the tester says so; the main thread opens the secret when told. */
static void *filler(void *arg) {
        struct victim *v = arg;
        struct uffd_msg msg;
        char c;

        while (read(v->uffd, &msg, sizeof(msg)) == sizeof(msg)) {
                struct uffdio_zeropage zero = {.range = {(unsigned long)v->page, 4096}};

                if (write(v->result[1], "s", 1) != 1 || read(v->trigger[0], &c, 1) != 1)
                        break;
                ioctl(v->uffd, UFFDIO_ZEROPAGE, &zero);
        }
        return NULL;
}

static void victim_main(struct victim *v) {
        pthread_t thread;
        char c;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "unprivileged");
        v->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        v->uffd = page_missing(v->page);
        if (v->uffd < 0 || pthread_create(&thread, NULL, filler, v))
                _exit(2);
        if (write(v->result[1], &v->page, sizeof(v->page)) != sizeof(v->page))
                _exit(2);
        while (read(v->trigger[0], &c, 1) == 1) {
                int fd = open(SECRET, O_RDONLY);

                if (write(v->result[1], fd >= 0 ? "L" : "d", 1) != 1)
                        break;
                if (fd >= 0)
                        close(fd);
                madvise(v->page, 4096, MADV_DONTNEED); /* missing again for the next time */
        }
        _exit(0);
}

static void victim_start(struct victim *v) {
        if (pipe(v->trigger) || pipe(v->result))
                die("pipe", NULL);
        v->pid = fork();
        if (v->pid == 0)
                victim_main(v);
        if (read(v->result[0], &v->page, sizeof(v->page)) != sizeof(v->page))
                die("userfaultfd", NULL);
}

static void sleeper_attach(const char *path, const struct victim *v) {
        struct bpf_object *obj = bpf_object__open(path);
        struct bpf_map *map;
        struct {
                uint32_t victim, pad;
                uint64_t page, slept;
        } bss = {.victim = (uint32_t)v->pid, .page = (uint64_t)v->page};
        uint32_t zero = 0;

        if (!obj || bpf_object__load(obj))
                die(path, NULL);
        bpf_object__for_each_map(map, obj) if (strstr(bpf_map__name(map), ".bss"))
                bpf_map_update_elem(bpf_map__fd(map), &zero, &bss, BPF_ANY);
        if (!bpf_program__attach(bpf_object__next_program(obj, NULL)))
                die("attach the sleeper", NULL);
}

/*
 * Until the hammers have made n attempts more. They run at the lowest priority, and on one processor only while the swapping
 * process sleeps: a few swaps may leave them no time at all.
 */
static void attempts_wait(const struct run *run, unsigned long n) {
        unsigned long tries, leaks, wrong, before;

        hammer_sum(run->hammer, &before, &leaks, &wrong);
        for (int i = 0; i < 30000; i++) {
                hammer_sum(run->hammer, &tries, &leaks, &wrong);
                if (tries - before >= n)
                        return;
                nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        }
        fprintf(stderr, "swap_hammer: only %lu attempts in 30 s\n", tries - before);
        exit(2);
}

/* The victim goes to sleep in the chain; whole swaps go by, slots are filled anew; it wakes up and must be denied. */
static void sleep_once(struct run *run, struct victim *v) {
        char c;

        if (write(v->trigger[1], "o", 1) != 1 || read(v->result[0], &c, 1) != 1)
                die("victim", NULL);
        if (c != 's')
                die("the victim did not sleep", NULL);
        for (int i = 0; i < 4; i++)
                trial(run, stage(run, &run->rel[i % 2]), 0, 1000000);
        attempts_wait(run, ATTEMPTS_MIN);
        if (write(v->trigger[1], "w", 1) != 1 || read(v->result[0], &c, 1) != 1)
                die("victim", NULL);
        run->sleep_leaks += c == 'L';
        run->sleeps++;
}

/* ---- ------------------------------------------------------------------------------------------------------------------- */

/*
 * Calls in which the kernel left the dispatcher out, because the same program was running on that processor already: a task that
 * is preempted inside it must not open the hook for others (kernels before 6.2 had such a check for LSM programs, too).
 */
static unsigned long long skipped(const struct run *run) {
        unsigned long long sum = 0;

        for (size_t i = 0; i < run->b->kernel.n_hooks; i++) {
                struct bpf_link_info link = {0};
                struct bpf_prog_info prog = {0};
                uint32_t link_len = sizeof(link), prog_len = sizeof(prog);
                char path[PATH_MAX];
                int fd, prog_fd;

                pin_path(path, "%s/hook/%s/link", run->b->kernel.dir, run->b->kernel.hooks[i].name);
                fd = pin_get(path);
                if (fd < 0 || bpf_obj_get_info_by_fd(fd, &link, &link_len) ||
                    (prog_fd = bpf_prog_get_fd_by_id(link.prog_id)) < 0 || bpf_obj_get_info_by_fd(prog_fd, &prog, &prog_len))
                        die(path, NULL);
                sum += prog.recursion_misses;
                close(prog_fd);
                close(fd);
        }
        return sum;
}

static void open_all(struct run *run, struct config *config, const struct keyring *ring, char **paths) {
        struct err err = {0};

        run->node.say = say;
        for (int i = 0; i < 2; i++)
                if (release_open(paths[i], ring, &run->rel[i], &err) < 0)
                        die(paths[i], &err);
        if (config_defaults(config, &err) < 0 || node_open(config, NODE_WRITE, &waiter_plain, &run->node, &err) < 0 ||
            node_bundle_add(&run->node, run->rel[0].manifest->name, &run->b, &err) < 0)
                die("node", &err);
}

static void first(struct run *run) {
        uint32_t slot = stage(run, &run->rel[0]);

        gate_set(&run->b->kernel.gate, slot);
        confirmed(run, slot);
}

int main(int argc, char **argv) {
        enum { SWAPS = 1, FLIPS, SLEEPER, SLEEPS, SOCKETS, OPERATIONS, KEY };
        static const struct option options[] = {{"swaps", 1, NULL, SWAPS},     {"flips", 1, NULL, FLIPS},
                                                {"sleeper", 1, NULL, SLEEPER}, {"sleeps", 1, NULL, SLEEPS},
                                                {"sockets", 0, NULL, SOCKETS}, {"operations", 0, NULL, OPERATIONS},
                                                {"key", 1, NULL, KEY},         {0}};
        unsigned long n_swaps = 0, n_flips = 0, n_sleeps = 0, tries, leaks, wrong;
        unsigned long long misses, left_out;
        struct run run = {0};
        struct keyring ring = {0};
        struct config config;
        struct err err = {0};
        struct victim v;
        const char *sleeper = NULL;
        struct hammer *h;
        enum hammer_what what = HAMMER_FILE;
        int opt;

        if (argc > 1 && streq(argv[1], "@loader")) /* the agent's children are the agent's own program; here that is this one */
                return loader_main(CHILD_SOCK);
        while ((opt = getopt_long(argc, argv, "", options, NULL)) >= 0)
                switch (opt) {
                case SWAPS:
                        n_swaps = strtoul(optarg, NULL, 10);
                        break;
                case FLIPS:
                        n_flips = strtoul(optarg, NULL, 10);
                        break;
                case SLEEPS:
                        n_sleeps = strtoul(optarg, NULL, 10);
                        break;
                case SLEEPER:
                        sleeper = optarg;
                        break;
                case SOCKETS:
                        what = HAMMER_SOCKETS;
                        break;
                case OPERATIONS:
                        what = HAMMER_OPERATIONS;
                        break;
                case KEY:
                        if (keyring_add_file(&ring, optarg, &err) < 0)
                                die("key", &err);
                        break;
                default:
                        return 2;
                }
        if (argc - optind != 2 || (n_sleeps && !sleeper))
                return 2;
        setvbuf(stdout, NULL, _IONBF, 0);
        run.hammer = h = hammer_start(what, what == HAMMER_OPERATIONS ? HAMMERS_MAX : 2);
        if (sleeper)
                victim_start(&v);
        open_all(&run, &config, &ring, argv + optind);
        first(&run);
        /* The newest program runs first. */
        if (sleeper)
                sleeper_attach(sleeper, &v);
        hammer_preempt();
        h->go = true;
        swaps(&run, n_swaps);
        if (n_flips)
                flips(&run, n_flips);
        for (unsigned long i = 0; i < n_sleeps; i++)
                sleep_once(&run, &v);
        attempts_wait(&run, ATTEMPTS_MIN);
        hammer_stop(h);
        hammer_sum(h, &tries, &leaks, &wrong);
        misses = run.b->kernel.gate.map->misses;
        left_out = skipped(&run);
        printf("%lu swaps, %lu flips (%lu confirmed, %lu rolled back, %lu expired in the kernel), %lu sleeps: "
               "%lu attempts, %lu leaks, %lu wrong denials, %llu empty slots met, %llu calls not dispatched\n",
               run.swaps, run.flips, run.confirms, run.rollbacks, run.expiries, run.sleeps, tries + run.sleeps,
               leaks + run.sleep_leaks, wrong, misses, left_out);
        return leaks || run.sleep_leaks || wrong || misses || left_out ? 1 : 0;
}
