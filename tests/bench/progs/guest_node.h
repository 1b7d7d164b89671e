/* SPDX-License-Identifier: Apache-2.0 */
/* For measurements in a guest: a node as the supervisor holds it, releases from bundles, and an end with a message. */
#pragma once

#include "swap_parts.h"

struct guest_node {
        struct config config;
        struct keyring ring;
        struct node node;
};

/* The agent's children are the agent's own program, executed afresh; here that is the measuring program: its main() calls this first.
 * -1: this process is no child. */
int guest_role(int argc, char **argv);

void guest_node_open(struct guest_node *g, const char *key, bool token);
void guest_release_open(struct guest_node *g, const char *path, struct release *ret);
/* Into the next free slot: what swap_apply() does before a trial. */
uint32_t guest_stage(struct guest_node *g, struct bundle *b, const struct release *rel);
void guest_remove(struct guest_node *g, struct bundle *b);

/* err may be NULL: errno. */
void guest_die(const char *what, const struct err *err) __attribute__((noreturn));
