/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_node.h"

#include <fcntl.h>

#include "child.h"
#include "fetch.h"

int guest_role(int argc, char **argv) {
        if (argc == 2 && streq(argv[1], "@loader"))
                return loader_main(CHILD_SOCK);
        if (argc == 2 && streq(argv[1], "@fetcher"))
                return fetcher_main(CHILD_SOCK);
        return -1;
}

void guest_die(const char *what, const struct err *err) {
        fprintf(stderr, "%s: %s\n", what, err && err->msg[0] ? err->msg : strerror(errno));
        exit(2);
}

static void say(void *ctx, const char *line) {
        fprintf(stderr, "%s\n", line);
}

void guest_node_open(struct guest_node *g, const char *key, bool token) {
        struct err err = {0};

        *g = (struct guest_node){.node.say = say};
        if (keyring_add_file(&g->ring, key, &err) < 0)
                guest_die(key, &err);
        if (config_defaults(&g->config, &err) < 0)
                guest_die("configuration", &err);
        g->config.bpf_token = token;
        if (node_open(&g->config, NODE_WRITE, &waiter_plain, &g->node, &err) < 0)
                guest_die("node", &err);
}

void guest_release_open(struct guest_node *g, const char *path, struct release *ret) {
        const struct bundle_trust trust = {.ring = &g->ring, .threshold = 1};
        struct fetch_request req = {.limits = bundle_limits_default};
        struct fetched f = FETCHED_INIT;
        struct err err = {0};

        req.fd = open(path, O_RDONLY | O_CLOEXEC);
        node_user(g->config.fetcher_user, &req.uid, &req.gid);
        if (req.fd < 0 || fetch_bundle(&req, &trust, &waiter_plain, &f, &err) < 0)
                guest_die(path, &err);
        close(req.fd);
        *ret = f.release;
}

uint32_t guest_stage(struct guest_node *g, struct bundle *b, const struct release *rel) {
        cleanup_plan struct plan plan = {0};
        uint32_t slot = stage_slot(b);
        struct err err = {0};

        if (plan_make(rel->manifest, &plan, &err) < 0 || stage_load(&g->node, b, rel, &plan, slot, &err) < 0)
                guest_die("stage", &err);
        return slot;
}

void guest_remove(struct guest_node *g, struct bundle *b) {
        struct err err = {0};

        if (swap_remove(&g->node, b, &err) < 0)
                guest_die("remove", &err);
}
