/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other programs (clang, git) as subprocesses: no shell, stdin from /dev/null, output collected. While children run, SIGINT,
 * SIGTERM and SIGHUP are taken from a descriptor, so that an interrupted build still removes what it has made.
 */
#pragma once

#include "buf.h"
#include "err.h"

#define PROCESS_OUTPUT_MAX (1u << 20)

struct process {
        const char *const *argv; /* argv[0] is looked up in PATH */
        const char *dir;         /* where it runs; NULL: here */
        const char *const *env;  /* NULL: this process's own */
        struct buf out, err;     /* what it wrote, at most PROCESS_OUTPUT_MAX of each */
        int status;              /* as from waitpid(2) */
};
void process_done(struct process *p);
#define cleanup_process cleanup(process_done)

/* done counts those that have ended; called after each. */
typedef void (*process_progress_fn)(void *ctx, size_t done, size_t n);

/*
 * Runs n processes, at most `parallel` at a time, and waits for all. 0 says that all have run, whatever their status.
 * -EINTR: interrupted, and the children are dead. A program that cannot be started is an error that names it.
 */
int processes_run(struct process *p, size_t n, unsigned parallel, process_progress_fn progress, void *ctx, struct err *err);
/* One process. */
int process_run(struct process *p, struct err *err);
bool process_ok(const struct process *p);
