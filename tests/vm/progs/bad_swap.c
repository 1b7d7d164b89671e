// SPDX-License-Identifier: Apache-2.0
/*
 * The negative control of the swap tests: swaps that are known to leak, under the same hammer.
 *
 *      bad_swap detach|store SECONDS OBJECT
 *
 * Prints what it found; exit status 0 when leaks were found, 1 when none were.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>
#include <time.h>

#include "hammer.h"

static const char *object;

static double now(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct bpf_object *generation_load(unsigned generation, int store) {
        struct bpf_object *o = bpf_object__open(object);
        struct bpf_map *map;
        size_t size;

        if (!o)
                exit(2);
        bpf_object__for_each_map(map, o) if (strstr(bpf_map__name(map), ".rodata") && !strstr(bpf_map__name(map), "str"))
                memcpy(bpf_map__initial_value(map, &size), &generation, sizeof(generation));
        if (store >= 0)
                bpf_map__reuse_fd(bpf_object__find_map_by_name(o, "in_force"), store);
        if (bpf_object__load(o))
                exit(2);
        return o;
}

static struct bpf_link *attach(struct bpf_object *o) {
        struct bpf_link *l = bpf_program__attach(bpf_object__next_program(o, NULL));

        if (!l)
                exit(2);
        return l;
}

static unsigned long swap_by_detaching(struct hammer *h, double until) {
        struct bpf_object *o = generation_load(0, -1);
        struct bpf_link *l = attach(o);
        unsigned long n = 0;

        h->go = true;
        for (; now() < until; n++) {
                bpf_link__destroy(l);
                bpf_object__close(o);
                o = generation_load(0, -1);
                l = attach(o);
        }
        hammer_stop(h);
        return n;
}

static unsigned long swap_by_one_store(struct hammer *h, double until) {
        struct bpf_object *one = generation_load(1, -1), *two;
        int fd = bpf_map__fd(bpf_object__find_map_by_name(one, "in_force"));
        volatile unsigned long *word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        unsigned long n = 0;

        if (word == MAP_FAILED)
                exit(2);
        two = generation_load(2, fd);
        *word = 1;
        attach(one);
        attach(two);
        h->go = true;
        hammer_preempt();
        for (; now() < until; n++) {
                struct timespec t = {.tv_nsec = 200000 + rand() % 1500000};

                *word = *word == 1 ? 2 : 1;
                nanosleep(&t, NULL);
        }
        hammer_stop(h);
        return n;
}

int main(int argc, char **argv) {
        unsigned long tries, leaks, wrong, n;
        struct hammer *h;

        if (argc != 4)
                return 2;
        object = argv[3];
        setvbuf(stdout, NULL, _IONBF, 0);
        h = hammer_start(HAMMER_FILE, 2);
        n = (strcmp(argv[1], "detach") == 0 ? swap_by_detaching : swap_by_one_store)(h, now() + atof(argv[2]));
        hammer_sum(h, &tries, &leaks, &wrong);
        printf("%s: %lu swaps, %lu attempts, %lu leaks, %lu wrong denials\n", argv[1], n, tries, leaks, wrong);
        return leaks ? 0 : 1;
}
