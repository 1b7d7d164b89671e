/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `scope`: for which tasks of a node a policy is in force (docs/scopes.md), and the tables by which the kernel tells
 * (bpf/include/lsm_scope.h). A scope is a set of cgroups, each with all below it.
 */
#pragma once

#include <jansson.h>

#include "automaton.h"
#include "buf.h"
#include "strv.h"
#include "yaml.h"

struct scope {
        struct pos pos;
        char *key; /* as written; NULL: no scope, the whole node */
        struct strv values;
        struct path_pattern *patterns; /* of cgroups' paths */
        size_t n;
        bool namespaced; /* also what is in a PID namespace that is not the node's own */
        bool inverted;   /* everything but that */
};
void scope_done(struct scope *s);

/* What is wrong is reported at its place; what was read before stays in *ret. */
void scope_read(const struct yaml_node *value, struct scope *ret, struct diags *diags);
/* As it was written: {"unit": ["nginx.service"]}; of the whole node: {}. NULL: no memory. */
json_t *scope_json(const struct scope *s);

/* The scopes of one object, by number. */
struct scope_tables {
        struct automaton automaton;
        struct buf masks; /* uint64_t for each of the automaton's states */
        uint64_t namespaced, inverted;
        bool used; /* one of them is not the whole node */
};
void scope_tables_done(struct scope_tables *t);
#define cleanup_scope_tables cleanup(scope_tables_done)
/* n: at most LSM_SCOPES_MAX. */
int scope_tables_make(const struct scope *const *scopes, size_t n, struct scope_tables *ret, struct err *err);
/* What the source has to define, "NAME=VALUE", to be compiled for these tables. */
int scope_tables_defines(const struct scope_tables *t, struct strv *ret);
