/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doctor: can this node enforce? Each check leaves findings: what was looked at, what was found, and what to do about it. It
 * changes nothing; what it loads into the kernel to try it allows everything and is gone when it ends.
 *
 * "fail" means that this node cannot enforce as it is; "warn", that something is weaker or tighter than it could be.
 */
#pragma once

#include <stdio.h>

#include "config.h"

enum finding_result { FINDING_OK, FINDING_WARN, FINDING_FAIL };

struct finding {
        const char *check; /* a stable word */
        enum finding_result result;
        char *found;
        char *remedy; /* NULL: there is nothing to do */
};

struct doctor {
        const struct config *config;
        const char *root; /* stands before paths in /proc, /sys, /boot and /lib: "", but for tests */
        struct finding *findings;
        size_t n;
        bool no_memory;
};
void doctor_done(struct doctor *d);
#define cleanup_doctor cleanup(doctor_done)

/* All checks. -ENOMEM alone is an error. */
int doctor_run(struct doctor *d, struct err *err);
bool doctor_can_enforce(const struct doctor *d);
/* {"v":1,"can_enforce":BOOL,"findings":[{"check","result","found","remedy"?}]}; NULL: no memory. */
json_t *doctor_json(const struct doctor *d);
void doctor_print(const struct doctor *d, FILE *f, bool utf8, bool colour);

/* ---- for the checks ---- */

/* remedy: NULL, or text, which is copied. */
void doctor_found(struct doctor *d, const char *check, enum finding_result result, const char *remedy, const char *fmt, ...)
        __attribute__((format(printf, 5, 6)));
/* A small file below the root, without the white space at its end. */
int doctor_read(const struct doctor *d, struct buf *ret, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A number from such a file. */
int doctor_read_number(const struct doctor *d, const char *path, long long *ret);

/* The kernel, as files tell of it. */
void check_kernel(struct doctor *d);
void check_mode(struct doctor *d);
void check_lsm(struct doctor *d);
void check_btf(struct doctor *d);
void check_jit(struct doctor *d);
void check_lockdown(struct doctor *d);
void check_unprivileged_bpf(struct doctor *d);
void check_kernel_symbols(struct doctor *d);
/* This process and this machine. */
void check_capabilities(struct doctor *d);
void check_namespaces(struct doctor *d);
void check_user_namespaces(struct doctor *d);
void check_landlock(struct doctor *d);
void check_bpffs(struct doctor *d);
void check_cgroup(struct doctor *d);
void check_state(struct doctor *d);
void check_users(struct doctor *d);
void check_clock(struct doctor *d);
void check_node_id(struct doctor *d);
/* By trying it. */
void check_loading(struct doctor *d);
void check_ring_buffer(struct doctor *d);
void check_token(struct doctor *d);
/* What stands on the hooks already. */
void check_hooks(struct doctor *d);

/* "a,b,c" has the item. */
bool list_has(const char *list, const char *item);
/* What lsm= must be for bpf to be active as well: the list without those that always are, whatever it says. */
void lsm_list_with_bpf(const char *list, char *ret, size_t size);
/* The value of an option in a kernel configuration's text: 'y', 'm', or 'n' when it is not set or not there. */
char kernel_option(const char *text, const char *name);

/* The main of the child that tries to obtain a BPF token ("@token-check"). */
int token_check_main(int sock);
