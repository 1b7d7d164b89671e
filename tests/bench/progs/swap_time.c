/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long a swap takes, from verified to enforcing, without probe and trial, beside what libbpf alone needs to open, load and
 * attach the same objects. In a guest whose clock counts instructions (ci/vm --icount), nanoseconds are instructions, and those
 * that the kernel waits (for grace periods).
 *
 *      swap_time KEY BUNDLE
 *
 * Prints "WHAT NANOSECONDS" a line, ROUNDS of each.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "child.h"
#include "fileio.h"
#include "guest_node.h"

#define ROUNDS 3
#define OBJECT_MAX (16u << 20)

static void told(const char *what, int64_t start) {
        printf("%s %lld\n", what, (long long)(monotonic_ns() - start));
        fflush(stdout);
}

/* The kernel releases programs some time after their last descriptor has gone; that is nobody's swap. */
static void settle(void) {
        nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
}

/* ---- libbpf alone ------------------------------------------------------------------------------------------------------ */

static int libbpf_quiet(enum libbpf_print_level level, const char *fmt, va_list ap) {
        return 0;
}

static void raw_objects(const struct release *rel, struct bpf_object **objs, struct bpf_link **links) {
        int64_t start = monotonic_ns();
        size_t n_links = 0;

        for (size_t i = 0; i < rel->manifest->n_policies; i++) {
                LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "raw", .bpf_token_path = "");
                cleanup_buf struct buf data = {0};

                if (memfd_read(rel->members[rel->manifest->policies[i].object], OBJECT_MAX, &data, NULL) < 0)
                        guest_die("object", NULL);
                objs[i] = bpf_object__open_mem(data.data, data.len, &opts);
                if (!objs[i] || bpf_object__load(objs[i]) < 0)
                        guest_die("libbpf", NULL);
        }
        told("raw-load", start);
        for (size_t i = 0; i < rel->manifest->n_policies; i++) {
                struct bpf_program *prog;

                bpf_object__for_each_program(prog, objs[i]) {
                        links[n_links] = bpf_program__attach(prog);
                        if (!links[n_links++])
                                guest_die("libbpf: attach", NULL);
                }
        }
        told("raw", start);
}

/* In a process of its own, as a program that loads them would be: what libbpf has found out about the kernel is not known yet. */
static void raw(const struct release *rel) {
        int status;
        pid_t pid;

        fflush(stdout);
        pid = fork();
        if (pid == 0) {
                struct bpf_object *objs[16];
                struct bpf_link *links[64];

                libbpf_set_print(libbpf_quiet);
                raw_objects(rel, objs, links);
                _exit(0);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
                guest_die("libbpf", NULL);
        settle();
}

/* ---- the agent --------------------------------------------------------------------------------------------------------- */

static void flip_and_confirm(struct bundle *b, const struct release *rel, uint32_t slot, const char *what, int64_t start) {
        struct journal_gen gen = {.present = true, .slot = slot, .release = rel->manifest->release, .since = now_seconds()};
        struct gate *gate = &b->kernel.gate;
        uint64_t pending = gate_flip(gate, LSM_GATE_ACTIVE(gate_word(gate)), slot, monotonic_ns() + 600 * 1000000000LL);

        if (!pending)
                guest_die("flip", NULL);
        told(what, start);
        if (!gate_confirm(gate, pending))
                guest_die("confirm", NULL);
        b->journal.previous = b->journal.confirmed;
        memcpy(gen.content_hex, rel->manifest->content_hex, sizeof(gen.content_hex));
        snprintf(gen.version, sizeof(gen.version), "%s", rel->manifest->version);
        b->journal.confirmed = gen;
        settle();
}

static void swap(struct guest_node *g, struct bundle *b, const struct release *rel, const char *what) {
        int64_t start = monotonic_ns();

        flip_and_confirm(b, rel, guest_stage(g, b, rel), what, start);
}

static struct bundle *bundle_of(struct guest_node *g, const struct release *rel) {
        struct err err = {0};
        struct bundle *b;

        if (node_bundle_add(&g->node, rel->manifest->name, &b, &err) < 0)
                guest_die("bundle", &err);
        return b;
}

/* Where a swap's time goes: its steps one by one. */
static void steps(struct guest_node *g, struct bundle *b, const struct release *rel, bool token) {
        struct loader_request req = {.release = rel,
                                     .events = g->node.agent.events,
                                     .slot = stage_slot(b),
                                     .use_token = token,
                                     .deadline_ns = monotonic_ns() + 600 * 1000000000LL};
        cleanup_plan struct plan plan = {0};
        cleanup_free int *slots = NULL;
        struct loaded loaded = {0};
        struct err err = {0};
        int64_t start;

        if (plan_make(rel->manifest, &plan, &err) < 0 || enforcement_slots(&b->kernel, &plan, &slots) < 0)
                guest_die("plan", &err);
        req.plan = &plan;
        req.slots = slots;
        node_user(g->config.loader_user, &req.uid, &req.gid);
        start = monotonic_ns();
        if (loader_run(&req, &waiter_plain, &loaded, NULL, &err) < 0)
                guest_die("loader", &err);
        told(!token ? "step-loader-without-token" : loaded.token ? "step-loader-with-token" : "step-loader-refused-token", start);
        start = monotonic_ns();
        if (enforcement_fill(&b->kernel, req.slot, &plan, &loaded, &err) < 0)
                guest_die("fill", &err);
        told("step-fill", start);
        start = monotonic_ns();
        if (bpf_grace_period(&err) < 0)
                guest_die("grace period", &err);
        told("step-grace-period", start);
        loaded_done(&loaded);
        settle();
}

static void step_child(void) {
        const struct child_spec spec = {.role = "@nothing", .cgroup = -1};
        struct child c = CHILD_INIT;
        struct err err = {0};
        int64_t start = monotonic_ns();
        int status;

        if (child_spawn(&spec, &c, &err) < 0 || child_wait(&c, &waiter_plain, INT64_MAX, &status) < 0 || status != 0)
                guest_die("child", &err);
        told("step-process", start);
        child_kill(&c);
}

int main(int argc, char **argv) {
        struct release rel = RELEASE_INIT;
        int role = guest_role(argc, argv);
        struct guest_node g;
        struct bundle *b;

        if (role >= 0)
                return role;
        if (argc == 2 && streq(argv[1], "@nothing"))
                return 0;
        if (argc != 3)
                return 2;
        guest_node_open(&g, argv[1], true);
        guest_release_open(&g, argv[2], &rel);
        if (rel.manifest->n_policies > 16)
                return 2;
        for (int i = 0; i < ROUNDS; i++) {
                raw(&rel);
                b = bundle_of(&g, &rel);
                swap(&g, b, &rel, "install");
                swap(&g, b, &rel, "swap");
                if (i < ROUNDS - 1) {
                        guest_remove(&g, b);
                        settle();
                }
        }
        for (int i = 0; i < ROUNDS; i++) {
                swap(&g, b, &rel, "swap");
                steps(&g, b, &rel, true);
                steps(&g, b, &rel, false);
                step_child();
        }
        return 0;
}
