/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an open() and close() of /tmp/a/b/c/d/file costs, under this and that. In a guest whose clock counts instructions (ci/vm
 * --icount), nanoseconds are instructions.
 *
 *      hook_cost KEY NOOP.bpf.o ONE.tar.zst THREE.tar.zst
 *
 * ONE: a bundle with shadow-protect; THREE: with three such policies on the hook. Prints "WHAT COST" a line.
 */
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "guest_cost.h"
#include "guest_node.h"

#define FILE_PATH "/tmp/a/b/c/d/file"
#define ROUND 20000

static void opens(unsigned long n) {
        while (n-- > 0) {
                int fd = open(FILE_PATH, O_RDONLY);

                if (fd < 0)
                        guest_die(FILE_PATH, NULL);
                close(fd);
        }
}

static void measure(const char *what, const char *comm) {
        guest_cost(what, comm, opens, ROUND);
}

static void noop(const char *path) {
        struct bpf_object *obj = bpf_object__open(path);
        struct bpf_link *link;

        if (!obj || bpf_object__load(obj) < 0)
                guest_die(path, NULL);
        link = bpf_program__attach(bpf_object__next_program(obj, NULL));
        if (!link)
                guest_die(path, NULL);
        measure("noop", "hook-cost");
        bpf_link__destroy(link);
        bpf_object__close(obj);
        /* The kernel detaches some time after the last descriptor has gone. */
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
}

static struct bundle *bundle_of(struct guest_node *g, const struct release *rel) {
        struct err err = {0};
        struct bundle *b;

        if (node_bundle_add(&g->node, rel->manifest->name, &b, &err) < 0)
                guest_die("bundle", &err);
        return b;
}

static void one(struct guest_node *g, const char *path) {
        cleanup_release struct release rel = RELEASE_INIT;
        struct bundle *b;
        struct gate *gate;
        uint32_t slot;

        guest_release_open(g, path, &rel);
        b = bundle_of(g, &rel);
        slot = guest_stage(g, b, &rel);
        gate = &b->kernel.gate;
        measure("dispatcher", "hook-cost");
        gate_set(gate, slot);
        measure("policy", "hook-cost");
        measure("policy-named", "unprivileged");
        gate_set(gate, 0);
        if (!gate_flip(gate, 0, slot, monotonic_ns() + 3600 * 1000000000LL))
                guest_die("flip", NULL);
        measure("pending", "hook-cost");
        if (!gate_pending(gate_word(gate)))
                guest_die("the trial ended before its time", NULL);
        guest_remove(g, b);
}

static void three(struct guest_node *g, const char *path) {
        cleanup_release struct release rel = RELEASE_INIT;
        struct bundle *b;

        guest_release_open(g, path, &rel);
        b = bundle_of(g, &rel);
        gate_set(&b->kernel.gate, guest_stage(g, b, &rel));
        measure("chain", "hook-cost");
        measure("chain-named", "unprivileged");
        guest_remove(g, b);
}

int main(int argc, char **argv) {
        int role = guest_role(argc, argv);
        struct guest_node g;

        if (role >= 0)
                return role;
        if (argc != 5)
                return 2;
        guest_file_make(FILE_PATH);
        measure("baseline", "hook-cost");
        noop(argv[2]);
        guest_node_open(&g, argv[1], true);
        one(&g, argv[3]);
        three(&g, argv[4]);
        measure("baseline-again", "hook-cost");
        return 0;
}
