// SPDX-License-Identifier: Apache-2.0
/*
 * A release in the shadow of the one in force, with the agent's own code, a step at a time: what the agent does at its polls.
 *
 *      shadow_try step FOR ALLOW KEY BUNDLE    one step of a bake: prints its state, and goes on or begins
 *      shadow_try unordered KEY BUNDLE         a shadow in front of the dispatcher that enforces: the control of the counting
 *      shadow_try cycles N KEY BUNDLE          N shadows, made and ended one after the other
 *      shadow_try look NAME                    prints state, release, seconds and count; then each policy's count
 *      shadow_try end NAME                     ends the bake
 *      shadow_try recover                      what an agent does at its start
 *      shadow_try order                        in which order this kernel runs the programs on a hook
 *
 * Each is a process of its own, so that what one leaves behind is what the next finds. Exit status 0; 1 with a reason on stderr; 2.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bake.h"
#include "child.h"
#include "release_open.h"
#include "shadow_parts.h"
#include "swap.h"

static int die(const char *what, const struct err *err) {
        fprintf(stderr, "failed: %s%s%s: %s\n", reason_word(err->reason), err->reason ? ": " : "", what, err->msg);
        exit(1);
}

static void say(void *ctx, const char *line) {
        fprintf(stderr, "%s\n", line);
}

struct given {
        struct node *node;
        struct bundle *b;
        struct release rel;
        struct receipt receipt;
};

/* KEY BUNDLE */
static void given_open(struct given *g, struct node *n, char **args) {
        struct err err = {0};

        g->node = n;
        if (keyring_add_file(&g->receipt.ring, args[0], &err) < 0)
                die(args[0], &err);
        g->receipt.threshold = 1;
        g->receipt.source = args[1];
        if (release_open(args[1], &g->receipt.ring, &g->rel, &err) < 0)
                die(args[1], &err);
        if (node_bundle_add(n, g->rel.manifest->name, &g->b, &err) < 0)
                die("bundle", &err);
}

static void facts_print(const struct bake_facts *f) {
        static const char *const words[] = {
                [BAKE_STATE_NONE] = "none",
                [BAKE_STATE_BAKING] = "baking",
                [BAKE_STATE_DONE] = "done",
                [BAKE_STATE_FAILED] = "failed",
        };

        printf("%s %llu %llu\n", words[f->state], (unsigned long long)f->release, (unsigned long long)f->would_deny);
}

static int step(struct node *n, char **args) {
        const struct bake_terms terms = {.for_s = strtoull(args[0], NULL, 10), .allow = strtoull(args[1], NULL, 10)};
        struct err err = {0};
        struct bake_facts facts;
        struct given g = {0};

        given_open(&g, n, args + 2);
        if (bake_step(n, g.b, &g.rel, &g.receipt, &terms, bake_clock(), &facts, &err) < 0)
                return die("step", &err);
        facts_print(&facts);
        if (facts.state == BAKE_STATE_FAILED)
                printf("%s: %s\n", reason_word(err.reason), err.msg);
        return 0;
}

static int unordered(struct node *n, char **args) {
        struct err err = {0};
        struct given g = {0};

        given_open(&g, n, args);
        return shadow_start_ordered(n, g.b, &g.rel, HOOK_OLDEST_FIRST, &err) < 0 ? die("shadow", &err) : 0;
}

static int cycles(struct node *n, char **args) {
        unsigned long count = strtoul(args[0], NULL, 10);
        char content[SHA256_HEX];
        struct err err = {0};
        struct given g = {0};

        given_open(&g, n, args + 1);
        for (unsigned long i = 0; i < count; i++) {
                if (shadow_start(n, g.b, &g.rel, &err) < 0)
                        return die("start", &err);
                if (!shadow_running(n, g.b, content) || strcmp(content, g.rel.manifest->content_hex) != 0)
                        return die("it does not run", &err);
                if (shadow_stop(n, g.b->name, &err) < 0)
                        return die("stop", &err);
                if (shadow_running(n, g.b, content) || shadow_exists(n, g.b->name))
                        return die("it has not ended", &err);
        }
        printf("%lu shadows\n", count);
        return 0;
}

static struct bundle *bundle_named(struct node *n, const char *name) {
        struct bundle *b = node_bundle(n, name);

        return b ? b : (fprintf(stderr, "failed: no bundle '%s'\n", name), exit(1), NULL);
}

static int look(struct node *n, char **args) {
        struct bundle *b = bundle_named(n, args[0]);
        char content[SHA256_HEX], **policies;
        struct bake_facts facts;
        struct err err = {0};
        size_t count;

        bake_look(n, b, bake_clock(), &facts);
        facts_print(&facts);
        if (!shadow_running(n, b, content))
                return 0;
        if (shadow_policies(n, b, &policies, &count, &err) < 0)
                return die("counters", &err);
        for (size_t i = 0; i < count; i++) {
                struct lsm_counters c;

                if (shadow_counters(n, b, policies[i], &c) < 0)
                        return die(policies[i], &err);
                printf("%s %llu %llu %llu\n", policies[i], (unsigned long long)c.would_deny, (unsigned long long)c.denied,
                       (unsigned long long)c.errors);
        }
        return 0;
}

static int end(struct node *n, char **args) {
        struct err err = {0};

        return bake_end(n, bundle_named(n, args[0]), &err) < 0 ? die("end", &err) : 0;
}

static int recover(struct node *n, char **args) {
        struct err err = {0};

        return swap_recover(n, &err) < 0 ? die("recover", &err) : 0;
}

static int order(struct node *n, char **args) {
        enum hook_order found = HOOK_OLDEST_FIRST;
        struct err err = {0};
        struct btf *btf = kernel_btf_load(&err);

        if (!btf || hook_order_find(btf, &found, &err) < 0)
                return die("order", &err);
        kernel_btf_free(btf);
        puts(hook_order_word(found));
        return 0;
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                int args;
                int (*run)(struct node *n, char **args);
        } commands[] = {{"step", 4, step}, {"unordered", 2, unordered}, {"cycles", 3, cycles}, {"look", 1, look},
                        {"end", 1, end},   {"recover", 0, recover},     {"order", 0, order}};
        struct node node = {.say = say};
        struct config config;
        struct err err = {0};
        int r;

        if (argc > 1 && streq(argv[1], "@loader")) /* the agent's children are the agent's own program; here that is this one */
                return loader_main(CHILD_SOCK);
        for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
                if (!streq(argv[1], commands[i].name) || argc != 2 + commands[i].args)
                        continue;
                if (config_defaults(&config, &err) < 0 || node_open(&config, NODE_WRITE, &waiter_plain, &node, &err) < 0)
                        return die("node", &err);
                r = commands[i].run(&node, argv + 2);
                node_close(&node);
                return r;
        }
        fprintf(stderr, "usage: see the source\n");
        return 2;
}
